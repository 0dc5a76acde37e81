package clerk

import "net/http"

// invitation has nothing in it yet: nobody is invited here, people are added.
type invitation struct{}

var invitationOrders = orders[invitation]{"created_at": nil, "email_address": nil}

// listInvitations lists those of the whole instance.
func listInvitations(_ *catalog, _ *http.Request, q *query) (any, error) {
	q.text("query")
	return noInvitations(q), nil
}

func listInvitationsOfOrganization(k *catalog, r *http.Request, q *query) (any, error) {
	if _, err := k.organizationInPath(r); err != nil {
		return nil, err
	}
	q.text("email_address")
	return noInvitations(q), nil
}

// noInvitations reads what every list of invitations may be asked for.
func noInvitations(q *query) list[invitation] {
	w := q.window()
	q.oneOf("status", "pending", "accepted", "revoked", "expired")
	return page(w, ordered(q, nil, invitationOrders), func(i invitation) invitation { return i })
}
