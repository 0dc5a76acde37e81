-- +goose Up

-- The copy of Clerk. Rows are keyed by Clerk's ids and by nothing else: no foreign keys, which would turn the order of
-- arrival into data loss, and no other unique columns, because slugs and addresses change hands. Whatever is compared
-- for order is COLLATE "C". Times are Clerk's, in milliseconds. In every table
--   created_at, tomb_at                          decide whether the object lives (dead),
--   updated_at, auth_at, env_ts, rank, digest    are the version of what is known of it, compared in this order,
--   needs_read                                   marks two versions that cannot be put in order.
-- Requests have no right to this schema.

CREATE TABLE clerk.organizations (
    id         text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL DEFAULT '',
    slug       text,
    image_url  text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at    bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at    bigint NOT NULL DEFAULT 0,
    env_ts     bigint NOT NULL DEFAULT 0,
    rank       smallint NOT NULL DEFAULT 0,
    digest     text COLLATE "C" NOT NULL DEFAULT '',
    needs_read boolean NOT NULL DEFAULT false,
    dead       boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);

CREATE TABLE clerk.users (
    id         text COLLATE "C" PRIMARY KEY,
    first_name text,
    last_name  text,
    username   text,
    image_url  text,
    email      text,
    created_at bigint NOT NULL DEFAULT 0,
    tomb_at    bigint NOT NULL DEFAULT 0,
    updated_at bigint NOT NULL DEFAULT 0,
    auth_at    bigint NOT NULL DEFAULT 0,
    env_ts     bigint NOT NULL DEFAULT 0,
    rank       smallint NOT NULL DEFAULT 0,
    digest     text COLLATE "C" NOT NULL DEFAULT '',
    needs_read boolean NOT NULL DEFAULT false,
    dead       boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);

-- One row per incarnation: who leaves and joins again has two. The person's fields are the membership's own snapshot.
CREATE TABLE clerk.memberships (
    id              text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL DEFAULT '',
    user_id         text COLLATE "C" NOT NULL DEFAULT '',
    role            text COLLATE "C" NOT NULL DEFAULT '',
    first_name      text,
    last_name       text,
    username        text,
    image_url       text,
    identifier      text,
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
CREATE INDEX memberships_by_pair ON clerk.memberships (organization_id, user_id);
CREATE INDEX memberships_by_user ON clerk.memberships (user_id);

CREATE TABLE clerk.roles (
    id          text COLLATE "C" PRIMARY KEY,
    key         text COLLATE "C" NOT NULL DEFAULT '',
    name        text NOT NULL DEFAULT '',
    permissions text[] NOT NULL DEFAULT '{}',
    created_at  bigint NOT NULL DEFAULT 0,
    tomb_at     bigint NOT NULL DEFAULT 0,
    updated_at  bigint NOT NULL DEFAULT 0,
    auth_at     bigint NOT NULL DEFAULT 0,
    env_ts      bigint NOT NULL DEFAULT 0,
    rank        smallint NOT NULL DEFAULT 0,
    digest      text COLLATE "C" NOT NULL DEFAULT '',
    needs_read  boolean NOT NULL DEFAULT false,
    dead        boolean NOT NULL GENERATED ALWAYS AS (tomb_at > 0 AND created_at <= tomb_at) STORED
);
CREATE INDEX roles_by_key ON clerk.roles (key);

-- Every delivery that was answered 2xx, under its message id. The body is bytes because what is signed need not be text;
-- it is NULL where nothing will read it again, and where it was about a user who is deleted.
CREATE TABLE clerk.inbox (
    id          text COLLATE "C" PRIMARY KEY,
    type        text NOT NULL,
    user_id     text COLLATE "C" NOT NULL,
    event_at    bigint NOT NULL,
    body        bytea,
    body_sha256 bytea NOT NULL,
    received_at timestamptz NOT NULL,
    state       text NOT NULL CHECK (state IN ('pending', 'done', 'ignored', 'dead')),
    attempts    integer NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    done_at     timestamptz,
    error       text NOT NULL DEFAULT '',
    conflicts   integer NOT NULL DEFAULT 0
);
CREATE INDEX inbox_pending ON clerk.inbox (next_at) WHERE state = 'pending';
CREATE INDEX inbox_finished ON clerk.inbox (received_at) WHERE state <> 'pending';
CREATE INDEX inbox_by_user ON clerk.inbox (user_id) WHERE body IS NOT NULL;

CALL tenantry.grant_mirror('clerk.organizations', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.users', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.memberships', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.roles', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('clerk.inbox');

-- What requests read of all this: owned tables, derived in the transaction that changes the copy.

CREATE TABLE public.organizations (
    organization_id text COLLATE "C" PRIMARY KEY CHECK (organization_id <> ''),
    name            text NOT NULL,
    slug            text,
    image_url       text,
    created_at      timestamptz NOT NULL,
    deleted_at      timestamptz
);

-- One row per organization and user who is or was a member. The id is derived from both.
CREATE TABLE public.members (
    organization_id text COLLATE "C" NOT NULL CHECK (organization_id <> ''),
    user_id         text COLLATE "C" NOT NULL CHECK (user_id <> ''),
    id              uuid NOT NULL,
    role            text COLLATE "C" NOT NULL,
    name            text,
    email           text,
    image_url       text,
    joined_at       timestamptz NOT NULL,
    left_at         timestamptz,
    provisional     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organization_id, user_id)
);
CREATE UNIQUE INDEX members_by_id ON public.members (organization_id, id);
-- The order of Organization.members; pages are ranges of this index, in both directions.
CREATE INDEX members_by_joining ON public.members (organization_id, joined_at, id) WHERE left_at IS NULL AND NOT provisional;

CALL tenantry.own_table('public.organizations', 'SELECT');
CALL tenantry.own_table('public.members', 'SELECT');
CALL tenantry.grant_mirror('public.organizations', 'SELECT, INSERT, UPDATE');
CALL tenantry.grant_mirror('public.members', 'SELECT, INSERT, UPDATE');
