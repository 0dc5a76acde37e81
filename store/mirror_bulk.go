package store

import (
	"encoding/json"

	"github.com/tenantry/tenantry/models"
)

const chosen = "IN (SELECT json_array_elements_text(?::json))"

// OrganizationsByID reads rows without locking them. What there is no row of is missing in the answer.
func (tx *MirrorTx) OrganizationsByID(ids []string) (map[string]MirrorOrganization, error) {
	found := make(map[string]MirrorOrganization, len(ids))
	err := tx.each("SELECT id, "+organizationColumns+" FROM clerk.organizations WHERE id "+chosen, []any{list(ids)}, into(found))
	return found, err
}

// LockOrganizations is LockOrganization of many, locked in the order of their ids.
func (tx *MirrorTx) LockOrganizations(ids []string) (map[string]MirrorOrganization, error) {
	found := make(map[string]MirrorOrganization, len(ids))
	err := tx.lockAll("organizations", organizationColumns, ids, into(found))
	return found, err
}

// into scans rows of an id and organizationColumns.
func into(found map[string]MirrorOrganization) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var o MirrorOrganization
		err := scan(append([]any{&o.ID}, o.targets()...)...)
		found[o.ID] = o
		return err
	}
}

// LockUsers is LockUser of many, locked in the order of their ids.
func (tx *MirrorTx) LockUsers(ids []string) (map[string]MirrorUser, error) {
	found := make(map[string]MirrorUser, len(ids))
	err := tx.lockAll("users", userColumns, ids, func(scan func(...any) error) error {
		var u MirrorUser
		err := scan(append([]any{&u.ID}, u.targets()...)...)
		found[u.ID] = u
		return err
	})
	return found, err
}

// LockMemberships is LockMembership of many, locked in the order of their ids. Their users are locked before.
func (tx *MirrorTx) LockMemberships(ids []string) (map[string]MirrorMembership, error) {
	found := make(map[string]MirrorMembership, len(ids))
	err := tx.lockAll("memberships", membershipColumns, ids, func(scan func(...any) error) error {
		var m MirrorMembership
		err := scan(append([]any{&m.ID}, m.targets()...)...)
		found[m.ID] = m
		return err
	})
	return found, err
}

// IncarnationsOf is Incarnations of many pairs, each an organization's and a user's id.
func (tx *MirrorTx) IncarnationsOf(pairs [][2]string) ([]MirrorMembership, error) {
	text, err := json.Marshal(pairs)
	if err != nil {
		return nil, err
	}
	return tx.memberships("(organization_id, user_id) IN (SELECT p ->> 0, p ->> 1 FROM json_array_elements(?::json) AS p)", string(text))
}

// MembershipsOf is UserMemberships of many users.
func (tx *MirrorTx) MembershipsOf(userIDs []string) ([]MirrorMembership, error) {
	return tx.memberships("user_id "+chosen+" AND organization_id <> ''", list(userIDs))
}

// givenRow and setRow are what WriteOrganizations, WriteUsers and WriteMemberships have in common: a MirrorRow in JSON.
const (
	givenRow = `"CreatedAt" bigint, "TombAt" bigint, "UpdatedAt" bigint, "AuthAt" bigint, "EnvTS" bigint, "Rank" smallint,
			"Digest" text, "NeedsRead" boolean`
	setRow = `created_at = r."CreatedAt", tomb_at = r."TombAt", updated_at = r."UpdatedAt", auth_at = r."AuthAt",
			env_ts = r."EnvTS", rank = r."Rank", digest = r."Digest", needs_read = r."NeedsRead"`
)

// WriteOrganizations writes rows that LockOrganizations returned.
func (tx *MirrorTx) WriteOrganizations(rows []MirrorOrganization) error {
	for _, o := range rows {
		if o.TombAt > 0 {
			tx.touch(Change{OrganizationID: o.ID})
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE clerk.organizations AS o SET name = r."Name", slug = r."Slug", image_url = r."ImageURL", `+setRow+`
		FROM json_to_recordset(?::json) AS r ("ID" text, "Name" text, "Slug" text, "ImageURL" text, `+givenRow+`)
		WHERE o.id = r."ID"`, string(text))
}

// WriteUsers writes rows that LockUsers returned.
func (tx *MirrorTx) WriteUsers(rows []MirrorUser) error {
	for _, u := range rows {
		tx.touch(Change{UserID: u.ID})
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE clerk.users AS u SET first_name = r."FirstName", last_name = r."LastName", username = r."Username",
			image_url = r."ImageURL", email = r."Email", banned = r."Banned", deprovisioned = r."Deprovisioned",
			locked = r."Locked", barred_at = r."BarredAt", `+setRow+`
		FROM json_to_recordset(?::json) AS r ("ID" text, "FirstName" text, "LastName" text, "Username" text, "ImageURL" text,
			"Email" text, "Banned" boolean, "Deprovisioned" boolean, "Locked" boolean, "BarredAt" bigint, `+givenRow+`)
		WHERE u.id = r."ID"`, string(text))
}

// WriteMemberships writes rows that LockMemberships returned.
func (tx *MirrorTx) WriteMemberships(rows []MirrorMembership) error {
	for _, m := range rows {
		if m.UserID != "" {
			tx.touch(Change{OrganizationID: m.OrganizationID, UserID: m.UserID})
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE clerk.memberships AS m SET organization_id = r."OrganizationID", user_id = r."UserID", role = r."Role",
			first_name = r."FirstName", last_name = r."LastName", username = r."Username", image_url = r."ImageURL",
			identifier = r."Identifier", `+setRow+`
		FROM json_to_recordset(?::json) AS r ("ID" text, "OrganizationID" text, "UserID" text, "Role" text, "FirstName" text,
			"LastName" text, "Username" text, "ImageURL" text, "Identifier" text, `+givenRow+`)
		WHERE m.id = r."ID"`, string(text))
}

// PutMembers is PutMember of many of one organization.
func (tx *MirrorTx) PutMembers(members []models.Member) error {
	text, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO public.members AS m
			(organization_id, user_id, id, role, name, email, image_url, joined_at, left_at, provisional, banned, deprovisioned, locked)
		SELECT * FROM json_to_recordset(?::json) AS r ("OrganizationID" text, "UserID" text, "ID" uuid, "Role" text, "Name" text,
			"Email" text, "ImageURL" text, "JoinedAt" timestamptz, "LeftAt" timestamptz, "Provisional" boolean,
			"Banned" boolean, "Deprovisioned" boolean, "Locked" boolean)
		`+replaceMember, string(text))
}

// lockAll is lock of many rows.
func (tx *MirrorTx) lockAll(table, columns string, ids []string, row func(scan func(...any) error) error) error {
	err := tx.exec("INSERT INTO clerk."+table+` (id) SELECT i FROM json_array_elements_text(?::json) AS i
		ORDER BY i COLLATE "C" ON CONFLICT DO NOTHING`, list(ids))
	if err != nil {
		return err
	}
	return tx.each("SELECT id, "+columns+" FROM clerk."+table+" WHERE id "+chosen+" ORDER BY id FOR UPDATE", []any{list(ids)}, row)
}

func (tx *MirrorTx) each(query string, values []any, row func(scan func(...any) error) error) error {
	rows, err := tx.tx.db.Raw(query, values...).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
