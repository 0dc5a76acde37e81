-- +goose Up

CREATE TABLE documents (
    organization_id text COLLATE "C" NOT NULL CHECK (organization_id <> ''),
    id              uuid NOT NULL,
    title           text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    content         text NOT NULL CHECK (char_length(content) <= 32768),
    author_id       text COLLATE "C" NOT NULL,
    version         integer NOT NULL CHECK (version > 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- The order of Organization.documents; pages are ranges of this index, in both directions.
CREATE INDEX documents_by_creation ON documents (organization_id, created_at, id);

CALL tenantry.own_table('documents');
