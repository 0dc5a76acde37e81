package clerk

import (
	"net/http"
	"time"
)

func createPermission(s *state, _ *http.Request, f *form, now time.Time) (any, error) {
	wanted := Permission{Key: given(f.text("key")), Name: given(f.text("name")), Description: given(f.text("description"))}
	if err := f.err(); err != nil {
		return nil, err
	}
	p, err := s.createPermission(wanted, now)
	return describePermission(p), err
}

func updatePermission(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	wanted := permissionChange{Key: f.text("key"), Name: f.text("name"), Description: f.text("description")}
	if err := f.err(); err != nil {
		return nil, err
	}
	p, err := s.changePermission(r.PathValue("id"), wanted, now)
	return describePermission(p), err
}

func deletePermission(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	id := r.PathValue("id")
	return deletedBody{Object: "permission", ID: id, Deleted: true}, s.deletePermission(id, now)
}

func createRole(s *state, _ *http.Request, f *form, now time.Time) (any, error) {
	wanted := Role{Key: given(f.text("key")), Name: given(f.text("name")), Description: given(f.text("description"))}
	f.flag("include_in_initial_role_set") // there are no role sets here: every organization has every role
	keys, err := s.permissionKeys(f.list("permissions"))
	if err := f.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if keys != nil {
		wanted.Permissions = *keys
	}
	made, err := s.createRole(wanted, now)
	return s.roleBody(made), err
}

func updateRole(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	wanted := roleChange{Key: f.text("key"), Name: f.text("name"), Description: f.text("description")}
	keys, err := s.permissionKeys(f.list("permissions"))
	if err := f.err(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	wanted.Permissions = keys
	changed, err := s.changeRole(r.PathValue("id"), wanted, now)
	return s.roleBody(changed), err
}

// permissionKeys are the keys of permissions named by their ids, nil where none
// were named.
func (s *state) permissionKeys(ids *[]string) (*[]string, error) {
	if ids == nil {
		return nil, nil
	}
	keys := make([]string, 0, len(*ids))
	for _, id := range *ids {
		p, known := find(s.Permissions, func(p permission) bool { return p.ID == id })
		if !known {
			return nil, gone("permission", id)
		}
		keys = append(keys, p.Key)
	}
	return &keys, nil
}

func deleteRole(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	id := r.PathValue("id")
	return deletedBody{Object: "role", ID: id, Deleted: true}, s.deleteRole(id, now)
}

func assignPermission(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	changed, err := s.assignPermission(r.PathValue("id"), r.PathValue("permission"), now)
	return s.roleBody(changed), err
}

func removePermission(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	changed, err := s.removePermission(r.PathValue("id"), r.PathValue("permission"), now)
	return s.roleBody(changed), err
}
