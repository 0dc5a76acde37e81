-- +goose Up

-- What Clerk says of a user's access. banned, deprovisioned and locked are what the newest version of the user says.
-- barred_at is when it was last said, of the newest updated_at, that the user is banned or deprovisioned; 0 for never. Such
-- a user has no rights, unless a later read of the same updated_at says otherwise: an event cannot, as nobody knows whether
-- Clerk raises updated_at with a ban. A lock takes no rights, as a stranger's wrong passwords can cause one.
ALTER TABLE clerk.users
    ADD COLUMN banned        boolean NOT NULL DEFAULT false,
    ADD COLUMN deprovisioned boolean NOT NULL DEFAULT false,
    ADD COLUMN locked        boolean NOT NULL DEFAULT false,
    ADD COLUMN barred_at     bigint NOT NULL DEFAULT 0;
ALTER TABLE clerk.users
    ADD COLUMN barred boolean NOT NULL GENERATED ALWAYS AS (barred_at > 0 AND barred_at >= auth_at) STORED;

DROP TRIGGER note_change ON clerk.users;
DROP TRIGGER note_change_new ON clerk.users;
CREATE TRIGGER note_change AFTER UPDATE ON clerk.users FOR EACH ROW
    WHEN ((OLD.dead, OLD.barred) IS DISTINCT FROM (NEW.dead, NEW.barred)) EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change_new AFTER INSERT ON clerk.users FOR EACH ROW
    WHEN (NEW.dead OR NEW.barred) EXECUTE FUNCTION tenantry.note_change();

-- What requests read of it: false of former members.
ALTER TABLE public.members
    ADD COLUMN banned        boolean NOT NULL DEFAULT false,
    ADD COLUMN deprovisioned boolean NOT NULL DEFAULT false,
    ADD COLUMN locked        boolean NOT NULL DEFAULT false;
