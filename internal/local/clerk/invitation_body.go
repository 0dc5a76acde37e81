package clerk

import "time"

// invitationBody is an invitation as the lists of its organization have it.
type invitationBody struct {
	CreatedAt         int64        `json:"created_at"`
	EmailAddress      string       `json:"email_address"`
	ExpiresAt         int64        `json:"expires_at"`
	ID                string       `json:"id"`
	InviterID         *string      `json:"inviter_id"`
	Object            string       `json:"object"`
	OrganizationID    string       `json:"organization_id"`
	PrivateMetadata   metadata     `json:"private_metadata"`
	PublicInviterData *inviterData `json:"public_inviter_data"`
	PublicMetadata    metadata     `json:"public_metadata"`
	Role              string       `json:"role"`
	RoleName          string       `json:"role_name"`
	Status            string       `json:"status"`
	UpdatedAt         int64        `json:"updated_at"`
	URL               *string      `json:"url"` // null: no letter is sent here, and nothing opens a link
}

// inviterData is what is shown of who invited.
type inviterData struct {
	FirstName  string `json:"first_name"`
	HasImage   bool   `json:"has_image"`
	Identifier string `json:"identifier"`
	ImageURL   string `json:"image_url"`
	LastName   string `json:"last_name"`
	UserID     string `json:"user_id"`
}

// toldInvitation is an invitation in events and in lists of the whole instance.
type toldInvitation struct {
	invitationBody
	PublicOrganizationData publicOrganization `json:"public_organization_data"`
	UserID                 string             `json:"user_id,omitempty"` // who accepted it, in that event
}

type publicOrganization struct {
	HasImage bool   `json:"has_image"`
	ID       string `json:"id"`
	ImageURL string `json:"image_url"`
	Name     string `json:"name"`
	Slug     string `json:"slug"`
}

func (s *state) invitationBody(i invitation, now time.Time) invitationBody {
	inviter, _ := s.userByID(i.InviterID)
	r, known := s.roleByKey(i.Role)
	return describeInvitation(i, inviter, r, known, now)
}

func describeInvitation(i invitation, inviter user, r role, roleKnown bool, now time.Time) invitationBody {
	body := invitationBody{
		CreatedAt: i.CreatedAt, EmailAddress: i.Email, ExpiresAt: i.ExpiresAt, ID: i.ID, Object: "organization_invitation",
		OrganizationID: i.OrganizationID, PrivateMetadata: i.PrivateMetadata, PublicMetadata: i.PublicMetadata,
		Role: i.Role, RoleName: r.Name, Status: i.statusAt(now), UpdatedAt: i.UpdatedAt,
	}
	if !roleKnown {
		body.RoleName = i.Role // an old invitation, whose role was deleted since
	}
	if i.InviterID != "" {
		body.InviterID = &i.InviterID
	}
	if inviter.ID != "" {
		body.PublicInviterData = &inviterData{
			FirstName: inviter.FirstName, Identifier: inviter.Email, LastName: inviter.LastName, UserID: inviter.ID,
		}
	}
	return body
}

func (s *state) tellInvitation(i invitation, now time.Time) toldInvitation {
	o, _ := s.organizationByID(i.OrganizationID)
	return toldInvitation{invitationBody: s.invitationBody(i, now), PublicOrganizationData: describePublicly(o), UserID: i.UserID}
}

func describePublicly(o organization) publicOrganization {
	return publicOrganization{ID: o.ID, Name: o.Name, Slug: o.Slug}
}
