package store

const (
	// compared is what each policy of an owned table begins with, inside a literal of SQL.
	compared = `organization_id = NULLIF(current_setting(''tenantry.organization'', true), '''')`
	// written is the same as PostgreSQL writes it down, for a column of text and for one of varchar.
	written = `'(organization_id = NULLIF(current_setting(''tenantry.organization''::text, true), ''''::text))',
		'((organization_id)::text = NULLIF(current_setting(''tenantry.organization''::text, true), ''''::text))'`
	comparing = `
    USING (` + compared + `)
    WITH CHECK (` + compared + `);`
	// fence and reach are the policies that own_table makes, as literals for format.
	fence = `CREATE POLICY organization_only ON %1$s AS RESTRICTIVE` + comparing
	reach = `CREATE POLICY organization_rows ON %1$s` + comparing
	// policies reports for each policy of an owned table whether it is the fence, and whether one of
	// its expressions lacks the comparison. PostgreSQL writes each AND and each OR in parentheses of
	// its own: an expression that begins with one of them, the comparison and an AND is that AND, and
	// not an OR of it with something else. A policy without an expression opens nothing.
	policies = `, policies AS (
		SELECT p.*, o.name, e.reached, e.made,
			NOT p.polpermissive AND p.polcmd = '*' AND p.polroles = '{0}' AND e.reached IN (` + written + `) AND e.made IN (` + written + `) AS fences,
			e.reached IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(ARRAY[` + written + `]) AS w (comparison) WHERE e.reached = w.comparison OR starts_with(e.reached, '(' || w.comparison || ' AND ')) AS reaches_all,
			e.made IS NOT NULL AND NOT EXISTS (SELECT FROM unnest(ARRAY[` + written + `]) AS w (comparison) WHERE e.made = w.comparison OR starts_with(e.made, '(' || w.comparison || ' AND ')) AS makes_all
		FROM pg_policy p JOIN owned o ON o.oid = p.polrelid,
			LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid) AS reached, pg_get_expr(p.polwithcheck, p.polrelid) AS made) AS e)
	`
)

var tableRules = []rule{
	{
		name: "column-type", severity: Danger,
		holds: "organization_id is text that is compared letter by letter, as ids differ in case alone",
		// PostgreSQL refuses another type for a column that policies name, so these are dropped and made
		// again as they are. What they lack is named by the checks below.
		query: `, naming AS (
			SELECT d.refobjid AS owned, string_agg(format(E'DROP POLICY %I ON %s;\n', p.polname, p.polrelid::regclass), '' ORDER BY p.polname) AS dropped,
				string_agg(format(E'\nCREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass,
					CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
					CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
					CASE WHEN p.polroles = '{0}' THEN 'PUBLIC' ELSE (SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM pg_roles r WHERE r.oid = ANY (p.polroles)) END)
					|| coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
					|| coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') || ';', '' ORDER BY p.polname) AS made
			FROM owned o
				JOIN (SELECT DISTINCT objid, refobjid, refobjsubid FROM pg_depend WHERE classid = 'pg_policy'::regclass AND refclassid = 'pg_class'::regclass) AS d
					ON d.refobjid = o.oid AND d.refobjsubid = o.attnum
				JOIN pg_policy p ON p.oid = d.objid
			GROUP BY d.refobjid)
		SELECT o.name, 'has an organization_id of the type ' || format_type(o.atttypid, NULL)
				|| CASE WHEN NOT l.collisdeterministic THEN ' and a collation that takes different ids for the same' ELSE ', which is not compared as text' END,
			coalesce(n.dropped, '') || format('ALTER TABLE %s ALTER COLUMN organization_id TYPE text COLLATE "C";', o.name) || coalesce(n.made, '')
		FROM owned o LEFT JOIN pg_collation l ON l.oid = o.attcollation LEFT JOIN naming n ON n.owned = o.oid
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
			CASE WHEN relispartition THEN format(E'ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;\nALTER TABLE %1$s FORCE ROW LEVEL SECURITY;\n` + fence + `\n` + reach + `', name)
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
		// Where the fence is missing, the check above makes organization_only anew.
		name: "policy-comparison", severity: Danger,
		holds: "every policy of these tables begins with the comparison, so that none opens other rows where it is created again as permissive",
		query: policies + `SELECT p.name, format('has the policy %I, which does not begin with the comparison: where PostgreSQL is sharded, it is created again as permissive and opens other organizations'' rows', p.polname),
			format('ALTER POLICY %I ON %s', p.polname, p.name)
				|| CASE WHEN p.reaches_all THEN ' USING (` + compared + `' || CASE p.reached WHEN 'true' THEN '' ELSE ' AND ' || p.reached END || ')' ELSE '' END
				|| CASE WHEN p.makes_all THEN ' WITH CHECK (` + compared + `' || CASE p.made WHEN 'true' THEN '' ELSE ' AND ' || p.made END || ')' ELSE '' END || ';'
		FROM policies p WHERE (p.reaches_all OR p.makes_all)
			AND NOT (p.polname = 'organization_only' AND NOT EXISTS (SELECT FROM policies f WHERE f.polrelid = p.polrelid AND f.fences))
		ORDER BY 1, 2`,
	},
	{
		name: "reach", severity: Warning,
		holds: "each such table has a permissive policy, without which nobody reaches a row",
		query: `SELECT name, 'has no permissive policy, so nobody reaches a row', format('` + reach + `', name)
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
