-- +goose Up

-- The comparisons of the copy with Clerk, newest last. One that is not finished is gone on with: stage is the list that
-- it is at, and position how many of that list's entries are done. report has the counts by kind.
CREATE TABLE clerk.sweeps (
    generation  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    stage       text NOT NULL,
    position    bigint NOT NULL DEFAULT 0,
    report      jsonb NOT NULL DEFAULT '{}'
);

-- What the lists of a comparison have shown; what is here and not in it is looked for. Generation 0 is a comparison that
-- changes nothing.
CREATE TABLE clerk.seen (
    generation bigint NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    PRIMARY KEY (generation, kind, id)
);

CREATE INDEX organizations_to_read ON clerk.organizations (updated_at) WHERE needs_read;
CREATE INDEX users_to_read ON clerk.users (updated_at) WHERE needs_read;
CREATE INDEX memberships_to_read ON clerk.memberships (updated_at) WHERE needs_read;
CREATE INDEX roles_to_read ON clerk.roles (updated_at) WHERE needs_read;

CALL tenantry.grant_mirror('clerk.sweeps');
CALL tenantry.grant_mirror('clerk.seen', 'SELECT, INSERT, DELETE, TRUNCATE');
