package clerk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func (k *catalog) membershipBody(m membership) membershipBody {
	o := k.organizationByID[m.OrganizationID]
	return describeMembership(m, o, k.userByID[m.UserID], k.roleByKey[m.Role], k.counts(o.ID))
}

// listMemberships lists those of the whole instance.
func listMemberships(k *catalog, _ *http.Request, q *query) (any, error) {
	w := q.window()
	return page(w, ordered(q, k.memberships, k.membershipOrders()), k.membershipBody), nil
}

func listMembershipsOfOrganization(k *catalog, r *http.Request, q *query) (any, error) {
	o, err := k.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	w, text := q.window(), q.text("query")
	users, roles, addresses := q.choices("user_id"), q.list("role"), q.list("email_address")
	matching := filtered(k.ofOrganization[o.ID], func(m membership) bool {
		u := k.userByID[m.UserID]
		return users.pass(m.UserID) && (len(roles) == 0 || slices.Contains(roles, m.Role)) &&
			(len(addresses) == 0 || u.hasAddress(addresses)) && u.matches(text)
	})
	return page(w, ordered(q, matching, k.membershipOrders()), k.membershipBody), nil
}

func listMembershipsOfUser(k *catalog, r *http.Request, q *query) (any, error) {
	u, known := k.userByID[r.PathValue("id")]
	if !known {
		return nil, gone("user", r.PathValue("id"))
	}
	return page(q.window(), k.ofUser[u.ID], k.membershipBody), nil
}

func (k *catalog) membershipOrders() orders[membership] {
	byUser := func(field func(user) string) func(a, b membership) int {
		return func(a, b membership) int {
			return strings.Compare(field(k.userByID[a.UserID]), field(k.userByID[b.UserID]))
		}
	}
	return orders[membership]{
		"created_at":    func(a, b membership) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
		"email_address": byUser(func(u user) string { return u.Email }),
		"first_name":    byUser(func(u user) string { return u.FirstName }),
		"last_name":     byUser(func(u user) string { return u.LastName }),
		"phone_number":  nil,
		"username":      nil,
	}
}
