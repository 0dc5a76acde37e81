package lint

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/store"
)

// TableFaults turns what the check of a database found into what to write. Whether it is a danger or a warning, a migration
// mends it; only the version of PostgreSQL and what extensions bring are not the project's.
func TableFaults(examination store.Examination) []string {
	var found faults
	for _, checked := range examination {
		if checked.Name == "version" || checked.Name == "extension-function" {
			continue
		}
		if checked.NotLookedAt != "" {
			found.report("%s: %s", checked.Name, checked.NotLookedAt)
		}
		for _, v := range checked.Violations {
			found.report("%s %s (%s). Write in its migration in store/migrations, or in a new one where that was released: %s",
				v.Where, v.What, checked.Name, strings.Join(strings.Fields(v.Mend), " "))
		}
	}
	return found
}

// notWritten are the columns of text that people do not write, each with the reason. A column whose CHECK lists its values
// need not be here.
var notWritten = map[string]string{
	"public.audit_entries.action":          "one of the code's words",
	"public.audit_entries.impersonator_id": "a Clerk id, of somebody who acts for another",
	"public.audit_entries.items":           "what mutations that do several things leave",
	"public.audit_entries.request_id":      "made by the server",
	"public.audit_entries.target_id":       "an id",
	"public.audit_entries.target_type":     "one of the code's words",
	"public.documents.impersonator_id":     "a Clerk id, of somebody who acts for another",
	"public.invitations.role":              "a key of roles.yml",
	"public.invitations.status":            "one of Clerk's words",
	"public.members.role":                  "a key of roles.yml",
}

type column struct{ table, name string }

// ownedTables are the tables of the organizations, with the columns of text that people may write; one without any is there
// once, with an empty name.
const ownedTables = `SELECT format('%I.%I', n.nspname, c.relname), coalesce(a.attname, '')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'organization_id' AND NOT o.attisdropped
	LEFT JOIN (SELECT a.* FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attname <> 'organization_id'
		AND (t.typcategory = 'S' OR t.oid IN ('json'::regtype, 'jsonb'::regtype, 'text[]'::regtype))
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
			AND pg_get_constraintdef(k.oid) LIKE '%= ANY (ARRAY[%')) AS a ON a.attrelid = c.oid
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('clerk', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
	ORDER BY 1, 2`

// rowFaults holds that the factories have written into every table of the organizations, and into every text that people
// write.
func rowFaults(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	if _, err := conn.Exec(ctx, "SELECT set_config('tenantry.organization', $1, false)", ours); err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, ownedTables)
	if err != nil {
		return nil, err
	}
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) { return c, row.Scan(&c.table, &c.name) })
	if err != nil {
		return nil, err
	}
	var found faults
	empty := map[string]bool{}
	for _, c := range columns {
		if _, looked := empty[c.table]; !looked {
			var filled bool
			if err := conn.QueryRow(ctx, fmt.Sprintf("SELECT EXISTS (SELECT FROM %s WHERE organization_id = $1)", c.table), ours).Scan(&filled); err != nil {
				return nil, err
			}
			empty[c.table] = !filled
			if !filled {
				found.report("no factory writes table %s: add one to Factories in internal/dbtest/nouns.go, for the type that shows its rows, or let another type's factory write it, too", c.table)
			}
		}
		where := c.table + "." + c.name
		if empty[c.table] || c.name == "" || notWritten[where] != "" {
			continue
		}
		var marked bool
		if err := conn.QueryRow(ctx, fmt.Sprintf("SELECT coalesce(bool_or(strpos(%s::text, $2) > 0), false) FROM %s WHERE organization_id = $1",
			pgx.Identifier{c.name}.Sanitize(), c.table), ours, mark).Scan(&marked); err != nil {
			return nil, err
		}
		if !marked {
			found.report("no factory writes its mark into %s, so that nobody sees it leak: let one in internal/dbtest/nouns.go write mark + \" %s\" there. Where people never write it, list its values in a CHECK (%s IN (...)), or add it with the reason to notWritten in internal/lint/table.go",
				where, c.name, c.name)
		}
	}
	return found, nil
}
