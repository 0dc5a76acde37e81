package store

// foreignKeys are those between owned tables, each with what takes it away and what makes it again with the organization
// in it, on both sides. keys are the indexes of owned tables, likewise. Those that a partition has from its table are left
// out: they are mended there.
const (
	foreignKeys = `, foreign_keys AS (
		SELECT k.oid, k.conname, k.conindid, a.name, b.name AS other, b.oid AS other_oid, other_keys,
			EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS u(near, far) WHERE u.near = a.attnum AND u.far = b.attnum) AS sound,
			format('ALTER TABLE %s DROP CONSTRAINT %I;', a.name, k.conname) AS dropped,
			format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (organization_id, %s) REFERENCES %s (organization_id, %s)%s;', a.name, k.conname, near, b.name, far,
				regexp_replace(regexp_replace(pg_get_constraintdef(k.oid), '^.* REFERENCES [^(]*\([^)]*\)', ''), 'ON DELETE SET (NULL|DEFAULT)(?! \()', 'ON DELETE SET \1 (' || near || ')')) AS made,
			far
		FROM pg_constraint k JOIN owned a ON a.oid = k.conrelid JOIN owned b ON b.oid = k.confrelid
		CROSS JOIN LATERAL (SELECT string_agg(quote_ident(x.attname), ', ' ORDER BY place) AS near, string_agg(quote_ident(y.attname), ', ' ORDER BY place) AS far,
				array_agg(u.far ORDER BY u.far) AS other_keys
			FROM unnest(array_remove(k.conkey, a.attnum), array_remove(k.confkey, b.attnum)) WITH ORDINALITY AS u(near, far, place)
			JOIN pg_attribute x ON x.attrelid = a.oid AND x.attnum = u.near JOIN pg_attribute y ON y.attrelid = b.oid AND y.attnum = u.far) AS columns
		WHERE k.contype = 'f' AND k.conparentid = 0)
	`
	keys = foreignKeys + `, keys AS (
		SELECT o.name, format('%I.%I', n.nspname, c.relname) AS index, con.conname, i.indisunique OR i.indisexclusion AS decides,
			o.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) AS has, i.indkey[0] = o.attnum AS leads,
			concat(CASE WHEN m.amname IN ('gin', 'gist') THEN format(E'CREATE EXTENSION IF NOT EXISTS btree_%s;\n', m.amname) END,
				(SELECT string_agg(f.dropped || E'\n', '' ORDER BY f.oid) FROM foreign_keys f WHERE f.conindid = i.indexrelid),
				CASE WHEN con.oid IS NULL THEN format(E'DROP INDEX %I.%I;\n', n.nspname, c.relname)
					|| regexp_replace(replace(replace(regexp_replace(pg_get_indexdef(i.indexrelid), ', organization_id(?=[,)])', '', 'g'),
						' USING hash ', ' USING btree '), ' USING spgist ', ' USING btree '), ' USING (\w+) \(', ' USING \1 (organization_id, ') || ';'
				ELSE format(E'ALTER TABLE %s DROP CONSTRAINT %I;\n', o.name, con.conname) || format('ALTER TABLE %s ADD CONSTRAINT %I %s;', o.name, con.conname,
					regexp_replace(regexp_replace(pg_get_constraintdef(con.oid), ', organization_id( WITH =)?(?=[,)])', '', 'g'),
						'\(', CASE con.contype WHEN 'x' THEN '(organization_id WITH =, ' ELSE '(organization_id, ' END)) END,
				(SELECT string_agg(E'\n' || f.made, '' ORDER BY f.oid) FROM foreign_keys f WHERE f.conindid = i.indexrelid)) AS mend
		FROM owned o JOIN pg_index i ON i.indrelid = o.oid JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
		JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam
		LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x'))
	`
)

var keyRules = []rule{
	{
		name: "unique", severity: Danger,
		holds: "every primary key, unique and exclusion constraint and unique index of such a table has organization_id in it, for else one organization learns what another has",
		query: keys + `SELECT name, format('has %s over the rows of all organizations: a refused row tells that another organization has its values', coalesce('the constraint ' || quote_ident(conname), 'the index ' || index)), mend
		FROM keys WHERE decides AND NOT has ORDER BY 1, 2`,
	},
	{
		name: "foreign-key", severity: Danger,
		holds: "every foreign key between such tables has organization_id on both sides, at the same place",
		query: foreignKeys + `SELECT name, format('has the foreign key %I, which leads to rows of other organizations in %s', conname, other),
			concat(dropped, E'\n', CASE WHEN far <> '' AND NOT EXISTS (SELECT FROM pg_index i JOIN owned b ON b.oid = i.indrelid
				WHERE b.oid = other_oid AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = array_length(other_keys, 1) + 1
				AND (i.indkey::int2[])[0:i.indnkeyatts - 1] @> (b.attnum || other_keys))
				THEN format(E'ALTER TABLE %s ADD UNIQUE (organization_id, %s);\n', other, far) END, made)
		FROM foreign_keys WHERE NOT sound ORDER BY 1, 2`,
	},
	{
		name: "index", severity: Warning,
		holds: "every index of such a table leads with organization_id, for else a query reads past the rows of all others",
		query: keys + `SELECT name, format('has %s, which does not lead with organization_id', coalesce('the constraint ' || quote_ident(conname), 'the index ' || index)), mend
		FROM keys WHERE NOT leads AND (has OR NOT decides) ORDER BY 1, 2`,
	},
}
