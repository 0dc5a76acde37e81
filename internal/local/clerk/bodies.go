package clerk

import "time"

// The objects inside events and answers, with every key that Clerk's have.

type permissionBody struct {
	CreatedAt   int64  `json:"created_at"`
	Description string `json:"description"`
	ID          string `json:"id"`
	Key         string `json:"key"`
	Name        string `json:"name"`
	Object      string `json:"object"`
	Type        string `json:"type"`
	UpdatedAt   int64  `json:"updated_at"`
}

type roleBody struct {
	CreatedAt         int64            `json:"created_at"`
	Description       string           `json:"description"`
	ID                string           `json:"id"`
	IsCreatorEligible bool             `json:"is_creator_eligible"`
	Key               string           `json:"key"`
	Name              string           `json:"name"`
	Object            string           `json:"object"`
	Permissions       []permissionBody `json:"permissions"`
	UpdatedAt         int64            `json:"updated_at"`
}

// embeddedOrganization is an organization as other objects carry it: without
// its creator and private metadata.
type embeddedOrganization struct {
	AdminDeleteEnabled    bool     `json:"admin_delete_enabled"`
	CreatedAt             int64    `json:"created_at"`
	HasImage              bool     `json:"has_image"`
	ID                    string   `json:"id"`
	ImageURL              string   `json:"image_url"`
	LogoURL               *string  `json:"logo_url"`
	MaxAllowedMemberships int      `json:"max_allowed_memberships"`
	Name                  string   `json:"name"`
	Object                string   `json:"object"`
	PublicMetadata        metadata `json:"public_metadata"`
	Slug                  string   `json:"slug"`
	UpdatedAt             int64    `json:"updated_at"`
}

// organizationBody is an organization in its own events, which have no counts.
type organizationBody struct {
	embeddedOrganization
	CreatedBy       string   `json:"created_by,omitempty"` // nobody's where the Backend API was told no one
	PrivateMetadata metadata `json:"private_metadata"`
}

type countedOrganization struct {
	embeddedOrganization
	MembersCount            int `json:"members_count"`
	PendingInvitationsCount int `json:"pending_invitations_count"`
}

type membershipBody struct {
	CreatedAt       int64               `json:"created_at"`
	ID              string              `json:"id"`
	Object          string              `json:"object"`
	Organization    countedOrganization `json:"organization"`
	Permissions     []string            `json:"permissions"` // system ones too, unlike in tokens
	PrivateMetadata metadata            `json:"private_metadata"`
	PublicMetadata  metadata            `json:"public_metadata"`
	PublicUserData  publicUserData      `json:"public_user_data"`
	Role            string              `json:"role"`
	RoleName        string              `json:"role_name"`
	UpdatedAt       int64               `json:"updated_at"`
}

type publicUserData struct {
	FirstName       string  `json:"first_name"`
	HasImage        bool    `json:"has_image"`
	Identifier      string  `json:"identifier"`
	ImageURL        string  `json:"image_url"`
	LastName        string  `json:"last_name"`
	ProfileImageURL string  `json:"profile_image_url"`
	UserID          string  `json:"user_id"`
	Username        *string `json:"username"`
}

// deletedBody is what is left to say of an object that was deleted.
type deletedBody struct {
	Deleted bool    `json:"deleted"`
	ID      string  `json:"id"`
	Object  string  `json:"object"`
	Slug    *string `json:"slug,omitempty"` // of an organization
}

// deletedRoleBody is that of a role in its event.
type deletedRoleBody struct {
	deletedBody
	Slug *string `json:"slug"`
}

func (s *state) roleBody(r role) roleBody {
	permissions := make([]permissionBody, 0, len(r.Permissions))
	for _, key := range r.Permissions {
		p, _ := s.permissionByKey(key)
		permissions = append(permissions, describePermission(p))
	}
	return roleBody{
		CreatedAt: r.CreatedAt, Description: r.Description, ID: r.ID, IsCreatorEligible: r.CreatorEligible,
		Key: r.Key, Name: r.Name, Object: "role", Permissions: permissions, UpdatedAt: r.UpdatedAt,
	}
}

func describePermission(p permission) permissionBody {
	kind := "user"
	if p.system() {
		kind = "system"
	}
	return permissionBody{
		CreatedAt: p.CreatedAt, Description: p.Description, ID: p.ID, Key: p.Key,
		Name: p.Name, Object: "permission", Type: kind, UpdatedAt: p.UpdatedAt,
	}
}

// embed leaves image_url empty, so that no page here asks img.clerk.com.
func embed(o organization) embeddedOrganization {
	return embeddedOrganization{
		AdminDeleteEnabled: !o.AdminDeleteOff, CreatedAt: o.CreatedAt, ID: o.ID, MaxAllowedMemberships: o.MaxMemberships,
		Name: o.Name, Object: "organization", PublicMetadata: o.PublicMetadata, Slug: o.Slug, UpdatedAt: o.UpdatedAt,
	}
}

func (s *state) organizationBody(o organization) organizationBody {
	return organizationBody{embeddedOrganization: embed(o), CreatedBy: o.CreatedBy, PrivateMetadata: o.PrivateMetadata}
}

// counts are those of what belongs to an organization.
type counts struct{ members, pendingInvitations int }

// membershipBody also describes a membership that is no longer in the state;
// the counts are those of the state.
func (s *state) membershipBody(m membership, now time.Time) membershipBody {
	o, _ := s.organizationByID(m.OrganizationID)
	u, _ := s.userByID(m.UserID)
	r, _ := s.roleByKey(m.Role)
	return describeMembership(m, o, u, r, counts{s.membersCount(o.ID), s.pendingCount(o.ID, now)})
}

func describeMembership(m membership, o organization, u user, r role, n counts) membershipBody {
	return membershipBody{
		CreatedAt: m.CreatedAt, ID: m.ID, Object: "organization_membership",
		Organization:    countedOrganization{embeddedOrganization: embed(o), MembersCount: n.members, PendingInvitationsCount: n.pendingInvitations},
		Permissions:     r.Permissions,
		PrivateMetadata: m.PrivateMetadata, PublicMetadata: m.PublicMetadata,
		PublicUserData: publicUserData{
			FirstName: u.FirstName, Identifier: u.Email, LastName: u.LastName, UserID: u.ID,
		},
		Role: r.Key, RoleName: r.Name, UpdatedAt: m.UpdatedAt,
	}
}
