package clerk

import "net/http"

// domain has nothing in it: an organization has no domains here.
type domain struct{}

var domainOrders = orders[domain]{"created_at": nil, "name": nil}

// listDomains lists those of the whole instance.
func listDomains(_ *catalog, _ *http.Request, q *query) (any, error) {
	q.text("organization_id")
	q.text("query")
	q.list("domains")
	all := noDomains(q)
	ordered(q, nil, domainOrders)
	return all, nil
}

func listDomainsOfOrganization(k *catalog, r *http.Request, q *query) (any, error) {
	if _, err := k.organizationInPath(r); err != nil {
		return nil, err
	}
	return noDomains(q), nil
}

// noDomains reads what every list of domains may be asked for.
func noDomains(q *query) list[domain] {
	w := q.window()
	q.flag("verified")
	var modes []string
	for _, mode := range []string{"automatic_invitation", "automatic_suggestion", "manual_invitation", "enterprise_sso"} {
		modes = append(modes, mode, "-"+mode) // a mode, or all but it
	}
	q.oneOf("enrollment_mode", modes...)
	return page(w, []domain(nil), func(d domain) domain { return d })
}
