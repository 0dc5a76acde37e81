package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organizationpermission"
	"github.com/clerk/clerk-sdk-go/v2/organizationrole"
)

// Rights are roles and the permissions that they hold, by their keys.
type Rights struct {
	Permissions []Permission
	Roles       []Role
}

// Permission is one that a role can hold.
type Permission struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
	id          string // Clerk's
	system      bool   // one of Clerk's own
}

// Role is a role of an organization's members.
type Role struct {
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
	// All says of a wanted role that it holds every permission; Permissions is what is known of them.
	All bool   `json:"-"`
	id  string // Clerk's
}

func (r Rights) permission(key string) (Permission, bool) {
	i := slices.IndexFunc(r.Permissions, func(p Permission) bool { return p.Key == key })
	if i < 0 {
		return Permission{}, false
	}
	return r.Permissions[i], true
}

func (r Rights) role(key string) (Role, bool) {
	i := slices.IndexFunc(r.Roles, func(r Role) bool { return r.Key == key })
	if i < 0 {
		return Role{}, false
	}
	return r.Roles[i], true
}

// RightsAPI reads and writes the roles and permissions of a Clerk instance, within the budget of a Backend. It belongs to
// commands: a server only reads.
type RightsAPI struct {
	permissions organizationpermission.Client
	roles       organizationrole.Client
}

// NewRightsAPI returns one. Nothing is asked for yet.
func NewRightsAPI(config BackendConfig) *RightsAPI {
	api := NewBackend(config).api
	return &RightsAPI{organizationpermission.Client{Backend: api}, organizationrole.Client{Backend: api}}
}

// RefusedError says why Clerk did not do what it was asked for.
type RefusedError struct {
	Status int
	Code   string // Clerk's code for it; "" where it gave none
	// Message is Clerk's, for people.
	Message string
}

// Error names all three.
func (e *RefusedError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("clerk refused it with HTTP status %d %s: %s", e.Status, e.Code, e.Message))
}

// call translates what becomes of a call of Clerk's client. Returns ErrUnauthorized, ErrBackendUnavailable or a
// *RefusedError.
func call(ctx context.Context, do func(ctx context.Context) error) error {
	seen := new(sighting)
	err := do(withSighting(ctx, seen))
	var answered *clerk.APIErrorResponse
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case seen.status == http.StatusUnauthorized:
		return ErrUnauthorized
	case transient(seen.status), seen.status >= http.StatusMultipleChoices && seen.status < http.StatusBadRequest:
		return fmt.Errorf("%w: HTTP status %d", ErrBackendUnavailable, seen.status)
	case errors.As(err, &answered) && len(answered.Errors) > 0:
		first := answered.Errors[0]
		message := first.LongMessage
		if message == "" {
			message = first.Message
		}
		return &RefusedError{Status: seen.status, Code: first.Code, Message: message}
	case seen.status >= http.StatusBadRequest:
		return &RefusedError{Status: seen.status}
	case err != nil && seen.status != 0:
		return fmt.Errorf("%w: what was answered cannot be read", ErrBackendUnavailable)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrBackendUnavailable, err)
	}
	return nil
}

const rightsPage = 500 // the most that Clerk gives at once

// Read reads all of them. Returns ErrUnauthorized or ErrBackendUnavailable.
func (a *RightsAPI) Read(ctx context.Context) (Rights, error) {
	var rights Rights
	for {
		var list *clerk.OrganizationPermissionList
		err := call(ctx, func(ctx context.Context) (err error) {
			list, err = a.permissions.List(ctx, &organizationpermission.ListParams{
				ListParams: listPage(len(rights.Permissions)), OrderBy: clerk.String("+created_at"),
			})
			return err
		})
		if err != nil {
			return Rights{}, err
		}
		for _, p := range list.OrganizationPermissions {
			if !pathID.MatchString(p.ID) {
				return Rights{}, fmt.Errorf("%w: a permission has no id", ErrBackendUnavailable)
			}
			rights.Permissions = append(rights.Permissions, Permission{
				Key: orgKey(text(p.Key)), Name: p.Name, Description: value(p.Description), id: p.ID,
				system: p.Type == "system" || strings.HasPrefix(p.Key, "org:sys_"),
			})
		}
		if len(list.OrganizationPermissions) < rightsPage {
			break
		}
	}
	for {
		var list *clerk.OrganizationRoleList
		err := call(ctx, func(ctx context.Context) (err error) {
			list, err = a.roles.List(ctx, &organizationrole.ListParams{ListParams: listPage(len(rights.Roles)), OrderBy: clerk.String("+created_at")})
			return err
		})
		if err != nil {
			return Rights{}, err
		}
		for _, r := range list.OrganizationRoles {
			if !pathID.MatchString(r.ID) {
				return Rights{}, fmt.Errorf("%w: a role has no id", ErrBackendUnavailable)
			}
			role := Role{Key: orgKey(text(r.Key)), Name: r.Name, Description: value(r.Description), id: r.ID}
			for _, p := range r.Permissions {
				role.Permissions = append(role.Permissions, orgKey(text(p.Key)))
			}
			rights.Roles = append(rights.Roles, role)
		}
		if len(list.OrganizationRoles) < rightsPage {
			return rights, nil
		}
	}
}

func listPage(offset int) clerk.ListParams {
	return clerk.ListParams{Limit: clerk.Int64(rightsPage), Offset: clerk.Int64(int64(offset))}
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// UnknownPermissions returns which of the names, with "org:" in front, no permission of the instance has.
func UnknownPermissions(ctx context.Context, api *RightsAPI, names []string) ([]string, error) {
	rights, err := api.Read(ctx)
	if err != nil {
		return nil, err
	}
	return rights.Unknown(names), nil
}

// Unknown returns which of the names, with "org:" in front, no permission has.
func (r Rights) Unknown(names []string) []string {
	var unknown []string
	for _, name := range names {
		if _, known := r.permission(name); !known {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
