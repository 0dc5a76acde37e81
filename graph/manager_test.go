package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// fakeManager notes what it is asked for and changes nothing. It answers err where that is given.
type fakeManager struct {
	calls []string
	err   error
}

func (m *fakeManager) note(actor models.Actor, what string, of ...any) error {
	m.calls = append(m.calls, strings.TrimSpace(what+" by "+actor.UserID+": "+fmt.Sprintln(of...)))
	return m.err
}

func (m *fakeManager) CreateOrganization(_ context.Context, actor models.Actor, input models.OrganizationInput) (*models.OrganizationSummary, error) {
	return &models.OrganizationSummary{ID: "org_new", Name: *input.Name, Slug: input.Slug}, m.note(actor, "create", shown(input))
}

func (m *fakeManager) UpdateOrganization(_ context.Context, actor models.Actor, organizationID string, input models.OrganizationInput) error {
	return m.note(actor, "update", organizationID, shown(input))
}

func (m *fakeManager) DeleteOrganization(_ context.Context, actor models.Actor, organizationID string) error {
	return m.note(actor, "delete", organizationID)
}

func (m *fakeManager) InviteMembers(_ context.Context, actor models.Actor, organizationID string, people []models.InvitationInput) ([]models.InvitationResult, error) {
	results := make([]models.InvitationResult, len(people))
	for i, p := range people {
		results[i] = models.InvitationResult{Email: p.Email, Invitation: &models.Invitation{ID: "orginv_1", Email: &p.Email, Role: p.Role, Status: "pending"}}
		if p.Email == "nonsense" {
			results[i] = models.InvitationResult{Email: p.Email, Reason: models.ReasonInvalidEmail}
		}
	}
	return results, m.note(actor, "invite", organizationID, people)
}

func (m *fakeManager) RevokeInvitation(_ context.Context, actor models.Actor, organizationID, invitationID string) (*models.Invitation, error) {
	err := m.note(actor, "revoke", organizationID, invitationID)
	if !strings.HasPrefix(invitationID, "orginv_"+organizationID[len("org_"):]) {
		return nil, models.ErrNotFound
	}
	email := "canary@example.com"
	return &models.Invitation{ID: invitationID, Email: &email, Role: "org:member", Status: "revoked"}, err
}

func (m *fakeManager) AddMember(_ context.Context, actor models.Actor, organizationID, userID, role string) error {
	return m.note(actor, "add", organizationID, userID, role)
}

func (m *fakeManager) UpdateMemberRole(_ context.Context, actor models.Actor, organizationID, userID, role string) error {
	return m.note(actor, "role", organizationID, userID, role)
}

func (m *fakeManager) RemoveMember(_ context.Context, actor models.Actor, organizationID, userID string) error {
	return m.note(actor, "remove", organizationID, userID)
}

// shown is an input as JSON, without what is not given.
func shown(input models.OrganizationInput) string {
	given := map[string]any{}
	if input.Name != nil {
		given["name"] = *input.Name
	}
	if input.Slug != nil {
		given["slug"] = *input.Slug
	}
	if input.PublicMetadata != nil {
		given["metadata"] = input.PublicMetadata
	}
	text, err := json.Marshal(given)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (a *api) memberOf(organizationID, userID string) string {
	a.t.Helper()
	member, err := a.store.Org(organizationID).MemberByUser(a.t.Context(), userID)
	if err != nil {
		a.t.Fatal(err)
	}
	return member.GlobalID()
}

// Each mutation asks the manager for what its input says, in the viewer's organization and name.
func TestManagementReachesTheManager(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	guestID := a.memberOf(acme, "user_guest")
	for mutation, want := range map[string]struct{ call, field, is string }{
		`createOrganization(input: {name: "N", slug: "n-1"}) { organization { id name slug } }`: {`create by user_ada: {"name":"N","slug":"n-1"}`, "organization", `{"id":"org_new","name":"N","slug":"n-1"}`},
		`updateOrganization(input: {slug: "n"}) { organization { id } }`:                        {`update by user_ada: org_acme {"slug":"n"}`, "organization", `{"id":"org_acme"}`},
		`updateOrganization(input: {publicMetadata: {a: 1}}) { organization { id } }`:           {`update by user_ada: org_acme {"metadata":{"a":1}}`, "organization", `{"id":"org_acme"}`},
		`updateOrganization(input: {}) { organization { id } }`:                                 {``, "organization", `{"id":"org_acme"}`},
		`deleteOrganization(input: {expectedName: "acme"}) { deletedOrganizationId }`:           {`delete by user_ada: org_acme`, "deletedOrganizationId", `"org_acme"`},
		`leaveOrganization(input: {}) { leftOrganizationId }`:                                   {`remove by user_ada: org_acme user_ada`, "leftOrganizationId", `"org_acme"`},
		`inviteMembers(input: {invitations: [{email: "a@x.io", role: "org:member"}, {email: "nonsense", role: "org:admin"}]}) { results { email invitation { id } code } }`: {
			`invite by user_ada: org_acme [{a@x.io org:member} {nonsense org:admin}]`, "results",
			`[{"code":null,"email":"a@x.io","invitation":{"id":"orginv_1"}},{"code":"INVALID_EMAIL","email":"nonsense","invitation":null}]`,
		},
		`revokeInvitation(input: {id: "orginv_acme"}) { invitation { id status } }`:               {`revoke by user_ada: org_acme orginv_acme`, "invitation", `{"id":"orginv_acme","status":"REVOKED"}`},
		`addMember(input: {userId: "user_guest", role: "org:member"}) { member { id } }`:          {`add by user_ada: org_acme user_guest org:member`, "member", `{"id":"` + guestID + `"}`},
		`updateMemberRole(input: {memberId: "` + guestID + `", role: "org:x"}) { member { id } }`: {`role by user_ada: org_acme user_guest org:x`, "member", `{"id":"` + guestID + `"}`},
		`removeMember(input: {memberId: "` + guestID + `"}) { removedMemberId }`:                  {`remove by user_ada: org_acme user_guest`, "removedMemberId", `"` + guestID + `"`},
	} {
		a.manager.calls = nil
		ask := a.ask
		if want.call == "" {
			ask = a.askInVain
		}
		got := ask(ada, "mutation { "+mutation+" }", nil)
		name, _, _ := strings.Cut(mutation, "(")
		is, err := json.Marshal(got.At(name, want.field))
		if err != nil || got.Code() != "" || string(is) != want.is || strings.Join(a.manager.calls, ";") != want.call {
			t.Errorf("%s: calls %q, answer %s", mutation, a.manager.calls, got.Body)
		}
	}
}

// What cannot be taken does not reach Clerk; neither does what is another organization's.
func TestManagementRefusesBeforeClerk(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	gusID, adaID := a.memberOf(globex, "user_gus"), a.memberOf(acme, "user_ada")
	tooMany := strings.Repeat(`{email: "a@x.io", role: "org:member"},`, 11)
	for mutation, want := range map[string]string{
		`createOrganization(input: {name: "  "}) { organization { id } }`:                               "BAD_USER_INPUT name",
		`createOrganization(input: {name: "N", slug: "N n"}) { organization { id } }`:                   "BAD_USER_INPUT slug",
		`createOrganization(input: {name: "` + strings.Repeat("x", 257) + `"}) { organization { id } }`: "BAD_USER_INPUT name",
		`updateOrganization(input: {name: "N", publicMetadata: {a: 1}}) { organization { id } }`:        "BAD_USER_INPUT publicMetadata",
		`deleteOrganization(input: {expectedName: "globex"}) { deletedOrganizationId }`:                 "BAD_USER_INPUT expectedName",
		`leaveOrganization(input: {expectedName: "globex"}) { leftOrganizationId }`:                     "BAD_USER_INPUT expectedName",
		`inviteMembers(input: {invitations: []}) { results { code } }`:                                  "BAD_USER_INPUT invitations",
		`inviteMembers(input: {invitations: [` + tooMany + `]}) { results { code } }`:                   "BAD_USER_INPUT invitations",
		`inviteMembers(input: {invitations: [{email: "a@x.io", role: "admin"}]}) { results { code } }`:  "BAD_USER_INPUT invitations.0.role",
		`addMember(input: {userId: "user_x", role: "?"}) { member { id } }`:                             "BAD_USER_INPUT role",
		`updateMemberRole(input: {memberId: "` + adaID + `", role: ""}) { member { id } }`:              "BAD_USER_INPUT role",
		`updateMemberRole(input: {memberId: "` + gusID + `", role: "org:x"}) { member { id } }`:         "NOT_FOUND",
		`removeMember(input: {memberId: "` + gusID + `"}) { removedMemberId }`:                          "NOT_FOUND",
		`removeMember(input: {memberId: "user_ada"}) { removedMemberId }`:                               "NOT_FOUND of no member's id",
	} {
		ask := a.ask
		if vain, is := strings.CutSuffix(want, " of no member's id"); is {
			ask, want = a.askInVain, vain
		}
		got := ask(ada, "mutation { "+mutation+" }", nil)
		said := got.Code()
		if fields, has := got.Errors[0].Extensions["fields"].([]any); has {
			said += " " + fields[0].(map[string]any)["path"].(string)
		}
		if said != want || len(a.manager.calls) > 0 {
			t.Errorf("%s: %s, calls %q", mutation, got.Body, a.manager.calls)
		}
	}
}

// Who has left is nobody whose role can change.
func TestFormerMembersAreNotManaged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	left := time.Now()
	dbtest.Member(t, a.ownerURL, models.Member{OrganizationID: acme, UserID: "user_left", LeftAt: &left})
	id := a.memberOf(acme, "user_left")
	got := a.ask(ada, `mutation($id: ID!) { removeMember(input: {memberId: $id}) { removedMemberId } }`, variables{"id": id})
	if got.Code() != "NOT_FOUND" || len(a.manager.calls) > 0 {
		t.Errorf("%s, calls %q", got.Body, a.manager.calls)
	}
	refused := a.ask(ada, `{ organization { auditLog { nodes { action outcome targetType targetId } } } }`, nil)
	if entry := fmt.Sprint(refused.At("organization", "auditLog", "nodes", 0)); !strings.Contains(entry, "member.remove") || !strings.Contains(entry, "REFUSED") || !strings.Contains(entry, id) {
		t.Errorf("the entry: %s", refused.Body)
	}
}

// Deleting takes fresh proof of who it is, and neither deleting nor leaving is for who acts in another's name.
func TestDeletingTakesReverification(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	stale, acting := *ada, *ada
	stale.FactorVerificationAge = &[2]int{700, 700}
	acting.Actor = &auth.Actor{Subject: "user_support"}
	const remove, leave = `mutation { deleteOrganization(input: {}) { deletedOrganizationId } }`, `mutation { leaveOrganization(input: {}) { leftOrganizationId } }`
	if got := a.ask(&stale, remove, nil); got.Code() != "FORBIDDEN" || got.Errors[0].Extensions["clerk_error"] == nil {
		t.Errorf("stale: %s", got.Body)
	}
	for _, mutation := range []string{remove, leave} {
		if got := a.ask(&acting, mutation, nil); got.Code() != "FORBIDDEN" || got.Errors[0].Extensions["reason"] != "IMPERSONATION" {
			t.Errorf("acting: %s", got.Body)
		}
	}
	if len(a.manager.calls) > 0 {
		t.Errorf("calls %q", a.manager.calls)
	}
}

// Whoever acts in a user's name manages nothing, whatever the user may do, and whatever Clerk calls
// the actor.
func TestImpersonatorsAndAgentsDoNotManage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	adaID := a.memberOf(acme, "user_ada")
	managing := map[string]string{
		"createOrganization": `createOrganization(input: {name: "N"}) { organization { id } }`,
		"updateOrganization": `updateOrganization(input: {name: "N"}) { organization { id } }`,
		"deleteOrganization": `deleteOrganization(input: {}) { deletedOrganizationId }`,
		"leaveOrganization":  `leaveOrganization(input: {}) { leftOrganizationId }`,
		"inviteMembers":      `inviteMembers(input: {invitations: [{email: "a@x.io", role: "org:admin"}]}) { results { code } }`,
		"revokeInvitation":   `revokeInvitation(input: {id: "orginv_x"}) { invitation { id } }`,
		"addMember":          `addMember(input: {userId: "user_x", role: "org:admin"}) { member { id } }`,
		"updateMemberRole":   `updateMemberRole(input: {memberId: "` + adaID + `", role: "org:member"}) { member { id } }`,
		"removeMember":       `removeMember(input: {memberId: "` + adaID + `"}) { removedMemberId }`,
	}
	for _, word := range []string{"", "agent", "service"} {
		acting := *ada
		acting.Actor = &auth.Actor{Subject: "user_support", Type: word}
		for name, mutation := range managing {
			if got := a.ask(&acting, "mutation { "+mutation+" }", nil); got.Code() != "FORBIDDEN" || got.Errors[0].Extensions["reason"] != "IMPERSONATION" {
				t.Errorf("%s by an actor of type %q: %s", name, word, got.Body)
			}
		}
	}
	if len(a.manager.calls) > 0 {
		t.Errorf("calls %q", a.manager.calls)
	}
}

// createOrganization needs a session and nothing else.
func TestCreatingNeedsNoOrganization(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const create = `mutation { createOrganization(input: {name: "N"}) { organization { id name slug imageUrl } } }`
	if got := a.ask(nobody, create, nil); got.Code() != "UNAUTHENTICATED" || len(a.manager.calls) > 0 {
		t.Errorf("nobody: %s", got.Body)
	}
	if got := a.ask(nora, create, nil); got.Code() != "" || got.At("createOrganization", "organization", "name") != "N" {
		t.Errorf("Nora: %s", got.Body)
	}
}

// What goes wrong at Clerk has codes of ours.
func TestManagementErrors(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, c := range []struct {
		err  error
		code string
		key  string
		is   any
	}{
		{&models.RefusedError{Reason: models.ReasonLastAdmin}, "CONFLICT", "reason", "LAST_ADMIN"},
		{&models.UpstreamError{RetryAfter: 1500 * time.Millisecond}, "UPSTREAM_UNAVAILABLE", "retryAfter", 2.0},
		{fmt.Errorf("what: %w", models.ErrUnknownOutcome), "UNKNOWN_OUTCOME", "", nil},
		{models.ErrNotFound, "NOT_FOUND", "", nil},
		{fmt.Errorf("clerk said secret words"), "INTERNAL", "", nil},
	} {
		a.manager.err = c.err
		got := a.ask(ada, `mutation { leaveOrganization(input: {}) { leftOrganizationId } }`, nil)
		if got.Code() != c.code || !reflect.DeepEqual(got.Errors[0].Extensions[c.key], c.is) || strings.Contains(got.Body, "secret") {
			t.Errorf("%v: %s", c.err, got.Body)
		}
	}
}

// viewerCan says of a member what the mutations would.
func TestViewerCanManageMembers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const query = `query($id: ID!) { node(id: $id) { ... on Member { viewerCan { updateRole { allowed reason } remove { allowed reason } } } } }`
	for who, want := range map[*auth.Viewer]bool{ada: true, guest: false} {
		got := a.ask(who, query, variables{"id": a.memberOf(acme, "user_guest")})
		for _, what := range []string{"updateRole", "remove"} {
			if got.At("node", "viewerCan", what, "allowed") != want {
				t.Errorf("%s: %s", who.UserID, got.Body)
			}
		}
	}
}
