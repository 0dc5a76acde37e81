-- +goose Up

-- A server whose login owns nothing starts if the schema is current, so both of its roles may read which migrations ran.
-- +goose StatementBegin
DO $$
DECLARE
    i tenantry.instance;
BEGIN
    SELECT * INTO i FROM tenantry.instance;
    EXECUTE format('GRANT SELECT ON tenantry.migrations TO %I, %I', i.request_role, i.mirror_role);
END
$$;
-- +goose StatementEnd
