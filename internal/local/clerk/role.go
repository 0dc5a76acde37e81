package clerk

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The rules of roles, as changes of a state. Each queues its event. On a
// *apiError the state is to be thrown away, as update does.

var roleForm = regexp.MustCompile(`^org:[a-z0-9_]+$`)

const (
	// creatorRole is given to whoever makes an organization.
	creatorRole = "org:admin"
	// domainRole is given to whoever joins by their domain.
	domainRole = "org:member"
	// mostCustomRoles is how many an instance may have beside these two.
	mostCustomRoles = 10
)

// roleChange is what is to be other than it is; nil stays.
type roleChange struct {
	Key, Name, Description *string
	Permissions            *[]string // keys
}

func (s *state) createRole(wanted Role, now time.Time) (role, error) {
	if err := s.checkRoleKey(wanted.Key); err != nil {
		return role{}, err
	}
	if strings.TrimSpace(wanted.Name) == "" {
		return role{}, missing("name")
	}
	if s.customRoles() >= mostCustomRoles {
		return role{}, &apiError{
			status: http.StatusForbidden, code: "organization_instance_roles_quota_exceeded",
			message: "roles quota exceeded", long: "An instance may have up to 10 custom roles.",
		}
	}
	at := s.tick(now)
	r := role{
		ID: newID("role"), Key: wanted.Key, Name: wanted.Name, Description: wanted.Description,
		CreatorEligible: elevated(wanted.Permissions), Permissions: s.ordered(wanted.Permissions), CreatedAt: at, UpdatedAt: at,
	}
	s.Roles = append(s.Roles, r)
	_, err := s.emit("role.created", s.roleBody(r), now)
	return r, err
}

func (s *state) customRoles() int {
	n := 0
	for _, r := range s.Roles {
		if r.Key != creatorRole && r.Key != domainRole {
			n++
		}
	}
	return n
}

// ordered are keys in the order of the instance's permissions, each once.
func (s *state) ordered(keys []string) []string {
	ordered := make([]string, 0, len(keys))
	for _, p := range s.Permissions {
		if slices.Contains(keys, p.Key) {
			ordered = append(ordered, p.Key)
		}
	}
	return ordered
}

func (s *state) checkRoleKey(key string) error {
	switch {
	case key == "":
		return missing("key")
	case !roleForm.MatchString(key):
		return malformedKey("A role's key is org:role, in small letters, digits and underscores.")
	}
	if _, taken := s.roleByKey(key); taken {
		return exists("role", key)
	}
	return nil
}

// changeRole changes a role; members keep it when its key changes.
func (s *state) changeRole(id string, change roleChange, now time.Time) (role, error) {
	i, err := s.roleIndex(id)
	if err != nil {
		return role{}, err
	}
	r := s.Roles[i]
	if change.Key != nil && *change.Key != r.Key {
		if r.Key == creatorRole || r.Key == domainRole {
			return role{}, malformedKey("The local Clerk knows its default roles by their keys.")
		}
		if err := s.checkRoleKey(*change.Key); err != nil {
			return role{}, err
		}
		for at, m := range s.Memberships {
			if m.Role == r.Key {
				s.Memberships[at].Role = *change.Key
			}
		}
		for at, invited := range s.Invitations {
			if invited.Role == r.Key {
				s.Invitations[at].Role = *change.Key
			}
		}
		r.Key = *change.Key
	}
	if change.Name != nil {
		if strings.TrimSpace(*change.Name) == "" {
			return role{}, missing("name")
		}
		r.Name = *change.Name
	}
	if change.Description != nil {
		r.Description = *change.Description
	}
	if change.Permissions != nil {
		r.Permissions = s.ordered(*change.Permissions)
	}
	return s.putRole(i, r, now)
}

// putRole writes a changed role back.
func (s *state) putRole(i int, r role, now time.Time) (role, error) {
	r.CreatorEligible = elevated(r.Permissions)
	if r.Key == creatorRole && !r.CreatorEligible {
		return role{}, &apiError{
			status: http.StatusUnprocessableEntity, code: "organization_missing_creator_role_permissions",
			message: "missing permissions for creator role",
			long:    "The creator role must contain the following permissions: " + strings.Join(elevatedKeys, ", "),
		}
	}
	r.UpdatedAt = s.tick(now)
	s.Roles[i] = r
	_, err := s.emit("role.updated", s.roleBody(r), now)
	return r, err
}

// assignPermission lets a role hold a permission, too.
func (s *state) assignPermission(roleID, permissionID string, now time.Time) (role, error) {
	i, p, err := s.roleAndPermission(roleID, permissionID)
	if err != nil {
		return role{}, err
	}
	r := s.Roles[i]
	if slices.Contains(r.Permissions, p.Key) {
		return role{}, &apiError{
			status: http.StatusConflict, code: "organization_role_permission_association_exists",
			message: "permission already assigned to role", long: r.Key + " holds " + p.Key + " already.",
		}
	}
	r.Permissions = s.ordered(append(slices.Clone(r.Permissions), p.Key))
	return s.putRole(i, r, now)
}

// removePermission takes a permission from a role.
func (s *state) removePermission(roleID, permissionID string, now time.Time) (role, error) {
	i, p, err := s.roleAndPermission(roleID, permissionID)
	if err != nil {
		return role{}, err
	}
	r := s.Roles[i]
	if !slices.Contains(r.Permissions, p.Key) {
		return role{}, &apiError{
			status: http.StatusNotFound, code: "organization_role_permission_association_not_found",
			message: "permission not assigned to role", long: r.Key + " does not hold " + p.Key + ".",
		}
	}
	r.Permissions = without(r.Permissions, p.Key)
	return s.putRole(i, r, now)
}

func (s *state) roleAndPermission(roleID, permissionID string) (int, permission, error) {
	i, err := s.roleIndex(roleID)
	if err != nil {
		return 0, permission{}, err
	}
	p, known := find(s.Permissions, func(p permission) bool { return p.ID == permissionID })
	if !known {
		return 0, permission{}, gone("permission", permissionID)
	}
	return i, p, nil
}

// deleteRole deletes a role that nobody has and that Clerk gives to nobody.
func (s *state) deleteRole(id string, now time.Time) error {
	i, err := s.roleIndex(id)
	if err != nil {
		return err
	}
	refuse := func(code, message, long string) error {
		return &apiError{status: http.StatusUnprocessableEntity, code: code, message: message, long: long}
	}
	switch key := s.Roles[i].Key; {
	case key == creatorRole:
		return refuse("organization_role_default_creator_role", "role is used as the creator role", key+" is given to whoever makes an organization.")
	case key == domainRole:
		return refuse("organization_role_domain_default_role", "role is used as the domain default role", key+" is given to whoever joins by their domain.")
	case s.hasMembers(key):
		return refuse("organization_role_assigned_members", "role is assigned to organization members", key+" has members or pending invitations.")
	}
	s.Roles = slices.Delete(s.Roles, i, i+1)
	_, err = s.emit("role.deleted", deletedRoleBody{deletedBody: deletedBody{Object: "role", ID: id, Deleted: true}}, now)
	return err
}

func (s *state) roleIndex(id string) (int, error) {
	i := slices.IndexFunc(s.Roles, func(r role) bool { return r.ID == id })
	if i < 0 {
		return 0, gone("role", id)
	}
	return i, nil
}

// hasMembers tells whether somebody has a role, or would by accepting.
func (s *state) hasMembers(roleKey string) bool {
	return slices.ContainsFunc(s.Memberships, func(m membership) bool { return m.Role == roleKey }) ||
		slices.ContainsFunc(s.Invitations, func(i invitation) bool { return i.Status == statusPending && i.Role == roleKey })
}
