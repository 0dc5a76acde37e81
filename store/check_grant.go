package store

var grantRules = []rule{
	{
		name: "table-rights", severity: Danger,
		holds: "requests have neither TRUNCATE, which no policy holds back, nor REFERENCES or TRIGGER on a table with an organization_id",
		query: `SELECT o.name, 'gives requests ' || string_agg(r.right, ', ' ORDER BY r.right), format('REVOKE TRUNCATE, REFERENCES, TRIGGER ON %s FROM PUBLIC, %s;', o.name, request.name)
		FROM owned o CROSS JOIN request CROSS JOIN unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS r("right")
		WHERE CASE r.right WHEN 'REFERENCES' THEN has_any_column_privilege(request.oid, o.oid, r.right) ELSE has_table_privilege(request.oid, o.oid, r.right) END
		GROUP BY o.name, request.name ORDER BY 1`,
	},
	{
		name: "clerk-rights", severity: Danger,
		holds: "requests have no right to the schema clerk, the copy of Clerk, which knows all organizations",
		query: `SELECT 'schema clerk', 'is open to requests', format('REVOKE ALL ON SCHEMA clerk FROM PUBLIC, %s;', request.name)
		FROM pg_namespace n CROSS JOIN request WHERE n.nspname = 'clerk' AND has_schema_privilege(request.oid, n.oid, 'USAGE, CREATE')
		UNION ALL SELECT format('clerk.%I', c.relname), 'is open to requests', format('REVOKE ALL ON clerk.%I FROM PUBLIC, %s;', c.relname, request.name)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN request
		WHERE n.nspname = 'clerk' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (has_any_column_privilege(request.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
			OR has_table_privilege(request.oid, c.oid, 'DELETE, TRUNCATE, TRIGGER'))
		UNION ALL SELECT format('clerk.%I', c.relname), 'is open to requests', format('REVOKE ALL ON SEQUENCE clerk.%I FROM PUBLIC, %s;', c.relname, request.name)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN request
		WHERE n.nspname = 'clerk' AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(request.oid, c.oid, 'USAGE, SELECT, UPDATE') END
		ORDER BY 1`,
	},
	{
		name: "setting", severity: Danger,
		holds: "no database and no role has an organization or a viewer by itself: who names none reaches nothing",
		query: `SELECT CASE WHEN s.setrole = 0 THEN 'database ' || quote_ident(d.datname) ELSE 'role ' || s.setrole::regrole END, 'sets ' || split_part(c, '=', 1) || ' for whoever does not',
			format('ALTER %s RESET %s;', CASE WHEN s.setrole = 0 THEN format('DATABASE %I', d.datname) WHEN s.setdatabase = 0 THEN format('ROLE %s', s.setrole::regrole)
				ELSE format('ROLE %s IN DATABASE %I', s.setrole::regrole, d.datname) END, split_part(c, '=', 1))
		FROM (SELECT setdatabase, setrole, unnest(setconfig) AS c FROM pg_db_role_setting) AS s LEFT JOIN pg_database d ON d.oid = s.setdatabase
		WHERE c LIKE 'tenantry.%' AND (s.setdatabase = 0 OR d.datname = current_database()) ORDER BY 1, 2`,
	},
	{
		// No danger: it needs SQL of one's own. Before PostgreSQL 15 everybody had it on public, and not every owner of a
		// database may take it away.
		name: "creation", severity: Warning,
		holds: "requests can make nothing in any schema",
		query: `SELECT format('schema %I', n.nspname), 'lets requests make tables and functions there', format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %s;', n.nspname, request.name)
		FROM ours n CROSS JOIN request WHERE has_schema_privilege(request.oid, n.oid, 'CREATE') ORDER BY 1`,
	},
	{
		// No danger: it is about what is made later, and each of that is checked.
		name: "default-rights", severity: Warning,
		holds: "what is made later is open to nobody by itself",
		query: `SELECT 'default privileges', format('of what %s makes%s give %s %s to %s', d.defaclrole::regrole, coalesce(' in ' || quote_ident(n.nspname), ''),
				string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), k.kind, g.name),
			format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s REVOKE ALL ON %s FROM %s;', d.defaclrole::regrole, coalesce(' IN SCHEMA ' || quote_ident(n.nspname), ''), k.kind, g.name)
		FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
		JOIN (VALUES ('r'::"char", 'TABLES'), ('S', 'SEQUENCES'), ('n', 'SCHEMAS')) AS k(type, kind) ON k.type = d.defaclobjtype
		CROSS JOIN aclexplode(d.defaclacl) AS a JOIN (SELECT 0::oid AS oid, 'PUBLIC' AS name UNION ALL SELECT oid, name FROM request) AS g ON g.oid = a.grantee
		GROUP BY d.defaclrole, n.nspname, k.kind, g.name ORDER BY 2`,
	},
}
