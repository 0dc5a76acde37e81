package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// checkDoors finds doors whose statements do not run as their role. Every other check is about the role that is recorded,
// so this one says that they are about what requests really run as.
func (s *Store) checkDoors(ctx context.Context, conn *pgx.Conn, scope Checked) Checked {
	c := Checked{Name: "effective-role", Holds: "statements of requests and of the mirror run as the roles recorded in tenantry.instance", Severity: Danger}
	if len(scope.Violations) > 0 {
		// SET ROLE would reach other clients of the pooler.
		c.NotLookedAt = "not looked at while the scope does not fit the way to the database"
		return c
	}
	login := quoteIdentifier(conn.Config().User)
	for _, d := range []*door{s.requests, s.mirror} {
		var name string
		err := d.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
			return db.Raw("SELECT current_user").Scan(&name).Error
		})
		quoted := quoteIdentifier(d.role)
		switch {
		case missingRole(err):
			c.Violations = append(c.Violations, Violation{
				Where: "role " + quoted, What: "does not exist in this cluster, and with it its rights are gone",
				Mend: fmt.Sprintf("CREATE ROLE %s NOLOGIN NOSUPERUSER NOBYPASSRLS;\nGRANT %s TO %s;\n-- Then restore the dump once more, for the rights of the role.",
					quoted, quoted, login),
			})
		case err != nil:
			c.Violations = append(c.Violations, Violation{
				Where: "role " + quoted, What: fmt.Sprintf("cannot be acted as: %s", err), Mend: fmt.Sprintf("GRANT %s TO %s;", quoted, login),
			})
		case name != d.role:
			c.Violations = append(c.Violations, Violation{
				Where: "role " + quoted, What: fmt.Sprintf("is not what statements run as: that is %q", name),
				Mend: "-- Is there a transaction-mode pooler? Then set TENANTRY_SCOPE=transaction, and DATABASE_MIGRATE_URL to a direct connection.",
			})
		}
	}
	return c
}

// missingRole says whether SET ROLE failed for there is no such role.
func missingRole(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "22023"
}

var roleRules = []rule{
	{
		name: "role-powers", severity: Danger,
		holds: "neither role is superuser, has BYPASSRLS or makes roles",
		query: `SELECT 'role ' || quote_ident(rolname),
			CASE WHEN rolsuper OR rolbypassrls THEN 'is not held by row level security: it' ELSE 'can give itself the rights of others: it' END
				|| concat(CASE WHEN rolsuper THEN ' is superuser,' END, CASE WHEN rolbypassrls THEN ' has BYPASSRLS,' END,
				CASE WHEN rolcreaterole THEN ' has CREATEROLE,' END) || ' as no role of a server may be',
			format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE;', rolname)
		FROM pg_roles WHERE rolname IN (@request, @mirror) AND (rolsuper OR rolbypassrls OR rolcreaterole) ORDER BY 1`,
	},
	{
		name: "ownership", severity: Danger,
		holds: "neither role owns a table or a schema, for an owner can switch row level security off",
		query: `, owner AS (SELECT relowner::regrole AS name FROM pg_class WHERE oid = 'tenantry.instance'::regclass),
		holders AS (SELECT oid, quote_ident(rolname) AS name FROM pg_roles WHERE rolname IN (@request, @mirror))
		SELECT 'role ' || h.name, format('owns %I.%I, and an owner can switch row level security off', n.nspname, c.relname),
			format('ALTER TABLE %I.%I OWNER TO %s;', n.nspname, c.relname, o.name)
		FROM holders h JOIN pg_class c ON c.relowner = h.oid JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN owner o
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_temp%'
		UNION ALL
		SELECT 'role ' || h.name, format('owns the schema %I, and may give and take every right there', n.nspname),
			format('ALTER SCHEMA %I OWNER TO %s;', n.nspname, o.name)
		FROM holders h JOIN pg_namespace n ON n.nspowner = h.oid CROSS JOIN owner o WHERE n.nspname NOT LIKE 'pg\_temp%'
		ORDER BY 1, 2`,
	},
	{
		name: "membership", severity: Danger,
		holds: "neither role is a member of another, whose rights it would have as well",
		query: `SELECT 'role ' || quote_ident(member.rolname), 'is a member of ' || quote_ident(held.rolname) || ' and has its rights as well',
			format('REVOKE %I FROM %I;', held.rolname, member.rolname)
		FROM pg_auth_members m JOIN pg_roles member ON member.oid = m.member JOIN pg_roles held ON held.oid = m.roleid
		WHERE member.rolname IN (@request, @mirror) ORDER BY 1, 2`,
	},
}
