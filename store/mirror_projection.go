package store

import "github.com/tenantry/tenantry/models"

// PutOrganization writes what requests read of an organization. It runs inside InOrganization.
func (tx *MirrorTx) PutOrganization(o models.Organization) error {
	return tx.exec(`INSERT INTO public.organizations AS o (organization_id, name, slug, image_url, created_at, deleted_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (organization_id) DO UPDATE SET name = excluded.name, slug = excluded.slug,
			image_url = excluded.image_url, created_at = excluded.created_at, deleted_at = excluded.deleted_at
		WHERE (o.name, o.slug, o.image_url, o.created_at, o.deleted_at) IS DISTINCT FROM
			(excluded.name, excluded.slug, excluded.image_url, excluded.created_at, excluded.deleted_at)`,
		o.OrganizationID, o.Name, o.Slug, o.ImageURL, o.CreatedAt, o.DeletedAt)
}

// PutMember writes what requests read of a member. It runs inside InOrganization.
func (tx *MirrorTx) PutMember(m models.Member) error {
	return tx.exec(`INSERT INTO public.members AS m
			(organization_id, user_id, id, role, name, email, image_url, joined_at, left_at, provisional)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		`+replaceMember,
		m.OrganizationID, m.UserID, m.ID, m.Role, m.Name, m.Email, m.ImageURL, m.JoinedAt, m.LeftAt, m.Provisional)
}

const replaceMember = `ON CONFLICT (organization_id, user_id) DO UPDATE SET id = excluded.id, role = excluded.role,
			name = excluded.name, email = excluded.email, image_url = excluded.image_url,
			joined_at = excluded.joined_at, left_at = excluded.left_at, provisional = excluded.provisional
		WHERE (m.id, m.role, m.name, m.email, m.image_url, m.joined_at, m.left_at, m.provisional) IS DISTINCT FROM
			(excluded.id, excluded.role, excluded.name, excluded.email, excluded.image_url, excluded.joined_at,
			excluded.left_at, excluded.provisional)`
