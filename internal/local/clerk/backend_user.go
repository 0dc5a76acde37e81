package clerk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// totalCount is the answer of a count.
type totalCount struct {
	Object     string `json:"object"`
	TotalCount int    `json:"total_count"`
}

// listUsers answers a bare array, unlike the other lists.
func listUsers(k *catalog, _ *http.Request, q *query) (any, error) {
	w, matching := q.window(), k.matchingUsers(q)
	sorted := ordered(q, matching, userOrders)
	return cut(w, afterCursor(q, w, sorted), k.state.userBody), nil
}

// countUsers lets what belongs to a list be: Clerk's Go client asks for the
// count of a page with the page's own query.
func countUsers(k *catalog, _ *http.Request, q *query) (any, error) {
	q.ignore("limit", "offset", "order_by", "starting_after")
	return totalCount{Object: "total_count", TotalCount: len(k.matchingUsers(q))}, nil
}

func getUser(k *catalog, r *http.Request, _ *query) (any, error) {
	u, known := k.userByID[r.PathValue("id")]
	if !known {
		return nil, gone("user", r.PathValue("id"))
	}
	return k.state.userBody(u), nil
}

// matchingUsers reads the filters that list and count have in common.
func (k *catalog) matchingUsers(q *query) []user {
	text, addresses := q.text("query"), q.list("email_address")
	ids, organizations := q.choices("user_id"), q.choices("organization_id")
	return filtered(k.users, func(u user) bool {
		return ids.pass(u.ID) && (!organizations.given() || organizations.pass(k.organizationIDs(u.ID)...)) &&
			(len(addresses) == 0 || u.hasAddress(addresses)) && u.matches(text)
	})
}

func (k *catalog) organizationIDs(userID string) []string {
	memberships := k.ofUser[userID]
	ids := make([]string, len(memberships))
	for i, m := range memberships {
		ids[i] = m.OrganizationID
	}
	return ids
}

// afterCursor gives what follows the user named by starting_after, which Clerk
// takes with the order of creation and without an offset only.
func afterCursor(q *query, w window, sorted []user) []user {
	const name = "starting_after"
	id := q.text(name)
	if !q.given(name) {
		return sorted
	}
	order := strings.TrimLeft(q.text("order_by"), "+- ")
	if w.offset != 0 || (order != "" && order != "created_at") {
		q.refuse("form_param_value_invalid", name, "starting_after goes with no offset and no order but that of created_at.")
		return nil
	}
	i := slices.IndexFunc(sorted, func(u user) bool { return u.ID == id })
	if i < 0 {
		q.refuse("form_param_value_invalid", name, "starting_after is not a user of this list.")
		return nil
	}
	return sorted[i+1:]
}

var userOrders = orders[user]{
	"created_at":      func(a, b user) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"updated_at":      func(a, b user) int { return cmp.Compare(a.UpdatedAt, b.UpdatedAt) },
	"last_active_at":  func(a, b user) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) }, // as userBody tells it
	"email_address":   func(a, b user) int { return cmp.Compare(a.Email, b.Email) },
	"first_name":      func(a, b user) int { return cmp.Compare(a.FirstName, b.FirstName) },
	"last_name":       func(a, b user) int { return cmp.Compare(a.LastName, b.LastName) },
	"last_sign_in_at": nil,
	"phone_number":    nil,
	"username":        nil,
	"web3wallet":      nil,
}

func (u user) hasAddress(addresses []string) bool {
	return slices.ContainsFunc(addresses, func(a string) bool { return strings.EqualFold(a, u.Email) })
}

// matches tells whether a text is part of what a user is known by.
func (u user) matches(text string) bool {
	return contains(u.ID, text) || contains(u.Email, text) || contains(u.FirstName, text) || contains(u.LastName, text)
}
