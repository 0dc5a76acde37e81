-- +goose Up

-- Which organizations had their welcome, the hook that runs once when an organization first appears. Only the mirror's
-- role reaches it, and nothing removes a row, so that no organization can get a second one.
CREATE TABLE clerk.welcomes (
    organization_id text COLLATE "C" PRIMARY KEY,
    -- NULL while the hook has failed and is to be run again.
    done_at         timestamptz,
    -- How often it failed, and when to try again.
    attempts        integer NOT NULL DEFAULT 0,
    next_at         timestamptz
);
CREATE INDEX welcomes_due ON clerk.welcomes (next_at) WHERE done_at IS NULL;

CALL tenantry.grant_mirror('clerk.welcomes', 'SELECT, INSERT, UPDATE');

-- Who was here before is not new: whatever the copy has heard of, also by a token only, and whoever has documents. The
-- latter one by one along the primary key, as the table can be large.
ALTER TABLE documents NO FORCE ROW LEVEL SECURITY;
INSERT INTO clerk.welcomes (organization_id, done_at)
WITH RECURSIVE owners AS (
    SELECT min(organization_id) AS id FROM documents
    UNION ALL
    SELECT (SELECT min(d.organization_id) FROM documents AS d WHERE d.organization_id > o.id) FROM owners AS o WHERE o.id IS NOT NULL
)
SELECT id, now() FROM owners WHERE id IS NOT NULL
UNION SELECT id, now() FROM clerk.organizations;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
