package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Severity says what a violation means for serving.
type Severity string

const (
	// Danger keeps the store shut: one organization may reach another's rows.
	Danger Severity = "danger"
	// Warning is told and served with.
	Warning Severity = "warning"
)

// Violation is something in the database that is not as isolation needs it.
type Violation struct {
	// Where is the table, role, function or setting, as SQL names it.
	Where string `json:"where"`
	// What is wrong with it.
	What string `json:"what"`
	// Mend is SQL that mends it, to be run as the owner of the database; where no SQL can, a comment that says what to do.
	Mend string `json:"mend"`
}

// Checked is one check and what it found.
type Checked struct {
	Name string `json:"name"`
	// Holds is what is true where nothing was found.
	Holds string `json:"holds"`
	// Severity is that of each violation.
	Severity   Severity    `json:"severity"`
	Violations []Violation `json:"violations"`
	// NotLookedAt says why this could not be looked at; empty where it was.
	NotLookedAt string `json:"notLookedAt,omitempty"`
}

// Result is ok, warning or danger. What could not be looked at is taken for broken.
func (c Checked) Result() string {
	if len(c.Violations) == 0 && c.NotLookedAt == "" {
		return "ok"
	}
	return string(c.Severity)
}

// Examination is what the checks of a database found, in the order in which their violations are best mended.
type Examination []Checked

// Dangerous says whether a database must not be served from.
func (e Examination) Dangerous() bool {
	return slices.ContainsFunc(e, func(c Checked) bool { return c.Result() == string(Danger) })
}

// Err returns nil, or an error that names each danger and what mends it.
func (e Examination) Err() error {
	var dangers []string
	for _, c := range e {
		if c.Result() != string(Danger) {
			continue
		}
		if c.NotLookedAt != "" {
			dangers = append(dangers, c.Name+": "+c.NotLookedAt)
		}
		for _, v := range c.Violations {
			dangers = append(dangers, fmt.Sprintf("%s %s\n  %s", v.Where, v.What, strings.ReplaceAll(v.Mend, "\n", "\n  ")))
		}
	}
	if dangers == nil {
		return nil
	}
	return errors.New("the database is not safe to serve from (`tenantry doctor` shows all checks):\n" + strings.Join(dangers, "\n"))
}

// Warnings are the checks that found something which is no danger.
func (e Examination) Warnings() []Checked {
	return slices.DeleteFunc(slices.Clone(e), func(c Checked) bool { return c.Result() != string(Warning) })
}

// rule is a check of the catalog: a query for where, what and mend of each violation. It may name the roles as @request and
// @mirror, and begins behind catalog.
type rule struct {
	name, holds string
	severity    Severity
	query       string
}

// rules stand in the order in which their violations are mended: who owns and belongs to whom, tables, keys, then rights.
var rules = slices.Concat(roleRules, tableRules, keyRules, viewRules, grantRules, functionRules)

// catalog is what the rules share. request is left empty for a superuser, who would break every rule about rights.
const catalog = `WITH
	request AS (SELECT oid, quote_ident(rolname) AS name FROM pg_roles WHERE rolname = @request AND NOT rolsuper),
	-- PostgreSQL's own schemas and the copy of Clerk, to which requests have no right, are left out.
	ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT IN ('clerk', 'information_schema') AND nspname NOT LIKE 'pg\_%'),
	with_organization AS (
		SELECT c.oid, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, format('%I.%I', n.nspname, c.relname) AS name,
			a.attnum, a.attnotnull, a.atttypid, a.attcollation
		FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped),
	owned AS (SELECT * FROM with_organization WHERE relkind IN ('r', 'p'))
`

// Examine looks at a database as Open does and returns what it found, dangerous or not. It returns an error where the
// database cannot be reached or is not migrated.
func Examine(ctx context.Context, config Config) (Examination, error) {
	s, err := examined(ctx, config)
	if err != nil {
		return nil, err
	}
	s.Close()
	return s.examination, nil
}

// examined is a store that was looked at and not judged.
func examined(ctx context.Context, config Config) (*Store, error) {
	config = config.withDefaults()
	scope, err := checkScope(ctx, config)
	if err != nil {
		return nil, err
	}
	conn, instance, err := connectInstance(ctx, config.URL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	read, err := checkCatalog(ctx, conn, instance)
	if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	s := &Store{config: config, instance: instance, changed: make(chan struct{}, 1)}
	if s.pools, err = openPools(ctx, config, instance); err != nil {
		return nil, err
	}
	s.examination = append(Examination{scope, s.checkDoors(ctx, conn, scope), checkVersion(ctx, conn)}, read...)
	return s, nil
}

// checkCatalog asks each rule. In one transaction, so that behind a pooler nothing of it reaches anybody else.
func checkCatalog(ctx context.Context, conn *pgx.Conn, instance Instance) (Examination, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	// Names come out with their schemas, and nobody's function stands before PostgreSQL's.
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = 30000; SET LOCAL jit = off"); err != nil {
		return nil, translate(err)
	}
	var all Examination
	for _, r := range rules {
		rows, err := tx.Query(ctx, catalog+r.query, pgx.NamedArgs{"request": instance.RequestRole, "mirror": instance.MirrorRole})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, translate(err))
		}
		violations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Violation])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, translate(err))
		}
		all = append(all, Checked{Name: r.name, Holds: r.holds, Severity: r.severity, Violations: violations})
	}
	return all, nil
}

func quoteIdentifier(name string) string { return pgx.Identifier{name}.Sanitize() }
