package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
)

// pushedRoles is roles.yml, except that members may delete documents and no longer update them, and auditors are new.
func pushedRoles(t *testing.T) []byte {
	t.Helper()
	text := string(rolesFile)
	for old, instead := range map[string]string{
		"\npermissions:\n":                 "\npermissions:\n  org:reports:export: {name: Export reports}\n",
		"\nroles:\n":                       "\nroles:\n  org:auditor: {name: Auditor, permissions: [org:documents:read, org:reports:export]}\n",
		"\n      - org:documents:update\n": "\n      - org:documents:delete\n",
	} {
		if strings.Count(text, old) != 1 {
			t.Fatalf("roles.yml does not have once: %s", old)
		}
		text = strings.Replace(text, old, instead, 1)
	}
	return []byte(text)
}

// What is pushed to a running server's local Clerk comes back as webhooks, and holds from then on.
func TestRolesArePushed(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	file := filepath.Join(t.TempDir(), "roles.yml")
	if err := os.WriteFile(file, pushedRoles(t), 0o600); err != nil {
		t.Fatal(err)
	}
	roles := func(code int, want string, args ...string) string {
		t.Helper()
		got, stdout, stderr := p.command(append([]string{"roles"}, args...)...)
		if got != code || !strings.Contains(stdout+stderr, want) {
			t.Fatalf("roles %q: exit %d, stdout %s, stderr %s", args, got, stdout, stderr)
		}
		return stdout
	}
	eventually := func(what string, ask func() gqltest.Answer, holds func(gqltest.Answer) bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			answer := ask()
			if holds(answer) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s", what, answer)
			}
		}
	}
	document := func(token, title string) any {
		made := p.ask(token, `mutation($t: String!) { createDocument(input: {title: $t, content: ""}) { document { id } } }`, variables{"t": title})
		return made.At("createDocument", "document", "id")
	}
	const (
		remove = `mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`
		update = `mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 1, title: "Changed"}) { document { id } } }`
		export = `{ viewer { can(permission: "org:reports:export") organization { name } } }`
	)
	members := func() string {
		_, _, text := p.do(http.MethodGet, "/__clerk/control/v1/state", nil, nil)
		var state struct{ Memberships json.RawMessage }
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			t.Fatal(err)
		}
		return string(state.Memberships)
	}
	roles(0, "is as roles.yml says", "diff")
	roles(1, "let org:member hold org:documents:delete", "diff", "--file", file)

	max, before := p.token("max", "acme"), members()
	own, foreign := document(max, "Of Acme"), document(p.token("gus", "globex"), "Of Globex")
	if denied := p.ask(max, remove, variables{"id": own}); denied.Code() != "FORBIDDEN" {
		t.Fatalf("before: %s", denied)
	}
	roles(1, "there is no terminal", "push", "--file", file)
	roles(1, "let org:member hold org:documents:delete", "diff", "--file", file)
	if done := roles(0, "done: create the role org:auditor", "push", "--file", file, "--yes"); strings.Count(done, "done:") != 5 {
		t.Errorf("push did %s", done)
	}
	roles(0, "is as "+file+" says", "diff", "--file", file)

	// What a role lost is refused with the token of before, what it gained comes with the next one. The server is the same.
	eventually("Max may no longer update", func() gqltest.Answer { return p.ask(max, update, variables{"id": own}) },
		func(a gqltest.Answer) bool { return a.Code() == "FORBIDDEN" })
	eventually("Max may not delete what is another organization's", func() gqltest.Answer { return p.ask(p.token("max", "acme"), remove, variables{"id": foreign}) },
		func(a gqltest.Answer) bool { return a.Code() == "NOT_FOUND" })
	eventually("Max may delete", func() gqltest.Answer { return p.ask(p.token("max", "acme"), remove, variables{"id": own}) },
		func(a gqltest.Answer) bool { return a.At("deleteDocument", "deletedDocumentId") == own })
	if still := p.ask(p.token("gus", "globex"), `query($id: ID!) { document(id: $id) { title } }`, variables{"id": foreign}); still.At("document", "title") != "Of Globex" {
		t.Errorf("Globex's document: %s", still)
	}
	if after := members(); after != before {
		t.Errorf("memberships were\n%s\nand are\n%s", before, after)
	}

	// A member of the new role may the new thing, in this organization only.
	p.control(http.MethodPatch, "memberships", variables{"organization": "acme", "user": "max", "role": "org:auditor"})
	eventually("an auditor may export", func() gqltest.Answer { return p.ask(p.token("max", "acme"), export, nil) },
		func(a gqltest.Answer) bool { return a.At("viewer", "can") == true })
	if ada := p.ask(p.token("ada", "globex"), export, nil); ada.At("viewer", "can") != false || ada.At("viewer", "organization", "name") != "Globex" {
		t.Errorf("a member elsewhere: %s", ada)
	}

	// Back to the file of this repository: a role with members stays.
	roles(1, "organization_role_assigned_members", "push", "--yes", "--prune")
	p.control(http.MethodPatch, "memberships", variables{"organization": "acme", "user": "max", "role": "org:member"})
	roles(0, "done: delete the permission org:reports:export", "push", "--yes", "--prune")
	roles(0, "is as roles.yml says", "diff")
}
