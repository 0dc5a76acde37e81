package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// TestManagementStory is what a product's settings pages do, through the whole program and the local Clerk: nothing waits
// for a webhook, and no other organization notices.
func TestManagementStory(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	const others = `{ organization { name members(first: 10) { nodes { id name role } totalCount } invitations { totalCount } auditLog { totalCount } documents { totalCount } } }`
	before := [2]string{p.ask(p.token("ada", "acme"), others, nil).Body, p.ask(p.token("gus", "globex"), others, nil).Body}

	created := p.ask(p.token("nora", ""), `mutation { createOrganization(input: {name: "Norakraft"}) { organization { id name slug } } }`, nil)
	if created.At("createOrganization", "organization", "slug") != "norakraft" {
		t.Fatalf("creating: %s", created)
	}
	nora := p.token("nora", "norakraft")
	at := func(token, query string, path ...any) any {
		t.Helper()
		got := p.ask(token, query, nil)
		if got.Code() != "" {
			t.Errorf("%s: %s", query, got)
		}
		return got.At(path...)
	}
	if role := at(nora, `{ viewer { memberships { nodes { role organization { name } } } membership { role } } }`, "viewer", "memberships", "nodes", 0, "role"); role != "org:admin" {
		t.Errorf("Nora is %v of her organization", role)
	}
	results := p.ask(nora, `mutation { inviteMembers(input: {invitations: [{email: "max@acme.example", role: "org:member"}, {email: "gus@globex.example", role: "org:admin"},
		{email: "nonsense", role: "org:member"}]}) { results { email invitation { id status } code } } }`, nil)
	if results.At("inviteMembers", "results", 2, "code") != "INVALID_EMAIL" || results.At("inviteMembers", "results", 1, "invitation", "status") != "PENDING" {
		t.Errorf("inviting: %s", results)
	}
	p.control(http.MethodPost, "invitations/accept", variables{"organization": "norakraft", "user": "max"})
	p.eventually("Max is a member, and one invitation is pending", func() bool {
		got := p.ask(nora, `{ organization { invitations { totalCount } members { totalCount } } }`, nil)
		return got.At("organization", "invitations", "totalCount") == 1.0 && got.At("organization", "members", "totalCount") == 2.0
	})
	max := at(nora, `{ organization { members(search: "planck") { nodes { id } } } }`, "organization", "members", "nodes", 0, "id")
	promote := fmt.Sprintf(`mutation { updateMemberRole(input: {memberId: %q, role: "org:admin"}) { member { role } } }`, max)
	if got := p.ask(p.token("max", "norakraft"), promote, nil); got.Code() != "FORBIDDEN" {
		t.Errorf("a member makes himself an admin: %s", got)
	}
	if role := at(nora, promote, "updateMemberRole", "member", "role"); role != "org:admin" {
		t.Errorf("Max is %v", role)
	}
	at(p.token("max", "norakraft"), `mutation { leaveOrganization(input: {}) { leftOrganizationId } }`)
	for _, alone := range []string{
		`mutation { leaveOrganization(input: {}) { leftOrganizationId } }`,
		fmt.Sprintf(`mutation { updateMemberRole(input: {memberId: %q, role: "org:member"}) { member { role } } }`,
			at(nora, `{ organization { members { nodes { id } } } }`, "organization", "members", "nodes", 0, "id")),
	} {
		if got := p.ask(nora, alone, nil); got.Code() != "CONFLICT" || got.Errors[0].Extensions["reason"] != "LAST_ADMIN" {
			t.Errorf("the last admin: %s", got)
		}
	}
	var told []any
	for i := range 8 {
		told = append(told, at(nora, `{ organization { auditLog { nodes { action outcome actor { name } } } } }`, "organization", "auditLog", "nodes", i, "action"))
	}
	if want := fmt.Sprint([]any{
		"member.update_role", "member.leave", "member.leave", "member.update_role", "invitation.create", "organization.create", "document.create", nil,
	}); fmt.Sprint(told) != want {
		t.Errorf("the audit log tells %v, want %s", told, want)
	}
	if id := at(nora, `mutation { deleteOrganization(input: {}) { deletedOrganizationId } }`, "deleteOrganization", "deletedOrganizationId"); id != created.At("createOrganization", "organization", "id") {
		t.Errorf("deleted is %v", id)
	}
	if got := p.ask(nora, `{ organization { name } }`, nil); got.Code() != "NO_ACTIVE_ORGANIZATION" {
		t.Errorf("afterwards: %s", got)
	}
	after := [2]string{p.ask(p.token("ada", "acme"), others, nil).Body, p.ask(p.token("gus", "globex"), others, nil).Body}
	if after != before {
		t.Errorf("the other organizations were\n%s\nand are\n%s", before, after)
	}
}
