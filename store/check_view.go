package store

var viewRules = []rule{
	{
		name: "view", severity: Danger,
		holds: "every view that requests may read runs with their rights, not with its owner's",
		query: `SELECT format('%I.%I', n.nspname, c.relname), 'is a view that shows requests what its owner sees',
			CASE WHEN current_setting('server_version_num')::int >= 150000 THEN format('ALTER VIEW %I.%I SET (security_invoker = true);', n.nspname, c.relname)
				ELSE format('REVOKE ALL ON %I.%I FROM PUBLIC, %s;', n.nspname, c.relname, request.name) END
		FROM pg_class c JOIN ours n ON n.oid = c.relnamespace CROSS JOIN request
		WHERE c.relkind = 'v' AND has_schema_privilege(request.oid, n.oid, 'USAGE')
		AND (has_any_column_privilege(request.oid, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(request.oid, c.oid, 'DELETE'))
		AND NOT coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'), false)
		-- Those of extensions show the state of the system.
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY 1`,
	},
	{
		name: "unfenceable", severity: Danger,
		holds: "requests reach no materialized view, and no foreign table with an organization_id: no policy holds there",
		query: `SELECT format('%I.%I', n.nspname, c.relname), CASE c.relkind WHEN 'm' THEN 'is a materialized view, which no policy can fence, and requests may read it'
				ELSE 'is a foreign table with an organization_id, which no policy can fence, and requests reach it' END,
			format('REVOKE ALL ON %I.%I FROM PUBLIC, %s;', n.nspname, c.relname, request.name)
		FROM pg_class c JOIN ours n ON n.oid = c.relnamespace CROSS JOIN request
		WHERE (c.relkind = 'm' OR c.relkind = 'f' AND c.oid IN (SELECT oid FROM with_organization))
		AND (has_any_column_privilege(request.oid, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(request.oid, c.oid, 'DELETE'))
		ORDER BY 1`,
	},
}
