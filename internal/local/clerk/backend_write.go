package clerk

import (
	"net/http"
	"time"
)

// change makes a change of the state that a request asks for, and the body of
// its answer. An error is a *apiError.
type change func(s *state, r *http.Request, f *form, now time.Time) (any, error)

// write is something that the Backend API can change.
type write struct {
	method, path string
	change       change
	// changeMany stands for change where the body is a list.
	changeMany func(s *state, r *http.Request, forms []*form, now time.Time) (any, error)
	seldom     narrowLimit // none: as often as everything
}

// writes are what the Backend API can change.
var writes = []write{
	{method: http.MethodPost, path: "/organization_permissions", change: createPermission},
	{method: http.MethodPatch, path: "/organization_permissions/{id}", change: updatePermission},
	{method: http.MethodDelete, path: "/organization_permissions/{id}", change: deletePermission},

	{method: http.MethodPost, path: "/organization_roles", change: createRole},
	{method: http.MethodPatch, path: "/organization_roles/{id}", change: updateRole},
	{method: http.MethodDelete, path: "/organization_roles/{id}", change: deleteRole},
	{method: http.MethodPost, path: "/organization_roles/{id}/permissions/{permission}", change: assignPermission},
	{method: http.MethodDelete, path: "/organization_roles/{id}/permissions/{permission}", change: removePermission},

	{method: http.MethodPost, path: "/organizations", change: createOrganization},
	{method: http.MethodPatch, path: "/organizations/{id}", change: updateOrganization, seldom: ofOneObject},
	{method: http.MethodDelete, path: "/organizations/{id}", change: deleteOrganization},
	{method: http.MethodPatch, path: "/organizations/{id}/metadata", change: mergeOrganizationMetadata, seldom: ofOneObject},
	{method: http.MethodPut, path: "/organizations/{id}/metadata", change: replaceOrganizationMetadata, seldom: ofOneObject},

	{method: http.MethodPost, path: "/organizations/{id}/memberships", change: createMembership},
	{method: http.MethodPatch, path: "/organizations/{id}/memberships/{user}", change: updateMembership, seldom: ofOneObject},
	{method: http.MethodDelete, path: "/organizations/{id}/memberships/{user}", change: deleteMembership},
	{method: http.MethodPatch, path: "/organizations/{id}/memberships/{user}/metadata", change: mergeMembershipMetadata, seldom: ofOneObject},

	{method: http.MethodPost, path: "/organizations/{id}/invitations", change: createInvitation, seldom: ofInvitations},
	{method: http.MethodPost, path: "/organizations/{id}/invitations/bulk", changeMany: createInvitations, seldom: ofBulks},
	{method: http.MethodPost, path: "/organizations/{id}/invitations/{invitation}/revoke", change: revokeInvitation},

	{method: http.MethodPost, path: "/users", change: createUser},
	{method: http.MethodPatch, path: "/users/{id}", change: updateUser, seldom: ofOneObject},
	{method: http.MethodDelete, path: "/users/{id}", change: deleteUser},
	{method: http.MethodPost, path: "/users/{id}/ban", change: restrictUser(new(true), nil)},
	{method: http.MethodPost, path: "/users/{id}/unban", change: restrictUser(new(false), nil)},
	{method: http.MethodPost, path: "/users/{id}/lock", change: restrictUser(nil, new(true))},
	{method: http.MethodPost, path: "/users/{id}/unlock", change: restrictUser(nil, new(false))},
}

// write serves a change. It answers when the change is on the disk; the event
// is on its way then.
func (c *Clerk) write(wanted write) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forms, err := readForms(w, r, wanted.changeMany != nil)
		if err != nil {
			c.fail(w, err)
			return
		}
		var body any
		err = c.update(func(s *state) (err error) {
			if body, err = wanted.make(s, r, forms, c.now()); err != nil {
				return err
			}
			for _, f := range forms {
				if err := f.err(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			c.fail(w, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}

func (w write) make(s *state, r *http.Request, forms []*form, now time.Time) (any, error) {
	if w.changeMany != nil {
		return w.changeMany(s, r, forms, now)
	}
	return w.change(s, r, forms[0], now)
}
