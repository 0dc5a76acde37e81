-- +goose Up

-- fold is how names and addresses are compared in searches: without case, and cut so that any fits into an index. Only
-- the database folds, so that what is stored and what is looked for cannot differ.
CREATE FUNCTION tenantry.fold(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN left(lower(words), 100);

-- Stored, because row level security lets no index on lower(name) be used; COLLATE "C", because a range of an index is
-- then all that begins with something.
ALTER TABLE public.members
    ADD COLUMN name_key      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(tenantry.fold(name), '')) STORED,
    -- The name's last word, where it is not the only one.
    ADD COLUMN last_name_key text COLLATE "C" GENERATED ALWAYS AS (tenantry.fold(substring(name FROM '\s(\S+)\s*$'))) STORED,
    ADD COLUMN email_key     text COLLATE "C" GENERATED ALWAYS AS (tenantry.fold(email)) STORED;

-- Pages of Organization.members are ranges of one of these, in both directions: by joining (00002 has the first) and by
-- name, of all roles and of one, without former members and with them.
CREATE INDEX members_by_name ON public.members (organization_id, name_key, id) WHERE left_at IS NULL AND NOT provisional;
CREATE INDEX members_by_role_joining ON public.members (organization_id, role, joined_at, id) WHERE left_at IS NULL AND NOT provisional;
CREATE INDEX members_by_role_name ON public.members (organization_id, role, name_key, id) WHERE left_at IS NULL AND NOT provisional;
CREATE INDEX ever_members_by_joining ON public.members (organization_id, joined_at, id) WHERE NOT provisional;
CREATE INDEX ever_members_by_name ON public.members (organization_id, name_key, id) WHERE NOT provisional;
CREATE INDEX ever_members_by_role_joining ON public.members (organization_id, role, joined_at, id) WHERE NOT provisional;
CREATE INDEX ever_members_by_role_name ON public.members (organization_id, role, name_key, id) WHERE NOT provisional;
-- What else searches find.
CREATE INDEX members_by_last_name ON public.members (organization_id, last_name_key, id) WHERE last_name_key IS NOT NULL;
CREATE INDEX members_by_email ON public.members (organization_id, email_key, id) WHERE email_key IS NOT NULL;

-- What requests read of invitations, derived in the transaction that changes the copy. The id is Clerk's.
CREATE TABLE public.invitations (
    organization_id text COLLATE "C" NOT NULL CHECK (organization_id <> ''),
    id              text COLLATE "C" NOT NULL CHECK (id <> ''),
    -- NULL once the person behind it was deleted.
    email           text,
    role            text COLLATE "C" NOT NULL,
    -- As Clerk says: one that is pending may be past expires_at, as no event says that it expired.
    status          text COLLATE "C" NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    PRIMARY KEY (organization_id, id)
);
-- The order of Organization.invitations, of one status and of all.
CREATE INDEX invitations_by_status ON public.invitations (organization_id, status, created_at, id);
CREATE INDEX invitations_by_creation ON public.invitations (organization_id, created_at, id);

-- Before the table is fenced, so that the owner may write it.
INSERT INTO public.invitations (organization_id, id, email, role, status, created_at, expires_at)
SELECT organization_id, id, email_address, role, status, 'epoch'::timestamptz + created_at * interval '1 millisecond',
    CASE WHEN expires_at > 0 THEN 'epoch'::timestamptz + expires_at * interval '1 millisecond' END
FROM clerk.invitations WHERE organization_id <> '' AND NOT dead;

CALL tenantry.own_table('public.invitations', 'SELECT');
CALL tenantry.grant_mirror('public.invitations', 'SELECT, INSERT, UPDATE, DELETE');

-- viewer_memberships is what a user may see of their own memberships, in all organizations. It runs as the mirror's role,
-- as no organization's handle reaches the others; it takes no argument, so that it answers for the one user that the
-- setting names. Per organization the newest incarnation counts, as in internal/mirror/member.go.
CREATE FUNCTION tenantry.viewer_memberships()
RETURNS TABLE (organization_id text, name text, slug text, image_url text, role text, joined_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.id, coalesce(NULLIF(o.name, ''), o.id), o.slug, o.image_url, m.role,
        'epoch'::timestamptz + m.created_at * interval '1 millisecond'
    FROM (
        SELECT DISTINCT ON (organization_id) organization_id, user_id, role, created_at, dead FROM clerk.memberships
        WHERE user_id = NULLIF(current_setting('tenantry.viewer', true), '') AND organization_id <> ''
        ORDER BY organization_id, created_at DESC, dead, id DESC
    ) AS m
    JOIN clerk.organizations AS o ON o.id = m.organization_id
    WHERE NOT m.dead AND NOT o.dead AND NOT EXISTS (SELECT FROM clerk.users AS u WHERE u.id = m.user_id AND u.dead)
$$;
REVOKE ALL ON FUNCTION tenantry.viewer_memberships() FROM PUBLIC;

-- +goose StatementBegin
DO $$
DECLARE
    roles tenantry.instance := (SELECT i FROM tenantry.instance AS i);
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION tenantry.viewer_memberships() TO %I', roles.request_role);
    -- Who is given a function must be allowed to make one there, for this moment.
    EXECUTE format('GRANT CREATE ON SCHEMA tenantry TO %I', roles.mirror_role);
    EXECUTE format('ALTER FUNCTION tenantry.viewer_memberships() OWNER TO %I', roles.mirror_role);
    EXECUTE format('REVOKE CREATE ON SCHEMA tenantry FROM %I', roles.mirror_role);
END
$$;
-- +goose StatementEnd
