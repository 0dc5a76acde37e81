-- What the migrations make. Written by a test, see schema_test.go; read it, do not run it.

CREATE TABLE clerk.changes (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint NOT NULL,
    organization_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    user_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    session_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    role boolean NOT NULL DEFAULT false,
    at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT changes_pkey PRIMARY KEY (xid, id)
);
GRANT DELETE, INSERT, SELECT ON clerk.changes TO mirror;

CREATE TABLE clerk.domains (
    id text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    name text NOT NULL DEFAULT ''::text,
    enrollment_mode text COLLATE "C" NOT NULL DEFAULT ''::text,
    verified boolean NOT NULL DEFAULT false,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT domains_pkey PRIMARY KEY (id)
);
CREATE INDEX domains_by_organization ON clerk.domains USING btree (organization_id);
CREATE INDEX domains_to_read ON clerk.domains USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.domains TO mirror;

CREATE TABLE clerk.inbox (
    id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    event_at bigint NOT NULL,
    body bytea,
    body_sha256 bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    error text NOT NULL DEFAULT ''::text,
    conflicts integer NOT NULL DEFAULT 0,
    CONSTRAINT inbox_pkey PRIMARY KEY (id),
    CONSTRAINT inbox_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'done'::text, 'ignored'::text, 'dead'::text])))
);
CREATE INDEX inbox_by_user ON clerk.inbox USING btree (user_id) WHERE (body IS NOT NULL);
CREATE INDEX inbox_dead ON clerk.inbox USING btree (received_at) WHERE (state = 'dead'::text);
CREATE INDEX inbox_finished ON clerk.inbox USING btree (received_at) WHERE (state <> 'pending'::text);
CREATE INDEX inbox_pending ON clerk.inbox USING btree (next_at) WHERE (state = 'pending'::text);
GRANT DELETE, INSERT, SELECT, UPDATE ON clerk.inbox TO mirror;

CREATE TABLE clerk.invitations (
    id text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    email_address text,
    role text COLLATE "C" NOT NULL DEFAULT ''::text,
    status text COLLATE "C" NOT NULL DEFAULT ''::text,
    inviter_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    user_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    expires_at bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT invitations_pkey PRIMARY KEY (id)
);
CREATE INDEX invitations_by_organization ON clerk.invitations USING btree (organization_id);
CREATE INDEX invitations_by_user ON clerk.invitations USING btree (user_id) WHERE (user_id <> ''::text);
CREATE INDEX invitations_to_read ON clerk.invitations USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.invitations TO mirror;

CREATE TABLE clerk.key_sets (
    issuer text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    CONSTRAINT key_sets_pkey PRIMARY KEY (issuer)
);
GRANT INSERT, SELECT, UPDATE ON clerk.key_sets TO mirror;

CREATE TABLE clerk.memberships (
    id text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    user_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    role text COLLATE "C" NOT NULL DEFAULT ''::text,
    first_name text,
    last_name text,
    username text,
    image_url text,
    identifier text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT memberships_pkey PRIMARY KEY (id)
);
CREATE INDEX memberships_by_pair ON clerk.memberships USING btree (organization_id, user_id);
CREATE INDEX memberships_by_user ON clerk.memberships USING btree (user_id);
CREATE INDEX memberships_to_read ON clerk.memberships USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.memberships TO mirror;

CREATE TABLE clerk.organizations (
    id text COLLATE "C" NOT NULL,
    name text NOT NULL DEFAULT ''::text,
    slug text,
    image_url text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT organizations_pkey PRIMARY KEY (id)
);
CREATE INDEX organizations_to_read ON clerk.organizations USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.organizations TO mirror;

CREATE TABLE clerk.permissions (
    id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL DEFAULT ''::text,
    name text NOT NULL DEFAULT ''::text,
    description text,
    type text COLLATE "C" NOT NULL DEFAULT ''::text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT permissions_pkey PRIMARY KEY (id)
);
CREATE INDEX permissions_by_key ON clerk.permissions USING btree (key);
CREATE INDEX permissions_to_read ON clerk.permissions USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.permissions TO mirror;

CREATE TABLE clerk.provisional (
    user_id text COLLATE "C" NOT NULL,
    organization_id text COLLATE "C" NOT NULL,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT provisional_pkey PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX provisional_by_age ON clerk.provisional USING btree (made_at);
GRANT DELETE, INSERT, SELECT ON clerk.provisional TO mirror;

CREATE TABLE clerk.revoked_sessions (
    id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL DEFAULT ''::text,
    revoked_at bigint NOT NULL,
    CONSTRAINT revoked_sessions_pkey PRIMARY KEY (id)
);
CREATE INDEX revoked_sessions_by_age ON clerk.revoked_sessions USING btree (revoked_at);
GRANT DELETE, INSERT, SELECT, UPDATE ON clerk.revoked_sessions TO mirror;

CREATE TABLE clerk.roles (
    id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL DEFAULT ''::text,
    name text NOT NULL DEFAULT ''::text,
    permissions text[] NOT NULL DEFAULT '{}'::text[],
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    CONSTRAINT roles_pkey PRIMARY KEY (id)
);
CREATE INDEX roles_by_key ON clerk.roles USING btree (key);
CREATE INDEX roles_to_read ON clerk.roles USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.roles TO mirror;

CREATE TABLE clerk.seen (
    generation bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    CONSTRAINT seen_pkey PRIMARY KEY (generation, kind, id)
);
GRANT DELETE, INSERT, SELECT, TRUNCATE ON clerk.seen TO mirror;

CREATE TABLE clerk.sweeps (
    generation bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    stage text NOT NULL,
    "position" bigint NOT NULL DEFAULT 0,
    report jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT sweeps_pkey PRIMARY KEY (generation)
);
GRANT DELETE, INSERT, SELECT, UPDATE ON clerk.sweeps TO mirror;

CREATE TABLE clerk.users (
    id text COLLATE "C" NOT NULL,
    first_name text,
    last_name text,
    username text,
    image_url text,
    email text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at bigint NOT NULL DEFAULT 0,
    env_ts bigint NOT NULL DEFAULT 0,
    rank smallint NOT NULL DEFAULT 0,
    digest text COLLATE "C" NOT NULL DEFAULT ''::text,
    needs_read boolean NOT NULL DEFAULT false,
    dead boolean NOT NULL GENERATED ALWAYS AS (((tomb_at > 0) AND (created_at <= tomb_at))) STORED,
    banned boolean NOT NULL DEFAULT false,
    deprovisioned boolean NOT NULL DEFAULT false,
    locked boolean NOT NULL DEFAULT false,
    barred_at bigint NOT NULL DEFAULT 0,
    barred boolean NOT NULL GENERATED ALWAYS AS (((barred_at > 0) AND (barred_at >= auth_at))) STORED,
    CONSTRAINT users_pkey PRIMARY KEY (id)
);
CREATE INDEX users_to_read ON clerk.users USING btree (updated_at) WHERE needs_read;
GRANT INSERT, SELECT, UPDATE ON clerk.users TO mirror;

CREATE TABLE clerk.welcomes (
    organization_id text COLLATE "C" NOT NULL,
    done_at timestamp with time zone,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamp with time zone,
    CONSTRAINT welcomes_pkey PRIMARY KEY (organization_id)
);
CREATE INDEX welcomes_due ON clerk.welcomes USING btree (next_at) WHERE (done_at IS NULL);
GRANT INSERT, SELECT, UPDATE ON clerk.welcomes TO mirror;

CREATE TABLE public.audit_entries (
    organization_id text COLLATE "C" NOT NULL,
    at timestamp with time zone NOT NULL,
    id uuid NOT NULL,
    action text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    actor_id text COLLATE "C",
    impersonator_id text COLLATE "C",
    target_type text COLLATE "C" NOT NULL,
    target_id text COLLATE "C" NOT NULL,
    changes jsonb NOT NULL,
    items jsonb NOT NULL,
    request_id text COLLATE "C",
    impersonator_type text COLLATE "C",
    CONSTRAINT audit_entries_pkey PRIMARY KEY (organization_id, at, id),
    CONSTRAINT audit_entries_action_check CHECK ((action ~ '^[a-z_]+\.[a-z_]+$'::text)),
    CONSTRAINT audit_entries_changes_check CHECK (((jsonb_typeof(changes) = 'array'::text) AND (octet_length((changes)::text) <= 65536))),
    CONSTRAINT audit_entries_impersonator_type_check CHECK ((impersonator_type = ANY (ARRAY['person'::text, 'agent'::text, 'other'::text]))),
    CONSTRAINT audit_entries_items_check CHECK (((jsonb_typeof(items) = 'array'::text) AND (octet_length((items)::text) <= 65536))),
    CONSTRAINT audit_entries_organization_id_check CHECK ((organization_id <> ''::text)),
    CONSTRAINT audit_entries_outcome_check CHECK ((outcome = ANY (ARRAY['applied'::text, 'refused'::text, 'unknown'::text]))),
    CONSTRAINT audit_entries_target_type_check CHECK ((target_type <> ''::text))
);
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE INDEX audit_entries_by_action ON public.audit_entries USING btree (organization_id, action, at, id);
CREATE INDEX audit_entries_by_actor ON public.audit_entries USING btree (organization_id, actor_id, at, id);
CREATE INDEX audit_entries_by_target ON public.audit_entries USING btree (organization_id, target_id, at, id);
CREATE POLICY organization_only ON audit_entries AS RESTRICTIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY organization_rows ON audit_entries AS PERMISSIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
GRANT INSERT ON audit_entries TO mirror;
GRANT INSERT, SELECT ON audit_entries TO request;

CREATE TABLE public.documents (
    organization_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    author_id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    impersonator_id text COLLATE "C",
    CONSTRAINT documents_pkey PRIMARY KEY (organization_id, id),
    CONSTRAINT documents_content_check CHECK ((char_length(content) <= 32768)),
    CONSTRAINT documents_organization_id_check CHECK ((organization_id <> ''::text)),
    CONSTRAINT documents_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200))),
    CONSTRAINT documents_version_check CHECK ((version > 0))
);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE INDEX documents_by_creation ON public.documents USING btree (organization_id, created_at, id);
CREATE POLICY organization_only ON documents AS RESTRICTIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY organization_rows ON documents AS PERMISSIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
GRANT DELETE, INSERT, SELECT, UPDATE ON documents TO request;

CREATE TABLE public.invitations (
    organization_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    email text,
    role text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT invitations_pkey PRIMARY KEY (organization_id, id),
    CONSTRAINT invitations_id_check CHECK ((id <> ''::text)),
    CONSTRAINT invitations_organization_id_check CHECK ((organization_id <> ''::text))
);
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE INDEX invitations_by_creation ON public.invitations USING btree (organization_id, created_at, id);
CREATE INDEX invitations_by_status ON public.invitations USING btree (organization_id, status, created_at, id);
CREATE POLICY organization_only ON invitations AS RESTRICTIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY organization_rows ON invitations AS PERMISSIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
GRANT DELETE, INSERT, SELECT, UPDATE ON invitations TO mirror;
GRANT SELECT ON invitations TO request;

CREATE TABLE public.members (
    organization_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    name text,
    email text,
    image_url text,
    joined_at timestamp with time zone NOT NULL,
    left_at timestamp with time zone,
    provisional boolean NOT NULL DEFAULT false,
    name_key text COLLATE "C" NOT NULL GENERATED ALWAYS AS (COALESCE(fold(name), ''::text)) STORED,
    last_name_key text COLLATE "C" GENERATED ALWAYS AS (fold("substring"(name, '\s(\S+)\s*$'::text))) STORED,
    email_key text COLLATE "C" GENERATED ALWAYS AS (fold(email)) STORED,
    banned boolean NOT NULL DEFAULT false,
    deprovisioned boolean NOT NULL DEFAULT false,
    locked boolean NOT NULL DEFAULT false,
    CONSTRAINT members_pkey PRIMARY KEY (organization_id, user_id),
    CONSTRAINT members_organization_id_check CHECK ((organization_id <> ''::text)),
    CONSTRAINT members_user_id_check CHECK ((user_id <> ''::text))
);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
CREATE INDEX ever_members_by_joining ON public.members USING btree (organization_id, joined_at, id) WHERE (NOT provisional);
CREATE INDEX ever_members_by_name ON public.members USING btree (organization_id, name_key, id) WHERE (NOT provisional);
CREATE INDEX ever_members_by_role_joining ON public.members USING btree (organization_id, role, joined_at, id) WHERE (NOT provisional);
CREATE INDEX ever_members_by_role_name ON public.members USING btree (organization_id, role, name_key, id) WHERE (NOT provisional);
CREATE INDEX members_by_email ON public.members USING btree (organization_id, email_key, id) WHERE (email_key IS NOT NULL);
CREATE INDEX members_by_joining ON public.members USING btree (organization_id, joined_at, id) WHERE ((left_at IS NULL) AND (NOT provisional));
CREATE INDEX members_by_last_name ON public.members USING btree (organization_id, last_name_key, id) WHERE (last_name_key IS NOT NULL);
CREATE INDEX members_by_name ON public.members USING btree (organization_id, name_key, id) WHERE ((left_at IS NULL) AND (NOT provisional));
CREATE INDEX members_by_role_joining ON public.members USING btree (organization_id, role, joined_at, id) WHERE ((left_at IS NULL) AND (NOT provisional));
CREATE INDEX members_by_role_name ON public.members USING btree (organization_id, role, name_key, id) WHERE ((left_at IS NULL) AND (NOT provisional));
CREATE POLICY organization_only ON members AS RESTRICTIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY organization_rows ON members AS PERMISSIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY provisional_only ON members AS RESTRICTIVE FOR DELETE TO mirror USING (((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)) AND provisional));
CREATE UNIQUE INDEX members_by_id ON public.members USING btree (organization_id, id);
GRANT DELETE, INSERT, SELECT, UPDATE ON members TO mirror;
GRANT SELECT ON members TO request;

CREATE TABLE public.organizations (
    organization_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    slug text,
    image_url text,
    created_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT organizations_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organizations_organization_id_check CHECK ((organization_id <> ''::text))
);
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY organization_only ON organizations AS RESTRICTIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
CREATE POLICY organization_rows ON organizations AS PERMISSIVE USING ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))) WITH CHECK ((organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text)));
GRANT INSERT, SELECT, UPDATE ON organizations TO mirror;
GRANT SELECT ON organizations TO request;

CREATE TABLE tenantry.instance (
    only_row boolean NOT NULL DEFAULT true,
    request_role text NOT NULL,
    mirror_role text NOT NULL,
    clerk_issuer text,
    CONSTRAINT instance_pkey PRIMARY KEY (only_row),
    CONSTRAINT instance_only_row_check CHECK (only_row)
);
GRANT SELECT ON instance TO mirror;
GRANT SELECT ON instance TO request;

CREATE OR REPLACE FUNCTION tenantry.append_only()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
    IF current_setting('tenantry.append_only', true) IS DISTINCT FROM 'off'
       OR NOT (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION '% of %: the table is append-only', TG_OP, TG_RELID::regclass USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$function$
;

CREATE OR REPLACE FUNCTION tenantry.fold(words text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
RETURN "left"(lower(words), 100)
;

CREATE OR REPLACE PROCEDURE tenantry.grant_mirror(IN copied regclass, IN privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE'::text)
 LANGUAGE plpgsql
AS $procedure$
BEGIN
    EXECUTE format('GRANT %s ON %s TO %I', privileges, copied, (SELECT mirror_role FROM tenantry.instance));
END
$procedure$
;

CREATE OR REPLACE FUNCTION tenantry.note_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog'
AS $function$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'organizations' THEN INSERT INTO clerk.changes (organization_id) VALUES (NEW.id);
        WHEN 'users' THEN INSERT INTO clerk.changes (user_id) VALUES (NEW.id);
        WHEN 'memberships' THEN INSERT INTO clerk.changes (organization_id, user_id) VALUES (NEW.organization_id, NEW.user_id);
        WHEN 'roles' THEN INSERT INTO clerk.changes (role) VALUES (true);
        WHEN 'revoked_sessions' THEN INSERT INTO clerk.changes (session_id, user_id) VALUES (NEW.id, NEW.user_id);
    END CASE;
    RETURN NULL;
END
$function$
;

CREATE OR REPLACE PROCEDURE tenantry.own_table(IN owned regclass, IN request_privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE'::text)
 LANGUAGE plpgsql
AS $procedure$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format($f$CREATE POLICY organization_only ON %s AS RESTRICTIVE
        USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))
        WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))$f$, owned);
    EXECUTE format($f$CREATE POLICY organization_rows ON %s AS PERMISSIVE
        USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))
        WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))$f$, owned);
    EXECUTE format('GRANT %s ON %s TO %I', request_privileges, owned, (SELECT request_role FROM tenantry.instance));
END
$procedure$
;

CREATE OR REPLACE FUNCTION tenantry.viewer_memberships()
 RETURNS TABLE(organization_id text, name text, slug text, image_url text, role text, joined_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER ROWS 10
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT o.id, coalesce(NULLIF(o.name, ''), o.id), o.slug, o.image_url, m.role,
        'epoch'::timestamptz + m.created_at * interval '1 millisecond'
    FROM (
        SELECT DISTINCT ON (organization_id) organization_id, user_id, role, created_at, dead FROM clerk.memberships
        WHERE user_id = NULLIF(current_setting('tenantry.viewer', true), '') AND organization_id <> ''
        ORDER BY organization_id, created_at DESC, dead, id DESC
    ) AS m
    JOIN clerk.organizations AS o ON o.id = m.organization_id
    WHERE NOT m.dead AND NOT o.dead AND NOT EXISTS (SELECT FROM clerk.users AS u WHERE u.id = m.user_id AND u.dead)
$function$
;
