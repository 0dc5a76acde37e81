package auth

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What stands in the file of this repository, which the documentation and the local Clerk's people rely on.
func TestTheFileOfThisRepository(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../roles.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCatalogue(text)
	if err != nil {
		t.Fatal(err)
	}
	documents := []string{"org:documents:read", "org:documents:create", "org:documents:update", "org:documents:delete"}
	own := append(slices.Clip(documents), "org:audit_log:read")
	want := []CatalogueRole{
		{Key: "org:admin", Name: "Admin", Description: "Role with elevated permissions", All: true, Permissions: append(SystemPermissions(), own...)},
		{Key: "org:member", Name: "Member", Description: "Role with non-privileged permissions", Permissions: append([]string{"org:sys_memberships:read", "org:sys_billing:read"}, documents[:3]...)},
		{Key: "org:guest", Name: "Guest", Description: "Role without permissions", Permissions: []string{}},
	}
	// A product adds permissions of its own.
	for i, role := range c.Roles {
		c.Roles[i].Permissions = slices.DeleteFunc(slices.Clone(role.Permissions), func(key string) bool {
			return !slices.Contains(own, key) && !slices.Contains(SystemPermissions(), key)
		})
	}
	if diff := cmp.Diff(want, c.Roles); diff != "" {
		t.Errorf("roles (-want +got)\n%s", diff)
	}
	for _, key := range append(SystemPermissions(), own...) {
		if !c.HasPermission(key) {
			t.Errorf("%s is not known", key)
		}
	}
	if diff := cmp.Diff([]string{"org:admin", "org:member"}, c.RolesWith("org:documents:update")); diff != "" {
		t.Error(diff)
	}
	if c.HasPermission("documents:read") || c.HasPermission("org:documents:export") || !c.HasRole("org:guest") || c.HasRole("org:owner") {
		t.Error("what is known")
	}
}

const (
	fine    = "permissions:\n  org:notes:read: {name: Read notes}\n"
	creator = "roles:\n  org:admin: {name: Admin, permissions: all}\n"
)

func TestParseCatalogue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"fine":                    {fine + creator, ""},
		"roles first":             {"roles:\n  org:admin: {name: A, permissions: all}\n  org:x: {name: X, permissions: [org:notes:read]}\n" + fine, ""},
		"quoted and commented":    {"# ours\npermissions:\n  \"org:notes:read\":\n    name: 'Read notes' # or so\n    description: |\n      All of them.\n" + creator, ""},
		"no permissions of ours":  {"permissions:\n" + creator, ""},
		"no permissions section":  {creator, ""},
		"marked document":         {"---\n" + fine + creator, ""},
		"empty":                   {"", "line 1: there is nothing here: write permissions: and roles:"},
		"comment only":            {"# nothing\n", "line 1: there is nothing here: write permissions: and roles:"},
		"not YAML":                {"roles: [", "line 1: this is not YAML"},
		"two documents":           {fine + creator + "---\n" + creator, "a second document begins here"},
		"a list":                  {"- roles\n", "line 1: the file must be names"},
		"unknown section":         {"features: {}\n" + creator, "line 1: features is not known in the file: it may have permissions, roles"},
		"no roles":                {fine, "line 1: roles: is missing"},
		"empty roles":             {fine + "roles:\n", "line 3: roles: is empty"},
		"section twice":           {fine + creator + fine, "line 5: permissions is here a second time"},
		"permission twice":        {fine + "  org:notes:read: {name: Again}\n" + creator, "line 3: org:notes:read is here a second time: take one of them away"},
		"role twice":              {fine + creator + "  org:admin: {name: Again, permissions: []}\n", "line 5: org:admin is here a second time"},
		"field twice":             {"permissions:\n  org:notes:read: {name: A, name: B}\n" + creator, "line 2: name is here a second time"},
		"unknown field":           {"permissions:\n  org:notes:read: {name: A, title: B}\n" + creator, "line 2: title is not known in org:notes:read: it may have name, description"},
		"unknown field of a role": {"roles:\n  org:admin: {name: A, rank: 1, permissions: all}\n", "line 2: rank is not known in org:admin: it may have name, description, permissions"},
		"no permission's form":    {"permissions:\n  org:notes: {name: A}\n" + creator, "line 2: org:notes is not a permission: write org:feature:permission"},
		"capital letters":         {"permissions:\n  org:Notes:read: {name: A}\n" + creator, "line 2: org:Notes:read is not a permission"},
		"a hyphen":                {"permissions:\n  org:my-notes:read: {name: A}\n" + creator, "line 2: org:my-notes:read is not a permission"},
		"declared system":         {"permissions:\n  org:sys_profile:manage: {name: A}\n" + creator, "line 2: org:sys_profile:manage begins with org:sys_"},
		"no name":                 {"permissions:\n  org:notes:read: {description: A}\n" + creator, "line 2: org:notes:read has no name: write name:"},
		"nothing behind it":       {"permissions:\n  org:notes:read:\n" + creator, "line 2: org:notes:read has no name: write name:"},
		"name of a role":          {"roles:\n  org:admin: {permissions: all}\n", "line 2: org:admin has no name"},
		"a number for a name":     {"permissions:\n  org:notes:read: {name: 5}\n" + creator, "line 2: name of org:notes:read must be text: put it in quotes"},
		"an alias for a name":     {"permissions:\n  org:notes:read: {name: &a A}\n" + creator, "line 2: name of org:notes:read must be text"},
		"text for a permission":   {"permissions:\n  org:notes:read: Read notes\n" + creator, "line 2: org:notes:read must be names"},
		"permissions in a list":   {"permissions:\n  - org:notes:read\n" + creator, "line 2: permissions must be names"},
		"a number for a key":      {"permissions:\n  5: {name: A}\n" + creator, "line 2: a name must be text here, and not 5"},
		"no role's form":          {creator + "  admin: {name: A, permissions: all}\n", "line 3: admin is not a role: write org:role"},
		"role with a permission":  {creator + "  org:notes:read: {name: A, permissions: all}\n", "line 3: org:notes:read is not a role"},
		"holds nothing said":      {creator + "  org:x: {name: X}\n", "line 3: org:x does not say what it holds: write permissions: with a list, [] for none, or all"},
		"holds null":              {creator + "  org:x:\n    name: X\n    permissions:\n", "line 3: org:x does not say what it holds"},
		"holds a word":            {creator + "  org:x: {name: X, permissions: every}\n", "line 3: permissions of org:x must be a list of permissions, [] for none, or all"},
		"holds what is malformed": {creator + "  org:x: {name: X, permissions: [notes]}\n", "line 3: org:x holds notes, which is not a permission"},
		"holds a number":          {creator + "  org:x: {name: X, permissions: [7]}\n", "line 3: org:x holds 7, which is not a permission"},
		"holds twice":             {creator + "  org:x:\n    name: X\n    permissions:\n      - org:sys_billing:read\n      - org:sys_billing:read\n", "line 7: org:x holds org:sys_billing:read twice"},
		"undeclared":              {fine + creator + "  org:x: {name: X, permissions: [org:notes:raed]}\n", "line 5: org:x holds org:notes:raed, which is not declared (did you mean org:notes:read?): add it under permissions:"},
		"undeclared, like none":   {fine + creator + "  org:x: {name: X, permissions: [org:a:b]}\n", "line 5: org:x holds org:a:b, which is not declared: add it under permissions:"},
		"no system permission":    {creator + "  org:x: {name: X, permissions: [org:sys_memberships:raed]}\n", "line 3: org:x holds org:sys_memberships:raed, which is none of Clerk's own permissions (did you mean org:sys_memberships:read?)"},
		"no creator":              {fine + "roles:\n  org:x: {name: X, permissions: [org:sys_memberships:read, org:notes:read]}\n", "line 3: no role holds org:sys_memberships:read, org:sys_memberships:manage, org:sys_profile:delete"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseCatalogue([]byte(test.text))
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("got %v, want one line with %q", err, test.want)
			case test.want != "" && (c.Roles != nil || c.Permissions != nil):
				t.Errorf("a catalogue beside an error: %+v", c)
			}
		})
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseCatalogue([]byte("permissions:\n  notes: {name: A}\n  org:a:b: {}\nroles:\n  org:x: {name: X, permissions: [org:c:d]}\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add([]byte(fine + creator))
	f.Add([]byte("a: &x [*x]\n<<: *x\n"))
	f.Add([]byte("? [a]\n: !!binary b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCatalogue(text)
		if err == nil && len(c.Roles) == 0 {
			t.Error("no error and no roles")
		}
	})
}
