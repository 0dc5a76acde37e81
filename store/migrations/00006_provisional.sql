-- +goose Up

-- Where a row of public.members was made for a token and not for a membership: row level security hides these rows from
-- whoever does not name their organization. A row here may be older than what is known by now.
CREATE TABLE clerk.provisional (
    user_id         text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL,
    made_at         timestamptz NOT NULL,
    PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX provisional_by_age ON clerk.provisional (made_at);

CALL tenantry.grant_mirror('clerk.provisional', 'SELECT, INSERT, DELETE');

-- The copy of Clerk never deletes a member, but may take back what it made provisionally: the policy keeps the right to that.
CALL tenantry.grant_mirror('public.members', 'DELETE');
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE format('CREATE POLICY provisional_only ON public.members AS RESTRICTIVE FOR DELETE TO %I USING (provisional)',
        (SELECT mirror_role FROM tenantry.instance));
END
$$;
-- +goose StatementEnd

CREATE INDEX invitations_to_read ON clerk.invitations (updated_at) WHERE needs_read;
CREATE INDEX domains_to_read ON clerk.domains (updated_at) WHERE needs_read;
CREATE INDEX permissions_to_read ON clerk.permissions (updated_at) WHERE needs_read;
