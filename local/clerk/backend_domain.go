package clerk

import "net/http"

// domain has nothing in it: an organization has no domains here.
type domain struct{}

func listDomains(k *catalog, r *http.Request, q *query) (any, error) {
	if _, err := k.organizationInPath(r); err != nil {
		return nil, err
	}
	w := q.window()
	q.flag("verified")
	var modes []string
	for _, mode := range []string{"automatic_invitation", "automatic_suggestion", "manual_invitation", "enterprise_sso"} {
		modes = append(modes, mode, "-"+mode) // a mode, or all but it
	}
	q.oneOf("enrollment_mode", modes...)
	return page(w, []domain(nil), func(d domain) domain { return d }), nil
}
