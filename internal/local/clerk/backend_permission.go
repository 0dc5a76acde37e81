package clerk

import (
	"cmp"
	"net/http"
)

var permissionOrders = orders[permission]{
	"created_at": func(a, b permission) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"name":       func(a, b permission) int { return cmp.Compare(a.Name, b.Name) },
	"key":        func(a, b permission) int { return cmp.Compare(a.Key, b.Key) },
}

func listPermissions(k *catalog, _ *http.Request, q *query) (any, error) {
	w, text := q.window(), q.text("query")
	matching := filtered(k.permissions, func(p permission) bool {
		return p.ID == text || contains(p.Name, text) || contains(p.Key, text)
	})
	return page(w, ordered(q, matching, permissionOrders), describePermission), nil
}

func getPermission(k *catalog, r *http.Request, _ *query) (any, error) {
	found, known := find(k.permissions, func(candidate permission) bool { return candidate.ID == r.PathValue("id") })
	if !known {
		return nil, gone("permission", r.PathValue("id"))
	}
	return describePermission(found), nil
}
