package clerk

import (
	"cmp"
	"net/http"
)

var roleOrders = orders[role]{
	"created_at": func(a, b role) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"name":       func(a, b role) int { return cmp.Compare(a.Name, b.Name) },
	"key":        func(a, b role) int { return cmp.Compare(a.Key, b.Key) },
}

func listRoles(k *catalog, _ *http.Request, q *query) (any, error) {
	w, text := q.window(), q.text("query")
	matching := filtered(k.roles, func(r role) bool {
		return r.ID == text || contains(r.Name, text) || contains(r.Key, text)
	})
	return page(w, ordered(q, matching, roleOrders), k.state.roleBody), nil
}

func getRole(k *catalog, r *http.Request, _ *query) (any, error) {
	found, known := find(k.roles, func(candidate role) bool { return candidate.ID == r.PathValue("id") })
	if !known {
		return nil, gone("role", r.PathValue("id"))
	}
	return k.state.roleBody(found), nil
}
