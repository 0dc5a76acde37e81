package clerk

import (
	"encoding/json"
	"net/http"
	"time"
)

// change makes a change of the state that a request asks for, and the body of
// its answer. An error is a *apiError.
type change func(s *state, r *http.Request, f *form, now time.Time) (any, error)

// writes are what the Backend API can change.
var writes = []struct {
	method, path string
	change       change
}{
	{http.MethodPost, "/organization_permissions", createPermission},
	{http.MethodPatch, "/organization_permissions/{id}", updatePermission},
	{http.MethodDelete, "/organization_permissions/{id}", deletePermission},
	{http.MethodPost, "/organization_roles", createRole},
	{http.MethodPatch, "/organization_roles/{id}", updateRole},
	{http.MethodDelete, "/organization_roles/{id}", deleteRole},
	{http.MethodPost, "/organization_roles/{id}/permissions/{permission}", assignPermission},
	{http.MethodDelete, "/organization_roles/{id}/permissions/{permission}", removePermission},
}

// write serves a change. It answers when the change is on the disk; the event
// is on its way then.
func (c *Clerk) write(change change) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := readForm(w, r)
		if err != nil {
			c.fail(w, err)
			return
		}
		var body any
		err = c.update(func(s *state) (err error) {
			if body, err = change(s, r, f, c.now()); err != nil {
				return err
			}
			return f.err()
		})
		if err != nil {
			c.fail(w, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}

// form reads the fields of a body, as query does those of a query.
type form struct {
	query
	fields map[string]json.RawMessage
}

// readForm reads a JSON object. Null, which Clerk's client sends where it has
// nothing to say, and no body at all are one without fields.
func readForm(w http.ResponseWriter, r *http.Request) (*form, error) {
	f := &form{}
	if r.ContentLength == 0 {
		return f, nil
	}
	if err := readJSON(w, r, &f.fields); err != nil {
		return nil, err
	}
	f.values = make(map[string][]string, len(f.fields))
	for name := range f.fields {
		f.values[name] = nil
	}
	return f, nil
}

// read reads a field into what its type is. A null is like a field that is not
// there: it says that nothing is asked for.
func (f *form) read(name string, into any, must string) {
	f.ignore(name)
	if raw, given := f.fields[name]; given && json.Unmarshal(raw, into) != nil {
		f.refuse("form_param_value_invalid", name, name+" must be "+must+".")
	}
}

func (f *form) text(name string) (value *string) {
	f.read(name, &value, "text")
	return value
}

func (f *form) list(name string) (values *[]string) {
	f.read(name, &values, "a list of text")
	return values
}

func (f *form) flag(name string) (value *bool) {
	f.read(name, &value, "true or false")
	return value
}

// given is a text, "" where it is not given.
func given(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

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
