package clerk

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wantedChange is a write and what it must be answered with.
type wantedChange struct {
	method, route, path string
	body                any
	status              int
	code                string // of a refusal
	event               string
}

func (b backend) write(w wantedChange) (*http.Response, []byte) {
	b.t.Helper()
	r := b.request(w.method, backendPath+w.path, w.body)
	r.Header.Set("Authorization", b.get("/users").Header.Get("Authorization"))
	return b.send(r)
}

// changes go through one instance, one after the other.
func changes() []wantedChange {
	const (
		permissions, permission = "/organization_permissions", "/organization_permissions/{id}"
		roles, role             = "/organization_roles", "/organization_roles/{id}"
		held                    = "/organization_roles/{id}/permissions/{permission}"
	)
	documents, system := seededID("perm", "DocumentsRead"), seededID("perm", "SysProfileManage")
	guest, admin, member := seededID("role", "Guest"), seededID("role", "Admin"), seededID("role", "Member")
	post, patch, remove := http.MethodPost, http.MethodPatch, http.MethodDelete
	return []wantedChange{
		{post, permissions, permissions, object{"key": "org:reports:export", "name": "Export", "description": "All"}, 200, "", "permission.created"},
		{post, permissions, permissions, object{"key": "org:reports:read", "name": "Read"}, 200, "", "permission.created"},
		{post, permissions, permissions, object{"key": "org:reports:export", "name": "Export"}, 422, "form_identifier_exists", ""},
		{post, permissions, permissions, object{"key": "org:reports", "name": "Export"}, 422, "form_param_format_invalid", ""},
		{post, permissions, permissions, object{"key": "org:sys_reports:read", "name": "Export"}, 422, "form_param_format_invalid", ""},
		{post, permissions, permissions, object{"key": "org:a:b", "name": "B", "type": "system"}, 422, "form_param_unknown", ""},
		{post, permissions, permissions, object{"key": "org:a:b", "name": 7}, 422, "form_param_value_invalid", ""},
		{post, permissions, permissions, object{"key": "org:a:b"}, 422, "form_param_nil", ""},
		{post, permissions, permissions, object{"name": "B"}, 422, "form_param_nil", ""},
		{patch, permission, permissions + "/" + documents, object{"name": "See"}, 200, "", "permission.updated"},
		{patch, permission, permissions + "/" + documents, object{"key": "org:documents:update"}, 422, "form_identifier_exists", ""},
		{patch, permission, permissions + "/" + documents, object{"name": " "}, 422, "form_param_nil", ""},
		{patch, permission, permissions + "/" + system, object{"name": "See"}, 403, "organization_system_permission_not_modifiable", ""},
		{patch, permission, permissions + "/perm_none", object{"name": "See"}, 404, "resource_not_found", ""},
		{remove, permission, permissions + "/" + system, nil, 403, "organization_system_permission_not_modifiable", ""},
		{remove, permission, permissions + "/perm_none", nil, 404, "resource_not_found", ""},
		{post, roles, roles, object{"key": "org:auditor", "name": "Auditor", "permissions": []string{documents}, "include_in_initial_role_set": true}, 200, "", "role.created"},
		{post, roles, roles, object{"key": "org:empty", "name": "Empty", "description": "Nothing", "permissions": nil}, 200, "", "role.created"},
		{post, roles, roles, object{"key": "org:auditor", "name": "Auditor"}, 422, "form_identifier_exists", ""},
		{post, roles, roles, object{"key": "auditor", "name": "Auditor"}, 422, "form_param_format_invalid", ""},
		{post, roles, roles, object{"key": "org:x"}, 422, "form_param_nil", ""},
		{post, roles, roles, object{"key": "org:x", "name": "X", "permissions": []string{"perm_none"}}, 404, "resource_not_found", ""},
		{post, roles, roles, object{"key": "org:x", "name": "X", "permissions": "all"}, 422, "form_param_value_invalid", ""},
		{patch, role, roles + "/" + guest, object{"name": "Visitor", "description": "Sees", "permissions": []string{documents}}, 200, "", "role.updated"},
		{patch, role, roles + "/" + admin, object{"permissions": []string{documents}}, 422, "organization_missing_creator_role_permissions", ""},
		{patch, role, roles + "/role_none", object{"name": "X"}, 404, "resource_not_found", ""},
		{post, held, roles + "/" + guest + "/permissions/" + seededID("perm", "DocumentsUpdate"), nil, 200, "", "role.updated"},
		{post, held, roles + "/" + guest + "/permissions/" + documents, nil, 409, "organization_role_permission_association_exists", ""},
		{post, held, roles + "/" + guest + "/permissions/perm_none", nil, 404, "resource_not_found", ""},
		{post, held, roles + "/role_none/permissions/" + documents, nil, 404, "resource_not_found", ""},
		{remove, held, roles + "/" + guest + "/permissions/" + documents, nil, 200, "", "role.updated"},
		{remove, held, roles + "/" + guest + "/permissions/" + documents, nil, 404, "organization_role_permission_association_not_found", ""},
		{remove, held, roles + "/" + admin + "/permissions/" + seededID("perm", "SysProfileDelete"), nil, 422, "organization_missing_creator_role_permissions", ""},
		{remove, role, roles + "/" + admin, nil, 422, "organization_role_default_creator_role", ""},
		{remove, role, roles + "/" + member, nil, 422, "organization_role_domain_default_role", ""},
		{remove, role, roles + "/" + guest, nil, 200, "", "role.deleted"},
		{remove, role, roles + "/" + guest, nil, 404, "resource_not_found", ""},
		{remove, permission, permissions + "/" + documents, nil, 200, "", "permission.deleted"},
	}
}

// tryWrites makes changes one after the other: each is answered, and told of in
// events, as wanted, or changes nothing.
func (b backend) tryWrites(c *Clerk, all []wantedChange) {
	b.t.Helper()
	for _, w := range all {
		w.path = named(c, w.path)
		before := c.current.Load()
		response, data := b.write(w)
		var refused errorBody
		_ = json.Unmarshal(data, &refused)
		code := ""
		if len(refused.Errors) == 1 {
			code = refused.Errors[0].Code
		}
		after := c.current.Load()
		var events []string
		told := false
		for _, m := range after.Queue[len(before.Queue):] {
			events = append(events, m.Type)
			told = told || strings.Contains(m.Body, strings.TrimSuffix(strings.TrimSpace(string(data)), "}"))
		}
		if response.StatusCode != w.status || code != w.code || strings.Join(events, " ") != w.event {
			b.t.Errorf("%s %s %v: %d %s, events %q", w.method, w.path, w.body, response.StatusCode, data, events)
		}
		if w.event == "" && after != before {
			b.t.Errorf("%s %s %v was refused and changed something", w.method, w.path, w.body)
		}
		if w.event != "" && !strings.HasSuffix(w.route, "/bulk") && !told { // a list is told of one by one
			b.t.Errorf("%s %s: the answer is %s, and no event has it", w.method, w.path, data)
		}
	}
	if err := c.current.Load().check(); err != nil {
		b.t.Error(err)
	}
}

var nameInPath = regexp.MustCompile(`\$(org|inv):([^/]+)`)

// named replaces $org:SLUG and $inv:ADDRESS, the last of that address.
func named(c *Clerk, path string) string {
	s := c.current.Load()
	return nameInPath.ReplaceAllStringFunc(path, func(name string) string {
		kind, name, _ := strings.Cut(name, ":")
		if kind == "$org" {
			o, _ := s.organization(name)
			return o.ID
		}
		id := "orginv_none"
		for _, i := range s.Invitations {
			if i.Email == name {
				id = i.ID
			}
		}
		return id
	})
}

func TestBackendWritesRolesAndPermissions(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	memberships := c.current.Load().Memberships
	b.tryWrites(c, changes())
	s := c.current.Load()
	auditor, _ := s.roleByKey("org:auditor")
	if len(auditor.Permissions) != 0 {
		t.Errorf("an auditor holds a permission that was deleted: %q", auditor.Permissions)
	}
	if diff := cmp.Diff(memberships, s.Memberships); diff != "" {
		t.Errorf("memberships changed:\n%s", diff)
	}
}

func TestEveryWriteIsTried(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, w := range allChanges() {
		tried[w.method+" "+w.route] = true
	}
	for _, w := range writes {
		if !tried[w.method+" "+w.path] {
			t.Errorf("%s %s is not tried", w.method, w.path)
		}
	}
}

// allChanges can go through one instance one after the other.
func allChanges() []wantedChange {
	return slices.Concat(changes(), organizationChanges(), membershipChanges(), invitationChanges(), userChanges())
}

func TestARoleOfMembersIsNotDeleted(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	var out membershipOutput
	b.ok("PATCH", membershipsPath, object{"organization": "globex", "user": "ada", "role": "org:guest"}, &out)
	w := wantedChange{method: http.MethodDelete, path: "/organization_roles/" + seededID("role", "Guest")}
	if response, data := b.write(w); response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(data), "organization_role_assigned_members") {
		t.Errorf("%d %s", response.StatusCode, data)
	}
}

func TestThereAreTenCustomRoles(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	var statuses []int
	for _, name := range strings.Fields("a b c d e f g h i j") {
		response, _ := b.write(wantedChange{method: "POST", path: "/organization_roles", body: object{"key": "org:" + name, "name": name}})
		statuses = append(statuses, response.StatusCode)
	}
	if !slices.Equal(statuses, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 403}) { // guests are one
		t.Errorf("%v", statuses)
	}
}

func TestBackendWritesNeedTheSecretKey(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	before := c.current.Load()
	r := b.request("POST", backendPath+"/organization_permissions", object{"key": "org:a:b", "name": "B"})
	b.refused(r, 401, "authentication_invalid")
	if c.current.Load() != before {
		t.Error("something changed")
	}
}

// The answers to writes, too, are those of the specification.
func TestBackendWritesFollowTheSpecification(t *testing.T) {
	t.Parallel()
	s := openSpecification(t)
	c := openUnlimited(t)
	b := serveBackend(t, c)
	for _, w := range allChanges() {
		w.path = named(c, w.path)
		response, data := b.write(w)
		sent, err := json.Marshal(w.body)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), w.method, "https://api.clerk.com/v1"+w.path, bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer sk_test_specification")
		request.Header.Set("Content-Type", "application/json")
		for _, problem := range s.problemsOf(request, w.route, response, data) {
			t.Error(problem)
		}
		if response.StatusCode == http.StatusOK && strings.HasPrefix(w.route, "/organization_roles") && w.method != http.MethodDelete {
			changed := bytes.Replace(data, []byte(`"is_creator_eligible"`), []byte(`"creator"`), 1)
			request.Body = io.NopCloser(bytes.NewReader(sent))
			if len(s.problemsOf(request, w.route, response, changed)) == 0 {
				t.Errorf("%s: a wrong answer passes", w.path)
			}
		}
	}
}
