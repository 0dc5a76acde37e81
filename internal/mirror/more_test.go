package mirror

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

const session = "sess_3AbQq6TwGeX7dHnJfK5uLqN0yQz"

// TestReceiveKeepsTheOtherKinds receives each sample in an order that Clerk might send them in.
func TestReceiveKeepsTheOtherKinds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	const invitation = "SELECT concat_ws(' ', organization_id = '" + acme + "', email_address, role, status, user_id, expires_at, dead) FROM clerk.invitations"
	const domain = "SELECT concat_ws(' ', organization_id = '" + acme + "', name, enrollment_mode, verified, dead) FROM clerk.domains"
	const permission = "SELECT concat_ws(' ', key, name, description, type, dead) FROM clerk.permissions"
	const ended = "SELECT concat_ws(' ', id = '" + session + "', user_id = '" + ada + "', revoked_at, count(*) OVER ()) FROM clerk.revoked_sessions"
	for _, step := range []struct{ name, query, want string }{
		{"organizationInvitation.created", invitation, "t bob@acme.example org:member pending  1785492300000 f"},
		{"organizationInvitation.revoked", invitation, "t bob@acme.example org:member revoked  1785492300000 f"},
		{"organizationInvitation.accepted", invitation, "t bob@acme.example org:member accepted " + bob + " 1785492300000 f"},
		{"organizationDomain.created", domain, "t acme.example manual_invitation f f"},
		{"organizationDomain.updated", domain, "t acme.example automatic_invitation t f"},
		{"organizationDomain.deleted", domain, "t acme.example automatic_invitation t t"},
		{"permission.created", permission, "org:documents:read Read documents View documents user f"},
		{"permission.updated", permission, "org:documents:read Read documents View all documents user f"},
		{"permission.deleted", permission, "org:documents:read Read documents View all documents user t"},
		{"session.ended", ended, "t t 1782905000003 1"},
		{"session.removed", ended, "t t 1782905000003 1"},
		{"session.revoked", ended, "t t 1782905000003 1"},
		// Dead by join: the organization's row says it, and nothing of what is in it is touched.
		{"organization.deleted", "SELECT o.dead AND NOT i.dead AND i.status = 'accepted' FROM clerk.invitations i JOIN clerk.organizations o ON o.id = i.organization_id", "true"},
	} {
		if got := f.receive(t, "msg_"+step.name, sample(t, step.name)); got != (Outcome{Applied, step.name}) {
			t.Errorf("%s: %v, want it applied", step.name, got)
		}
		if got := f.value(t, step.query); got != step.want {
			t.Errorf("after %s: %q, want %q", step.name, got, step.want)
		}
	}
	// A late one of before brings nothing back.
	for _, name := range []string{"organizationInvitation.created", "organizationDomain.updated", "permission.updated"} {
		f.receive(t, "msg_late_"+name, sample(t, name))
	}
	if got := f.value(t, invitation) + f.value(t, domain) + f.value(t, permission); !strings.Contains(got, "accepted") || strings.Count(got, " t") < 2 {
		t.Errorf("after late events: %s", got)
	}
}

// TestARevokedSessionStaysSo: nothing that arrives later, in whatever order, lets its tokens be taken again, and no other
// session is touched.
func TestARevokedSessionStaysSo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	revoked := func(id string) bool {
		facts, err := f.Facts(t.Context(), acme, ada, id, "")
		if err != nil {
			t.Fatal(err)
		}
		if facts.UserDead || facts.OrganizationDead {
			t.Errorf("a session's end says more: %+v", facts)
		}
		return facts.SessionRevoked
	}
	if revoked(session) || revoked("") {
		t.Error("revoked before anything was said")
	}
	created := string(sample(t, "session.created"))
	f.receive(t, "msg_0", []byte(created))
	if revoked(session) {
		t.Error("a session that began is over")
	}
	f.receive(t, "msg_1", sample(t, "session.ended"))
	f.receive(t, "msg_2", []byte(created))
	f.receive(t, "msg_3", []byte(strings.ReplaceAll(created, "session.created", "session.updated")))
	f.receive(t, "msg_4", []byte(strings.ReplaceAll(string(sample(t, "session.revoked")), "1782905000003", "1782905000001")))
	if !revoked(session) {
		t.Error("the session lives again")
	}
	if revoked("sess_other") || revoked("") {
		t.Error("another session is over, too")
	}
	if got := f.value(t, "SELECT revoked_at FROM clerk.revoked_sessions"); got != "1782905000003" {
		t.Errorf("revoked at %s", got)
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.users"); got != "0" {
		t.Errorf("%s users made from sessions", got)
	}
	// Whichever of two comes first, the row is the same.
	for i, order := range [][]int{{0, 1}, {1, 0}} {
		said := []string{`"timestamp": 1782905000001, "data": {"id": "sess_%d", "user_id": "user_1"}`, `"timestamp": 1782905000002, "data": {"id": "sess_%d"}`}
		for _, n := range order {
			f.receive(t, fmt.Sprintf("msg_order_%d_%d", i, n), fmt.Appendf(nil, `{"type": "session.ended", `+said[n]+`}`, i))
		}
		if got := f.value(t, "SELECT user_id || ' ' || revoked_at FROM clerk.revoked_sessions WHERE id = $1", fmt.Sprint("sess_", i)); got != "user_1 1782905000002" {
			t.Errorf("in order %v: %s", order, got)
		}
	}
}

// TestDeletedUserIsForgottenInInvitations in every order of what names the person.
func TestDeletedUserIsForgottenInInvitations(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	f := newFixture(t, config).ours()
	names := []string{"organizationInvitation.created", "organizationInvitation.accepted", "user.deleted"}
	other := strings.ReplaceAll(string(sample(t, names[1])), "orginv_", "orginv_other")
	f.receive(t, "msg_other", []byte(strings.ReplaceAll(other, bob, ada)))
	for i, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for _, n := range order {
			body := strings.ReplaceAll(string(sample(t, names[n])), "orginv_", "orginv_"+string("abcdef"[i]))
			f.receive(t, "msg_"+names[n]+string("abcdef"[i]), []byte(strings.ReplaceAll(body, bob, bob+string("abcdef"[i]))))
		}
	}
	if got := f.value(t, "SELECT string_agg(DISTINCT concat_ws(' ', status, email_address IS NULL), ', ') || count(*) FROM clerk.invitations WHERE id NOT LIKE '%other%'"); got != "accepted t6" {
		t.Errorf("invitations of the deleted: %s", got)
	}
	if got := f.value(t, "SELECT email_address FROM clerk.invitations WHERE id LIKE '%other%'"); got != "bob@acme.example" {
		t.Errorf("another one's: %s", got)
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE type LIKE 'organizationInvitation.%' AND body IS NOT NULL"); got != "0" {
		t.Errorf("%s bodies of invitations are kept", got)
	}
}

// TestInvitationBesideDeletedUser runs both at the same time, many times: whichever comes second must see the first.
func TestInvitationBesideDeletedUser(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	for i := range 60 {
		w := newWorld(&world{regime: regimes[0], random: rand.New(rand.NewPCG(9, uint64(i))), prefix: string(rune('a'+i%26)) + strings.Repeat("x", i/26), crowd: 2}, 0)
		organization, user := w.organizations[0], w.users[0]
		w.tick(1)
		invitation := &worldInvitation{id: w.id("orginv_"), email: "a@acme.example", status: "pending", organization: organization, inviter: w.users[1], created: w.now, updated: w.now}
		w.emit("organizationInvitation.created", invitation.data())
		for _, e := range w.events {
			f.receive(t, e.id, e.body)
		}
		w.tick(1)
		invitation.status, invitation.user, invitation.updated = "accepted", user, w.now
		w.emit("organizationInvitation.accepted", invitation.data())
		w.emit("user.deleted", object{"id": user.id, "deleted": true})
		var both sync.WaitGroup
		for _, e := range w.events[len(w.events)-2:] {
			both.Go(func() { f.receive(t, e.id, e.body) })
		}
		both.Wait()
	}
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if n := f.value(t, "SELECT count(email_address) || ' ' || count(*) FROM clerk.invitations"); n != "0 60" {
		t.Errorf("addresses of the deleted, of all: %s", n)
	}
	f.noDeadlock(t)
}

func TestDecodeOfTheOtherKinds(t *testing.T) {
	t.Parallel()
	at := func(rank int16) statement {
		return statement{
			id: "x_1", createdAt: 1782900000000, fields: true,
			version: store.MirrorVersion{UpdatedAt: 1782900005000, EnvTS: 1782900060003, Rank: rank},
		}
	}
	const times = `"created_at": 1782900000000, "updated_at": 1782900005000`
	for name, test := range map[string]struct {
		kind, data string
		want       change
	}{
		"invitation, organization nested as in the specification": {
			"organizationInvitation.accepted", `{"id": "x_1", "role": "admin", ` + times + `, "data": {"public_organization_data": {"id": "org_1"}, "user_id": "user_1"}}`,
			invitationChange{statement: at(rankEvent), organizationID: "org_1", role: "org:admin", status: "accepted", userID: "user_1"},
		},
		"invitation, organization beside": {
			"organizationInvitation.created", `{"id": "x_1", "public_organization_data": {"id": "org_1"}, "data": null, "expires_at": 1785492300, "inviter_id": null, ` + times + `}`,
			invitationChange{statement: at(rankCreated), organizationID: "org_1", status: "pending", expiresAt: 1785492300000},
		},
		"invitation, status as sent": {
			"organizationInvitation.revoked", `{"id": "x_1", "organization_id": "org_1", "public_organization_data": {"id": "org_2"}, "status": "expired", "email_address": "", ` + times + `}`,
			invitationChange{statement: at(rankEvent), organizationID: "org_1", status: "expired"},
		},
		"domain, verification open": {
			"organizationDomain.updated", `{"id": "x_1", "organization_id": "org_1", "name": "a.example", "verification": {"status": "unverified"}, ` + times + `}`,
			domainChange{statement: at(rankEvent), organizationID: "org_1", name: "a.example"},
		},
		"domain's deletion": {"organizationDomain.deleted", `{"id": "x_1", "deleted": true}`, domainChange{statement: statement{id: "x_1", tombAt: 1782900060003}}},
		"permission without org:": {
			"permission.created", `{"id": "x_1", "key": "documents:read", "description": null, "type": "custom", ` + times + `}`,
			permissionChange{statement: at(rankCreated), key: "org:documents:read", class: "custom"},
		},
		"session":            {"session.removed", `{"id": "x_1", "user_id": "user_1", "user": null}`, sessionChange{store.RevokedSession{ID: "x_1", UserID: "user_1", RevokedAt: 1782900060003}}},
		"session of nobody":  {"session.revoked", `{"id": "x_1", "updated_at": 1782900060009}`, sessionChange{store.RevokedSession{ID: "x_1", RevokedAt: 1782900060009}}},
		"session that began": {"session.created", `{"id": "x_1"}`, nil},
		"session that waits": {"session.pending", `{"id": "x_1"}`, nil},
	} {
		got, err := decode([]byte(`{"type": "` + test.kind + `", "timestamp": 1782900060003, "data": ` + test.data + `}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.change, unexported, cmpopts.IgnoreFields(store.MirrorVersion{}, "Digest")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for name, body := range map[string]string{
		"invitation to nothing":     `{"type": "organizationInvitation.created", "timestamp": 1782900060003, "data": {"id": "orginv_1", "email_address": "Secret"}}`,
		"invitation without an id":  `{"type": "organizationInvitation.created", "timestamp": 1782900060003, "data": {"organization_id": "org_1"}}`,
		"invitation by no id":       `{"type": "organizationInvitation.created", "timestamp": 1782900060003, "data": {"id": "orginv_1", "organization_id": "org_1", "inviter_id": "Secret!"}}`,
		"invitation taken by no id": `{"type": "organizationInvitation.accepted", "timestamp": 1782900060003, "data": {"id": "orginv_1", "organization_id": "org_1", "user_id": "Secret!"}}`,
		"domain of nothing":         `{"type": "organizationDomain.created", "timestamp": 1782900060003, "data": {"id": "orgdmn_1", "name": "Secret"}}`,
		"domain's timeless end":     `{"type": "organizationDomain.deleted", "data": {"id": "orgdmn_1"}}`,
		"permission without a key":  `{"type": "permission.updated", "timestamp": 1782900060003, "data": {"id": "perm_1", "key": ""}}`,
		"session without an id":     `{"type": "session.ended", "timestamp": 1782900060003, "data": {"user_id": "user_1"}}`,
		"session's timeless end":    `{"type": "session.ended", "data": {"id": "sess_1"}}`,
		"session of no id":          `{"type": "session.ended", "timestamp": 1782900060003, "data": {"id": "sess_1", "user_id": "Secret!"}}`,
	} {
		if _, err := decode([]byte(body)); !isPermanent(err) || strings.Contains(err.Error(), "Secret") {
			t.Errorf("%s: %v, want a permanent error that quotes nothing", name, err)
		}
	}
}

// TestAnInvitationIsAcceptedOnce: an id that comes back as somebody else's is no invitation of ours.
func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.receive(t, "msg_1", sample(t, "organizationInvitation.accepted"))
	before := f.value(t, "SELECT i::text FROM clerk.invitations AS i")
	if got := f.receive(t, "msg_2", []byte(strings.ReplaceAll(string(sample(t, "organizationInvitation.accepted")), bob, ada))).Result; got != Dead {
		t.Errorf("accepted by another: %s", got)
	}
	if after := f.value(t, "SELECT i::text FROM clerk.invitations AS i"); after != before {
		t.Errorf("%s\nbecame\n%s", before, after)
	}
}
