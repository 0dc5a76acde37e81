package store

import "strings"

// viewerFunction is the one way of requests past row level security. It is bounded by a setting of its own, and is named
// where it is not as the migrations made it: the mirror's, of a fixed search_path, for requests alone.
const viewerFunction = "tenantry.viewer_memberships()"

// callable are the functions with their owner's rights that requests may call, and which of them belong to an extension.
const callable = `, callable AS (
		SELECT p.oid::regprocedure::text AS name, (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
			WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension,
			format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC, %s;', p.oid::regprocedure, request.name) AS mend
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace CROSS JOIN request
		WHERE p.prosecdef AND has_schema_privilege(request.oid, n.oid, 'USAGE') AND has_function_privilege(request.oid, p.oid, 'EXECUTE')
		AND p.oid IS DISTINCT FROM to_regprocedure('` + viewerFunction + `'))
	`

var functionRules = []rule{
	{
		name: "back-door", severity: Danger,
		holds: "requests may call no function that runs with its owner's rights, but " + viewerFunction,
		query: callable + `SELECT 'function ' || name, 'runs with its owner''s rights, and requests may call it', mend FROM callable WHERE extension IS NULL ORDER BY 1`,
	},
	{
		// No danger: what it does was written for this table.
		name: "trigger", severity: Warning,
		holds: "what requests write fires no trigger that runs with its owner's rights",
		query: `SELECT format('%I.%I', n.nspname, c.relname), format('has the trigger %I, whose function %s runs with its owner''s rights', t.tgname, p.oid::regprocedure),
			format('ALTER ROUTINE %s SECURITY INVOKER;', p.oid::regprocedure)
		FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid JOIN ours n ON n.oid = c.relnamespace CROSS JOIN request
		WHERE NOT t.tgisinternal AND p.prosecdef AND t.tgparentid = 0
		AND (has_any_column_privilege(request.oid, c.oid, 'INSERT, UPDATE') OR has_table_privilege(request.oid, c.oid, 'DELETE')) ORDER BY 1, 2`,
	},
	{
		name: "viewer-door", severity: Danger,
		holds: viewerFunction + " is as the migrations made it",
		query: `SELECT 'function ` + viewerFunction + `', 'is not as the migrations made it: owned by the mirror''s role, with search_path = pg_catalog, pg_temp, to be called by requests alone',
			` + quote(viewerFunctionSQL()) + `
		WHERE NOT EXISTS (SELECT FROM pg_proc p, request WHERE p.oid = to_regprocedure('` + viewerFunction + `')
			AND p.prosecdef AND p.proowner = (SELECT oid FROM pg_roles WHERE rolname = @mirror) AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp']
			AND has_function_privilege(request.oid, p.oid, 'EXECUTE')
			AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee NOT IN (p.proowner, request.oid)))
		AND EXISTS (SELECT FROM request)`,
	},
	{
		// No danger: an extension is trusted with more than this by whoever installs it.
		name: "extension-function", severity: Warning,
		holds: "no extension gives requests a function that runs with its owner's rights",
		query: callable + `SELECT 'function ' || name, format('of the extension %I runs with its owner''s rights, and requests may call it', extension), mend
		FROM callable WHERE extension IS NOT NULL ORDER BY 1`,
	},
}

// viewerFunctionSQL makes the function again, by what the migration says.
func viewerFunctionSQL() string {
	const begins = "CREATE FUNCTION " + viewerFunction
	text, _ := migrations.ReadFile("migrations/00009_lists.sql")
	_, made, _ := strings.Cut(string(text), begins)
	var lines []string
	for line := range strings.Lines("DROP FUNCTION IF EXISTS " + viewerFunction + ";\n" + begins + made) {
		if !strings.HasPrefix(line, "-- +goose") {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}
