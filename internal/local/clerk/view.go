package clerk

import "net/http"

// What the control API shows. Nothing here is secret.

type stateView struct {
	Issuer         string             `json:"issuer"`
	PublishableKey string             `json:"publishableKey"`
	InstanceID     string             `json:"instanceId"`
	Users          []userView         `json:"users"`
	Organizations  []organizationView `json:"organizations"`
	Roles          []roleView         `json:"roles"`
	Memberships    []membershipView   `json:"memberships"`
	Deliveries     deliveriesView     `json:"deliveries"`
	Chaos          chaosView          `json:"chaos"`
	RateLimit      rateLimitView      `json:"rateLimit"` // of the Backend API
}

type userView struct {
	ID        string `json:"id"`
	Handle    string `json:"handle"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

type organizationView struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

type roleView struct {
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"` // system ones too
}

type membershipView struct {
	ID             string `json:"id"`
	Organization   string `json:"organization"` // slug
	OrganizationID string `json:"organizationId"`
	User           string `json:"user"` // handle
	UserID         string `json:"userId"`
	Role           string `json:"role"`
	CreatedAt      int64  `json:"createdAt"` // milliseconds
	UpdatedAt      int64  `json:"updatedAt"`
}

type deliveriesView struct {
	Queued int `json:"queued"` // events not yet answered 2xx, or to be sent again
}

func (c *Clerk) serveState(w http.ResponseWriter, _ *http.Request) {
	s := c.current.Load()
	view := stateView{
		Issuer: c.Issuer(), PublishableKey: c.PublishableKey(), InstanceID: s.InstanceID,
		Users:         make([]userView, 0, len(s.Users)),
		Organizations: make([]organizationView, 0, len(s.Organizations)),
		Roles:         make([]roleView, 0, len(s.Roles)),
		Memberships:   make([]membershipView, 0, len(s.Memberships)),
		Deliveries:    deliveriesView{Queued: len(s.Queue)},
		Chaos:         c.viewChaos(),
		RateLimit:     c.viewRateLimit(),
	}
	for _, u := range s.Users {
		view.Users = append(view.Users, userView{u.ID, u.Handle, u.FirstName, u.LastName, u.Email})
	}
	for _, o := range s.Organizations {
		view.Organizations = append(view.Organizations, organizationView{o.ID, o.Slug, o.Name})
	}
	for _, r := range s.Roles {
		view.Roles = append(view.Roles, roleView{r.Key, r.Name, r.Permissions})
	}
	for _, m := range s.Memberships {
		view.Memberships = append(view.Memberships, s.viewMembership(m))
	}
	writeJSON(w, http.StatusOK, view)
}

// viewMembership also shows a membership that has just been removed.
func (s *state) viewMembership(m membership) membershipView {
	o, _ := s.organizationByID(m.OrganizationID)
	u, _ := s.userByID(m.UserID)
	return membershipView{
		ID: m.ID, Organization: o.Slug, OrganizationID: o.ID, User: u.Handle, UserID: u.ID,
		Role: m.Role, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}
