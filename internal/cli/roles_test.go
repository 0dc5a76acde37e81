package cli

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/local/clerk"
)

// ownInstance is an instance, as Clerk makes a new one, behind the variables that name it.
func ownInstance(t *testing.T) environment {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	return environment{
		"CLERK_SECRET_KEY": local.SecretKey(), "CLERK_PUBLISHABLE_KEY": local.PublishableKey(),
		"CLERK_API_URL": server.URL + LocalBackendPath,
	}
}

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "roles.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What Clerk has differs from the file of this build until it is pushed.
func TestRolesOfAClerkOfOnesOwn(t *testing.T) {
	t.Parallel()
	env := ownInstance(t)
	o := run(t, env, "roles", "diff")
	for _, want := range []string{
		"to be as the roles.yml of this build says, https://clerk.tenantry.localhost has to",
		"\n  create the permission org:notes:read\n", "\n  let org:admin hold org:notes:read\n", "\n  delete the role org:member\n",
		"\nthe schema asks for org:notes:print, which neither the roles.yml of this build nor Clerk knows\n",
	} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("stdout %q lacks %q", o.stdout, want)
		}
	}
	if o.code != 1 || !strings.Contains(o.stderr, "`tenantry roles push`") || strings.Contains(o.stdout, "asks for org:notes:read") {
		t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}

	// Tests have no terminal.
	o = run(t, env, "roles", "push")
	if o.code != 1 || !strings.Contains(o.stderr, "nothing was changed: there is no terminal to ask at") || !strings.Contains(o.stderr, "--yes") || strings.Contains(o.stdout, "done:") {
		t.Errorf("push: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	o = run(t, env, "roles", "push", "--yes")
	if o.code != 0 || strings.Count(o.stdout, "done:") != 3 || !strings.Contains(o.stdout, "--prune deletes it") {
		t.Errorf("push --yes: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	var left struct {
		Equal              bool
		Steps, OnlyInClerk []struct{ Action, Role, Permission string }
		Unknown            []string
	}
	o = run(t, env, "roles", "diff", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &left); err != nil {
		t.Fatal(err)
	}
	if o.code != 1 || left.Equal || len(left.Steps) != 0 || len(left.OnlyInClerk) != 1 || left.OnlyInClerk[0].Role != "org:member" || len(left.Unknown) != 1 {
		t.Errorf("exit %d, %s", o.code, o.stdout)
	}
	// It is what Clerk gives to whoever joins by their domain, so Clerk keeps it.
	o = run(t, env, "roles", "push", "--yes", "--prune")
	if o.code != 1 || !strings.Contains(o.stderr, "organization_role_domain_default_role") || !strings.Contains(o.stderr, "delete the role org:member") {
		t.Errorf("push --prune: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	o = run(t, env, "roles", "diff", "--file", written(t, builtIn+
		"  org:member: {name: Member, description: Role with non-privileged permissions, permissions: [org:sys_billing:read, org:sys_memberships:read]}\n"))
	if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, "https://clerk.tenantry.localhost is as ") {
		t.Errorf("equal: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}

func TestRolesThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	env := ownInstance(t)
	for name, test := range map[string]struct {
		env  environment
		args []string
		code int
		want string
	}{
		"a wrong file":      {env, []string{"--file", written(t, "permissions:\n  org:notes: {name: X}\nroles:\n")}, 1, "line 2: org:notes is not a permission"},
		"no such file":      {env, []string{"--file", filepath.Join(t.TempDir(), "none.yml")}, 1, "no such file"},
		"a stranger's key":  {env.with("CLERK_SECRET_KEY", secretTest), nil, 1, "does not take the secret key"},
		"half of the keys":  {env.without("CLERK_PUBLISHABLE_KEY"), nil, 2, "CLERK_PUBLISHABLE_KEY"},
		"nobody runs":       {nil, []string{"--dir", t.TempDir()}, 1, "no server runs here"},
		"an empty variable": {env.with("CLERK_SECRET_KEY", ""), nil, 2, "CLERK_SECRET_KEY is set but empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range [][]string{{"roles", "diff"}, {"roles", "push", "--yes"}} {
				o := run(t, test.env, append(command, test.args...)...)
				if o.code != test.code || o.stdout != "" || !strings.Contains(o.stderr, test.want) || strings.Contains(o.stderr, "sk_test_") {
					t.Errorf("%q: exit %d, stdout %q, stderr %q", command, o.code, o.stdout, o.stderr)
				}
			}
		})
	}
}

func TestWhoMayBeAsked(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, " yes \n": true, "n\n": false, "\n": false, "": false, "y": false, "yesterday\n": false} {
		if saysYes(strings.NewReader(answer)) != want {
			t.Errorf("%q", answer)
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Open(written(t, "y\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if canAsk(null) || canAsk(file) || canAsk(strings.NewReader("y\n")) {
		t.Error("there is nobody to ask")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Logf("no terminal can be had here: %v", err)
		return
	}
	defer terminal.Close()
	if !canAsk(terminal) {
		t.Error("a terminal is not asked")
	}
}

// threeRoles are as many as roles.yml has.
var threeRoles = clerk.Rights{Roles: []clerk.Role{
	{Key: "org:admin", Name: "Admin", Permissions: []string{"org:sys_memberships:read", "org:sys_memberships:manage", "org:sys_profile:delete"}},
	{Key: "org:member", Name: "Member", Permissions: []string{"org:sys_memberships:read"}},
	{Key: "org:guest", Name: "Guest"},
}}
