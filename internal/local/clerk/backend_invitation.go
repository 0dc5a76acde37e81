package clerk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

var invitationOrders = orders[invitation]{
	"created_at":    func(a, b invitation) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"email_address": func(a, b invitation) int { return cmp.Compare(a.Email, b.Email) },
}

// listInvitations lists those of the whole instance.
func listInvitations(k *catalog, _ *http.Request, q *query) (any, error) {
	text := q.text("query")
	w, matching := k.matchingInvitations(q, k.invitations, func(i invitation) bool {
		return i.ID == text || contains(i.Email, text)
	})
	return page(w, matching, func(i invitation) toldInvitation {
		return toldInvitation{
			invitationBody:         k.invitationBody(i),
			PublicOrganizationData: describePublicly(k.organizationByID[i.OrganizationID]),
		}
	}), nil
}

func listInvitationsOfOrganization(k *catalog, r *http.Request, q *query) (any, error) {
	o, err := k.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	address := q.text("email_address")
	w, matching := k.matchingInvitations(q, k.invitationsOf[o.ID], func(i invitation) bool {
		return !q.given("email_address") || strings.EqualFold(i.Email, address)
	})
	return page(w, matching, k.invitationBody), nil
}

func getInvitation(k *catalog, r *http.Request, _ *query) (any, error) {
	o, err := k.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("invitation")
	found, known := find(k.invitationsOf[o.ID], func(i invitation) bool { return i.ID == id })
	if !known {
		return nil, gone("invitation", id)
	}
	return k.invitationBody(found), nil
}

// matchingInvitations reads what every list of invitations may be asked for.
func (k *catalog) matchingInvitations(q *query, all []invitation, pass func(invitation) bool) (window, []invitation) {
	w, statuses := q.window(), q.words("status", statusPending, statusAccepted, statusRevoked, statusExpired)
	now := k.now()
	matching := filtered(all, func(i invitation) bool {
		return pass(i) && (len(statuses) == 0 || slices.Contains(statuses, i.statusAt(now)))
	})
	return w, ordered(q, matching, invitationOrders)
}

func (k *catalog) invitationBody(i invitation) invitationBody {
	r, known := k.roleByKey[i.Role]
	return describeInvitation(i, k.userByID[i.InviterID], r, known, k.now())
}
