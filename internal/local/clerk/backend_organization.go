package clerk

import (
	"cmp"
	"net/http"
	"slices"
)

// backendOrganization has its counts only where they were asked for.
type backendOrganization struct {
	organizationBody
	MembersCount            *int `json:"members_count,omitempty"`
	PendingInvitationsCount *int `json:"pending_invitations_count,omitempty"`
}

func (k *catalog) organizationBody(counted bool) func(organization) backendOrganization {
	return func(o organization) backendOrganization {
		body := backendOrganization{organizationBody: k.state.organizationBody(o)}
		if counted {
			n := k.counts(o.ID)
			body.MembersCount, body.PendingInvitationsCount = &n.members, &n.pendingInvitations
		}
		return body
	}
}

func listOrganizations(k *catalog, _ *http.Request, q *query) (any, error) {
	w, body := q.window(), k.organizationBody(q.flag("include_members_count"))
	text, ids, members := q.text("query"), q.choices("organization_id"), q.choices("user_id")
	matching := filtered(k.organizations, func(o organization) bool {
		return ids.pass(o.ID) && (!members.given() || members.pass(k.memberIDs(o.ID)...)) &&
			(o.ID == text || contains(o.Name, text) || contains(o.Slug, text))
	})
	return page(w, ordered(q, matching, k.organizationOrders()), body), nil
}

func (k *catalog) memberIDs(organizationID string) []string {
	members := k.ofOrganization[organizationID]
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.UserID
	}
	return ids
}

func (k *catalog) organizationOrders() orders[organization] {
	return orders[organization]{
		"name":       func(a, b organization) int { return cmp.Compare(a.Name, b.Name) },
		"created_at": func(a, b organization) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
		"members_count": func(a, b organization) int {
			return cmp.Compare(len(k.ofOrganization[a.ID]), len(k.ofOrganization[b.ID]))
		},
	}
}

func getOrganization(k *catalog, r *http.Request, q *query) (any, error) {
	body := k.organizationBody(q.flag("include_members_count"))
	name := r.PathValue("id")
	o, known := k.organizationByID[name]
	if !known {
		i := slices.IndexFunc(k.organizations, func(o organization) bool { return o.Slug != "" && o.Slug == name })
		if i < 0 {
			return nil, organizationGone(name)
		}
		o = k.organizations[i]
	}
	return body(o), nil
}

// organizationInPath takes ids only, as the lists below an organization do.
func (k *catalog) organizationInPath(r *http.Request) (organization, error) {
	o, known := k.organizationByID[r.PathValue("id")]
	if !known {
		return o, organizationGone(r.PathValue("id"))
	}
	return o, nil
}

func organizationGone(name string) *apiError {
	return &apiError{
		status: http.StatusNotFound, code: "organization_not_found_or_unauthorized", message: "not found",
		long: "There is no organization " + quoted(name) + " in this instance.",
	}
}

// gone says that there is no such object, as Clerk does for all but
// organizations.
func gone(noun, id string) *apiError {
	return &apiError{
		status: http.StatusNotFound, code: "resource_not_found", message: "not found",
		long: "There is no " + noun + " " + quoted(id) + " in this instance.",
	}
}
