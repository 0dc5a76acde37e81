-- +goose Up

-- More of the copy of Clerk, with the columns and the rules of 00002: keyed by Clerk's ids, no foreign keys. Whether an
-- invitation's or a domain's organization lives is that organization's own row to say.

CREATE TABLE clerk.invitations (
    id              text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL DEFAULT '',
    -- NULL once the person behind it was deleted.
    email_address   text,
    role            text COLLATE "C" NOT NULL DEFAULT '',
    -- pending, accepted, revoked. That it expired Clerk does not say: see expires_at.
    status          text COLLATE "C" NOT NULL DEFAULT '',
    inviter_id      text COLLATE "C" NOT NULL DEFAULT '',
    -- Who accepted it.
    user_id         text COLLATE "C" NOT NULL DEFAULT '',
    expires_at      bigint NOT NULL DEFAULT 0,
    created_at      bigint NOT NULL DEFAULT 0,
    tomb_at         bigint NOT NULL DEFAULT 0,
    updated_at      bigint NOT NULL DEFAULT 0,
    auth_at         bigint NOT NULL DEFAULT 0,
    env_ts          bigint NOT NULL DEFAULT 0,
    rank            smallint NOT NULL DEFAULT 0,
    digest          text COLLATE "C" NOT NULL DEFAULT '',
    needs_read      boolean NOT NULL DEFAULT false,
    dead            boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);
CREATE INDEX invitations_by_organization ON clerk.invitations (organization_id);
CREATE INDEX invitations_by_user ON clerk.invitations (user_id) WHERE user_id <> '';

CREATE TABLE clerk.domains (
    id              text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL DEFAULT '',
    name            text NOT NULL DEFAULT '',
    enrollment_mode text COLLATE "C" NOT NULL DEFAULT '',
    verified        boolean NOT NULL DEFAULT false,
    created_at      bigint NOT NULL DEFAULT 0,
    tomb_at         bigint NOT NULL DEFAULT 0,
    updated_at      bigint NOT NULL DEFAULT 0,
    auth_at         bigint NOT NULL DEFAULT 0,
    env_ts          bigint NOT NULL DEFAULT 0,
    rank            smallint NOT NULL DEFAULT 0,
    digest          text COLLATE "C" NOT NULL DEFAULT '',
    needs_read      boolean NOT NULL DEFAULT false,
    dead            boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);
CREATE INDEX domains_by_organization ON clerk.domains (organization_id);

CREATE TABLE clerk.permissions (
    id              text COLLATE "C" PRIMARY KEY,
    key             text COLLATE "C" NOT NULL DEFAULT '',
    name            text NOT NULL DEFAULT '',
    description     text,
    type            text COLLATE "C" NOT NULL DEFAULT '',
    created_at      bigint NOT NULL DEFAULT 0,
    tomb_at         bigint NOT NULL DEFAULT 0,
    updated_at      bigint NOT NULL DEFAULT 0,
    auth_at         bigint NOT NULL DEFAULT 0,
    env_ts          bigint NOT NULL DEFAULT 0,
    rank            smallint NOT NULL DEFAULT 0,
    digest          text COLLATE "C" NOT NULL DEFAULT '',
    needs_read      boolean NOT NULL DEFAULT false,
    dead            boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);
CREATE INDEX permissions_by_key ON clerk.permissions (key);

-- Sessions that ended while a token of theirs may still live. No id comes back to life, and no token lives for long, so
-- rows are only ever inserted, and deleted when they are old.
CREATE TABLE clerk.revoked_sessions (
    id              text COLLATE "C" PRIMARY KEY,
    user_id         text COLLATE "C" NOT NULL DEFAULT '',
    revoked_at      bigint NOT NULL
);
CREATE INDEX revoked_sessions_by_age ON clerk.revoked_sessions (revoked_at);

CREATE INDEX inbox_dead ON clerk.inbox (received_at) WHERE state = 'dead';

CALL tenantry.grant_mirror('clerk.invitations', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.domains', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.permissions', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.revoked_sessions');
