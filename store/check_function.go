package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// viewerFunction is the one way of requests past row level security. It is bounded by a setting of its own.
const viewerFunction = "tenantry.viewer_memberships()"

// backDoors names each function with its owner's rights that requests may call, but for those of extensions and for
// viewerFunction. That one is named where it is not as the migrations made it: the mirror's, of a fixed search_path, for
// requests alone.
func (s *Store) backDoors(ctx context.Context) ([]error, error) {
	var names []string
	var sound bool
	err := s.requests.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
		err := db.Raw(`SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE p.prosecdef AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
			AND p.oid IS DISTINCT FROM to_regprocedure(?)
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
			ORDER BY 1`, viewerFunction).Scan(&names).Error
		if err != nil {
			return err
		}
		return db.Raw(`SELECT coalesce((SELECT p.prosecdef AND p.proowner = ?::regrole AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp']
				AND has_function_privilege(p.oid, 'EXECUTE')
				AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
					WHERE a.grantee NOT IN (p.proowner, (SELECT oid FROM pg_roles WHERE rolname = current_user)))
			FROM pg_proc p WHERE p.oid = to_regprocedure(?)), false)`, quoteIdentifier(s.instance.MirrorRole), viewerFunction).Scan(&sound).Error
	})
	var dangers []error
	for _, name := range names {
		dangers = append(dangers, fmt.Errorf("function %s runs with its owner's rights, and requests may call it\n"+
			"  REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, and from the request role", name, name))
	}
	if err == nil && !sound {
		dangers = append(dangers, fmt.Errorf("function %s is not as the migrations made it: owned by role %s, with search_path = pg_catalog, pg_temp,\n"+
			"  and to be called by the request role alone; see store/migrations/00009_lists.sql", viewerFunction, quoteIdentifier(s.instance.MirrorRole)))
	}
	return dangers, err
}

func quoteIdentifier(name string) string { return pgx.Identifier{name}.Sanitize() }
