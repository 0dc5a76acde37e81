package store

import "github.com/tenantry/tenantry/models"

// PutOrganization writes what requests read of an organization, which must be the one that inside names. Returns
// models.ErrNoOrganization where inside is no organization's id.
func (tx *MirrorTx) PutOrganization(inside string, o models.Organization) error {
	return tx.put(inside, `INSERT INTO public.organizations AS o
			(organization_id, name, slug, image_url, created_at, deleted_at)
		SELECT ?, ?, ?, ?, ?, ? FROM inside
		ON CONFLICT (organization_id) DO UPDATE SET name = excluded.name, slug = excluded.slug,
			image_url = excluded.image_url, created_at = excluded.created_at, deleted_at = excluded.deleted_at
		WHERE (o.name, o.slug, o.image_url, o.created_at, o.deleted_at) IS DISTINCT FROM
			(excluded.name, excluded.slug, excluded.image_url, excluded.created_at, excluded.deleted_at)`,
		o.OrganizationID, o.Name, o.Slug, o.ImageURL, o.CreatedAt, o.DeletedAt)
}

// PutMember writes what requests read of a member of the organization that inside names. Returns
// models.ErrNoOrganization where inside is no organization's id.
func (tx *MirrorTx) PutMember(inside string, m models.Member) error {
	return tx.put(inside, `INSERT INTO public.members AS m
			(organization_id, user_id, id, role, name, email, image_url, joined_at, left_at, provisional, banned, deprovisioned, locked)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM inside
		`+replaceMember,
		m.OrganizationID, m.UserID, m.ID, m.Role, m.Name, m.Email, m.ImageURL, m.JoinedAt, m.LeftAt, m.Provisional,
		m.Banned, m.Deprovisioned, m.Locked)
}

const replaceMember = `ON CONFLICT (organization_id, user_id) DO UPDATE SET id = excluded.id, role = excluded.role,
			name = excluded.name, email = excluded.email, image_url = excluded.image_url,
			joined_at = excluded.joined_at, left_at = excluded.left_at, provisional = excluded.provisional,
			banned = excluded.banned, deprovisioned = excluded.deprovisioned, locked = excluded.locked
		WHERE (m.id, m.role, m.name, m.email, m.image_url, m.joined_at, m.left_at, m.provisional, m.banned, m.deprovisioned,
			m.locked) IS DISTINCT FROM
			(excluded.id, excluded.role, excluded.name, excluded.email, excluded.image_url, excluded.joined_at,
			excluded.left_at, excluded.provisional, excluded.banned, excluded.deprovisioned, excluded.locked)`

// PutInvitation writes what requests read of an invitation into the organization that inside names. Returns
// models.ErrNoOrganization where inside is no organization's id.
func (tx *MirrorTx) PutInvitation(inside string, i models.Invitation) error {
	return tx.put(inside, `INSERT INTO public.invitations AS i
			(organization_id, id, email, role, status, created_at, expires_at)
		SELECT ?, ?, ?, ?, ?, ?::timestamptz, ?::timestamptz FROM inside
		ON CONFLICT (organization_id, id) DO UPDATE SET email = excluded.email, role = excluded.role, status = excluded.status,
			created_at = excluded.created_at, expires_at = excluded.expires_at
		WHERE (i.email, i.role, i.status, i.created_at, i.expires_at) IS DISTINCT FROM
			(excluded.email, excluded.role, excluded.status, excluded.created_at, excluded.expires_at)`,
		i.OrganizationID, i.ID, i.Email, i.Role, i.Status, i.CreatedAt, i.ExpiresAt)
}

// RemoveInvitation removes what requests read of an invitation that is gone.
func (tx *MirrorTx) RemoveInvitation(organizationID, id string) error {
	return tx.InOrganization(organizationID, func() error {
		return tx.exec("DELETE FROM public.invitations WHERE organization_id = ? AND id = ?", organizationID, id)
	})
}

// put runs an insert of owned rows that selects from inside, and names the organization for that statement alone: two
// round trips fewer than naming before and after it. The name is set when the insert asks for its first row, before row
// level security looks at any, and taken back once the insert is counted, whether or not it wrote.
func (tx *MirrorTx) put(inside, insert string, values ...any) error {
	if !organizationID.MatchString(inside) {
		return models.ErrNoOrganization
	}
	return tx.exec("WITH inside AS MATERIALIZED (SELECT set_config('tenantry.organization', ?, true)), put AS ("+
		insert+" RETURNING 1) SELECT set_config('tenantry.organization', '', true) FROM (SELECT count(*) FROM put) AS counted",
		append([]any{inside}, values...)...)
}
