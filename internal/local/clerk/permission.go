package clerk

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The rules of permissions, as changes of a state. Each queues its event. On a
// *apiError the state is to be thrown away, as update does.

var permissionForm = regexp.MustCompile(`^org:[a-z0-9_]+:[a-z0-9_]+$`)

// permissionChange is what is to be other than it is; nil stays.
type permissionChange struct {
	Key, Name, Description *string
}

func (s *state) createPermission(wanted Permission, now time.Time) (permission, error) {
	if err := s.checkPermissionKey(wanted.Key); err != nil {
		return permission{}, err
	}
	if strings.TrimSpace(wanted.Name) == "" {
		return permission{}, missing("name")
	}
	at := s.tick(now)
	p := permission{
		ID: newID("perm"), Key: wanted.Key, Name: wanted.Name, Description: wanted.Description, CreatedAt: at, UpdatedAt: at,
	}
	s.Permissions = append(s.Permissions, p)
	_, err := s.emit("permission.created", describePermission(p), now)
	return p, err
}

func (s *state) checkPermissionKey(key string) error {
	switch {
	case key == "":
		return missing("key")
	case !permissionForm.MatchString(key):
		return malformedKey("A permission's key is org:feature:permission, in small letters, digits and underscores.")
	case strings.HasPrefix(key, "org:sys_"):
		return malformedKey("org:sys_ is reserved for Clerk's own permissions.")
	}
	if _, taken := s.permissionByKey(key); taken {
		return exists("permission", key)
	}
	return nil
}

// changePermission also changes the key in the roles that hold it. Clerk's
// documentation does not say whether it sends role.updated then; this does not,
// so that nothing comes to rely on it.
func (s *state) changePermission(id string, change permissionChange, now time.Time) (permission, error) {
	i, err := s.customPermission(id)
	if err != nil {
		return permission{}, err
	}
	p := s.Permissions[i]
	if change.Key != nil && *change.Key != p.Key {
		if err := s.checkPermissionKey(*change.Key); err != nil {
			return permission{}, err
		}
		for at, r := range s.Roles {
			if place := slices.Index(r.Permissions, p.Key); place >= 0 {
				keys := slices.Clone(r.Permissions)
				keys[place] = *change.Key
				s.Roles[at].Permissions = keys
			}
		}
		p.Key = *change.Key
	}
	if change.Name != nil {
		if strings.TrimSpace(*change.Name) == "" {
			return permission{}, missing("name")
		}
		p.Name = *change.Name
	}
	if change.Description != nil {
		p.Description = *change.Description
	}
	p.UpdatedAt = s.tick(now)
	s.Permissions[i] = p
	_, err = s.emit("permission.updated", describePermission(p), now)
	return p, err
}

// deletePermission takes it from the roles, too, without role.updated, for the
// reason given at changePermission.
func (s *state) deletePermission(id string, now time.Time) error {
	i, err := s.customPermission(id)
	if err != nil {
		return err
	}
	key := s.Permissions[i].Key
	s.Permissions = slices.Delete(s.Permissions, i, i+1)
	for at, r := range s.Roles {
		s.Roles[at].Permissions = without(r.Permissions, key)
	}
	_, err = s.emit("permission.deleted", deletedBody{Object: "permission", ID: id, Deleted: true}, now)
	return err
}

// customPermission is the place of a permission that may be changed.
func (s *state) customPermission(id string) (int, error) {
	i := slices.IndexFunc(s.Permissions, func(p permission) bool { return p.ID == id })
	switch {
	case i < 0:
		return 0, gone("permission", id)
	case s.Permissions[i].system():
		return 0, &apiError{
			status: http.StatusForbidden, code: "organization_system_permission_not_modifiable",
			message: "organization system permission cannot be modified", long: s.Permissions[i].Key + " is one of Clerk's own permissions.",
		}
	}
	return i, nil
}

// without is a list less one of its keys; the list itself stays as it is.
func without(keys []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == key })
}

func malformedKey(long string) *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, code: "form_param_format_invalid", message: "is invalid", long: long, param: "key",
	}
}

func exists(noun, key string) *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, code: "form_identifier_exists",
		message: "already exists", long: "There is a " + noun + " " + quoted(key) + " already.", param: "key",
	}
}
