package store

// comparison is the policy that fences a table, as own_table makes it, and as PostgreSQL writes it down for a column of
// text and for one of varchar.
const (
	comparison = `organization_id = NULLIF(current_setting('tenantry.organization', true), '')`
	written    = `('(organization_id = NULLIF(current_setting(''tenantry.organization''::text, true), ''''::text))',
		'((organization_id)::text = NULLIF(current_setting(''tenantry.organization''::text, true), ''''::text))')`
	fence = `CREATE POLICY organization_only ON %1$s AS RESTRICTIVE
    USING (organization_id = NULLIF(current_setting(''tenantry.organization'', true), ''''))
    WITH CHECK (organization_id = NULLIF(current_setting(''tenantry.organization'', true), ''''));`
	// policies says of each policy of an owned table whether it is the fence.
	policies = `, policies AS (
		SELECT p.*, o.name, NOT p.polpermissive AND p.polcmd = '*' AND p.polroles = '{0}'
			AND pg_get_expr(p.polqual, p.polrelid) IN ` + written + ` AND pg_get_expr(p.polwithcheck, p.polrelid) IN ` + written + ` AS fences
		FROM pg_policy p JOIN owned o ON o.oid = p.polrelid)
	`
)

var tableRules = []rule{
	{
		name: "column-type", severity: Danger,
		holds: "organization_id is text that is compared letter by letter, as ids differ in case alone",
		query: `SELECT o.name, 'has an organization_id of the type ' || format_type(o.atttypid, NULL)
				|| CASE WHEN NOT l.collisdeterministic THEN ' and a collation that takes different ids for the same' ELSE ', which is not compared as text' END,
			CASE WHEN p.oid IS NOT NULL THEN format(E'DROP POLICY organization_only ON %s;\n', o.name) ELSE '' END
				|| format('ALTER TABLE %s ALTER COLUMN organization_id TYPE text COLLATE "C";', o.name)
				|| CASE WHEN p.oid IS NOT NULL THEN E'\n' || format('` + fence + `', o.name) ELSE '' END
		FROM owned o LEFT JOIN pg_collation l ON l.oid = o.attcollation
			LEFT JOIN pg_policy p ON p.polrelid = o.oid AND p.polname = 'organization_only'
		WHERE o.atttypid NOT IN ('text'::regtype, 'varchar'::regtype) OR NOT l.collisdeterministic ORDER BY 1`,
	},
	{
		name: "column-null", severity: Warning,
		holds: "organization_id is NOT NULL, as a row without it is nobody's",
		query: `SELECT name, 'takes rows without an organization, which nobody sees again', format('ALTER TABLE %s ALTER COLUMN organization_id SET NOT NULL;', name)
		FROM owned WHERE NOT attnotnull ORDER BY 1`,
	},
	{
		name: "fence", severity: Danger,
		holds: "each table with an organization_id has row level security, forced, and the restrictive policy for all commands and roles",
		query: policies + `, fenced AS (
			SELECT o.*, EXISTS (SELECT FROM policies p WHERE p.polrelid = o.oid) AS has_policies,
				EXISTS (SELECT FROM policies p WHERE p.polrelid = o.oid AND p.fences) AS has_fence,
				(SELECT string_agg(r.right, ', ' ORDER BY r.place) FROM request, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r("right", place)
					WHERE has_table_privilege(request.oid, o.oid, r.right)) AS rights
			FROM owned o)
		SELECT name, 'is not fenced by organization: it has neither row level security nor a policy',
			CASE WHEN relispartition THEN format(E'ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;\nALTER TABLE %1$s FORCE ROW LEVEL SECURITY;\n` + fence + `\nCREATE POLICY organization_rows ON %1$s USING (true) WITH CHECK (true);', name)
				ELSE format('CALL tenantry.own_table(%L%s);', name, ', ' || quote_literal(rights)) END
		FROM fenced WHERE NOT relrowsecurity AND NOT has_policies
		UNION ALL SELECT name, 'has policies that do not hold: row level security is not enabled', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', name)
		FROM fenced WHERE NOT relrowsecurity AND has_policies
		UNION ALL SELECT name, 'has policies that do not hold for its owner: row level security is not forced', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', name)
		FROM fenced WHERE NOT relforcerowsecurity AND (relrowsecurity OR has_policies)
		UNION ALL SELECT name, 'is not fenced by organization: it has no restrictive policy, for all commands and roles, that is exactly this comparison',
			format(E'DROP POLICY IF EXISTS organization_only ON %1$s;\n` + fence + `', name)
		FROM fenced WHERE NOT has_fence AND (relrowsecurity OR has_policies)
		ORDER BY 1, 2`,
	},
	{
		name: "reach", severity: Warning,
		holds: "each such table has a permissive policy, without which nobody reaches a row",
		query: `SELECT name, 'has no permissive policy, so nobody reaches a row', format('CREATE POLICY organization_rows ON %s USING (true) WITH CHECK (true);', name)
		FROM owned o WHERE relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = o.oid AND p.polpermissive) ORDER BY 1`,
	},
	{
		// A policy's expression names PostgreSQL's own functions in its tree alone, not in pg_depend.
		name: "slow-policy", severity: Warning,
		holds: "policies compare columns and settings, and call nothing for each row",
		query: policies + `, trees AS (SELECT p.*, concat(p.polqual::text, p.polwithcheck::text) AS tree FROM policies p WHERE NOT p.fences),
		called AS (
			SELECT t.oid, f.oid::regprocedure::text || CASE f.provolatile WHEN 'v' THEN ', which is volatile' ELSE '' END AS what
			FROM trees t, regexp_matches(t.tree, ':funcid (\d+)', 'g') AS m JOIN pg_proc f ON f.oid = m[1]::oid
			WHERE f.oid NOT IN ('current_setting(text)'::regprocedure, 'current_setting(text,boolean)'::regprocedure)
			UNION SELECT t.oid, f.oid::regprocedure::text || ', which is volatile'
			FROM trees t, regexp_matches(t.tree, ':opfuncid (\d+)', 'g') AS m JOIN pg_proc f ON f.oid = m[1]::oid WHERE f.provolatile = 'v'
			UNION SELECT t.oid, 'a sub-select' FROM trees t WHERE t.tree LIKE '%{SUBLINK %')
		SELECT t.name, format('has the policy %I, which calls for each row: ', t.polname) || string_agg(c.what, '; ' ORDER BY c.what),
			format(E'-- Until it is made again without these calls, requests of the organization itself are not held back by it.\nDROP POLICY %I ON %s;', t.polname, t.name)
		FROM trees t JOIN called c ON c.oid = t.oid GROUP BY t.name, t.polname ORDER BY 1, 2`,
	},
}
