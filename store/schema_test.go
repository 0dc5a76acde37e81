package store_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/schema"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// schema.sql is what the migrations make, to be read. It is compared, never run.
func TestSchemaFile(t *testing.T) {
	t.Parallel()
	const file, update = "schema.sql", "TENANTRY_UPDATE_SCHEMA"
	conn, err := pgx.Connect(t.Context(), dbtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	got := dumpSchema(t, conn)
	if os.Getenv(update) != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("store/schema.sql is not what the migrations make; mend it with\n  %s=1 go test -run TestSchemaFile ./store\n%s", update, diff)
	}
}

// dumpSchema describes tables, indexes, policies, functions and grants, the same on every version of PostgreSQL. The roles
// are called request and mirror, whatever the database's name makes of them.
func dumpSchema(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var request, mirror string
	if err := conn.QueryRow(t.Context(), "SELECT request_role, mirror_role FROM tenantry.instance").Scan(&request, &mirror); err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	dump.WriteString("-- What the migrations make. Written by a test, see schema_test.go; read it, do not run it.\n")
	tables := rows(t, conn, `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname IN ('public', 'clerk', 'tenantry') AND c.relname <> 'migrations' ORDER BY 1`)
	for _, table := range tables {
		columns := rows(t, conn, `SELECT format('    %s %s%s%s%s', quote_ident(attname), format_type(atttypid, atttypmod),
			CASE WHEN attcollation <> t.typcollation THEN ' COLLATE ' || (SELECT quote_ident(collname) FROM pg_collation WHERE oid = attcollation) ELSE '' END,
			CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
			CASE WHEN attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(adbin, adrelid) || ') STORED'
			     WHEN adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(adbin, adrelid) ELSE '' END)
			FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
			WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)
		columns = append(columns, rows(t, conn, `SELECT format('    CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
			WHERE conrelid = $1::regclass AND contype <> 'n' ORDER BY contype <> 'p', conname`, table)...)
		fmt.Fprintf(&dump, "\nCREATE TABLE %s (\n%s\n);\n", table, strings.Join(columns, ",\n"))
		for _, line := range rows(t, conn, `
			SELECT pg_get_indexdef(indexrelid) || ';' FROM pg_index WHERE indrelid = $1::regclass AND NOT indisprimary
			UNION ALL SELECT 'ALTER TABLE ' || $1 || ' ENABLE ROW LEVEL SECURITY;' FROM pg_class WHERE oid = $1::regclass AND relrowsecurity
			UNION ALL SELECT 'ALTER TABLE ' || $1 || ' FORCE ROW LEVEL SECURITY;' FROM pg_class WHERE oid = $1::regclass AND relforcerowsecurity
			UNION ALL SELECT format('CREATE POLICY %I ON %s AS %s%s USING (%s)%s;', polname, $1,
				CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
				CASE WHEN polcmd = 'd' THEN ' FOR DELETE' ELSE '' END || coalesce((SELECT ' TO ' || string_agg(rolname, ', ') FROM pg_roles WHERE oid = ANY (polroles)), ''),
				pg_get_expr(polqual, polrelid), ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
				FROM pg_policy WHERE polrelid = $1::regclass
			UNION ALL SELECT format('GRANT %s ON %s TO %I;', string_agg(privilege_type, ', ' ORDER BY privilege_type), $1, grantee::regrole::text)
				FROM pg_class, aclexplode(relacl) WHERE oid = $1::regclass AND grantee <> relowner GROUP BY grantee
			ORDER BY 1`, table) {
			dump.WriteString(line + "\n")
		}
	}
	for _, function := range rows(t, conn, `SELECT pg_get_functiondef(p.oid) || ';' FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
		WHERE n.nspname IN ('public', 'clerk', 'tenantry') ORDER BY p.proname`) {
		dump.WriteString("\n" + function + "\n")
	}
	return strings.NewReplacer(request, "request", mirror, "mirror").Replace(dump.String())
}

func rows(t *testing.T, conn *pgx.Conn, query string, arguments ...any) []string {
	t.Helper()
	found, err := conn.Query(t.Context(), query, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// A model has the columns of its table, and a pointer where one can be null.
func TestModelsMatchTheirTables(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, model := range []any{models.Organization{}, models.Member{}, models.Invitation{}, models.Document{}, models.AuditEntry{}} {
		parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, field := range parsed.Fields {
			fields = append(fields, fmt.Sprintf("%s nullable=%v", field.DBName, field.FieldType.Kind() == reflect.Pointer))
		}
		slices.Sort(fields)
		columns := rows(t, conn, `SELECT format('%s nullable=%s', attname, CASE WHEN attnotnull THEN 'false' ELSE 'true' END)
			FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C"`, "public."+parsed.Table)
		if diff := cmp.Diff(columns, fields); diff != "" {
			t.Errorf("%s is not its table %s: change models/ or write a migration (- table, + model)\n%s", parsed.Name, parsed.Table, diff)
		}
	}
}
