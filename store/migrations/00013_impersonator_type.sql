-- +goose Up

-- Who acted in the actor's name. NULL where nobody did, and in entries from before this column.
ALTER TABLE audit_entries ADD COLUMN impersonator_type text COLLATE "C"
    CHECK (impersonator_type IN ('person', 'agent', 'other'));
