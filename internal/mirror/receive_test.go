package mirror

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
)

const (
	acme = "org_3AbQt9HgXvL2uNzOwT5iAeC8pFk"
	ada  = "user_3AbQp2GfVtK8sLxNwR4hYcZ7mDj"
	bob  = "user_3AbRk5JhWuM1tPyQvS6jZdB9nEx"
)

// ours lets the fixture's instance be the one of the samples.
func (f *fixture) ours() *fixture {
	f.config.InstanceID = func() string { return "ins_3AbQm7rTz0XkW1nYvP5cLdE9uHs" }
	return f
}

func TestReceiveAppliesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	for _, step := range []struct{ name, query, want string }{
		{"organization.created", "SELECT name || ' ' || slug FROM public.organizations", "Acme Labs acme-labs"},
		{"organizationMembership.created", "SELECT role || ' ' || name || ' ' || email FROM public.members", "org:admin Ada Lovelace ada@acme.example"},
		{"user.created", "SELECT email FROM clerk.users WHERE id = '" + ada + "'", "ada@acme.example"},
		{"user.updated", "SELECT name FROM public.members WHERE user_id = '" + ada + "'", "Ada King"},
		{"organization.updated", "SELECT name FROM public.organizations", "Acme Laboratories"},
		{"role.created", "SELECT key || ' ' || permissions::text FROM clerk.roles", "org:editor {org:documents:read,org:sys_memberships:read}"},
		{"role.updated", "SELECT permissions::text FROM clerk.roles", "{org:documents:read,org:documents:write,org:sys_memberships:read}"},
		{"organizationMembership.updated", "SELECT role || ' ' || (left_at IS NULL) FROM public.members WHERE user_id = '" + bob + "'", "org:admin true"},
		{"organizationMembership.deleted", "SELECT left_at = to_timestamp(1782908900) AND name = 'Bob' AND email IS NULL FROM public.members WHERE user_id = '" + bob + "'", "true"},
		{"user.deleted", "SELECT name IS NULL AND image_url IS NULL AND left_at = to_timestamp(1782908900) FROM public.members WHERE user_id = '" + bob + "'", "true"},
		{"role.deleted", "SELECT dead FROM clerk.roles", "true"},
		{"organization.deleted", "SELECT deleted_at = to_timestamp(1782909500) FROM public.organizations", "true"},
	} {
		if got := f.receive(t, "msg_"+step.name, sample(t, step.name)); got != (Outcome{Applied, step.name}) {
			t.Errorf("%s: %v, want it applied", step.name, got)
		}
		if got := f.value(t, step.query); got != step.want {
			t.Errorf("after %s: %s is %q, want %q", step.name, step.query, got, step.want)
		}
	}
	if facts, err := f.Facts(t.Context(), acme, bob, "sess_1", ""); err != nil || !facts.OrganizationDead || !facts.UserDead || facts.Membership != MembershipEnded {
		t.Errorf("facts about Bob: %+v, %v", facts, err)
	}
	if facts, err := f.Facts(t.Context(), "", bob, "sess_1", ""); err != nil || facts.OrganizationDead || !facts.UserDead || facts.Membership != MembershipUnknown {
		t.Errorf("facts about Bob without an organization: %+v, %v", facts, err)
	}
	if facts, err := f.Facts(t.Context(), "org_none", "user_none", "sess_none", ""); err != nil || facts.UserDead || facts.Membership != MembershipUnknown || facts.RoleKnown {
		t.Errorf("facts about nobody: %+v, %v", facts, err)
	}
}

func TestFactsNameTheRolesPermissions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.receive(t, "msg_1", sample(t, "organizationMembership.created"))
	for i, key := range []string{"admin", "org:member"} { // the first without Clerk's prefix
		body := strings.ReplaceAll(string(sample(t, "role.updated")), "org:editor", key)
		f.receive(t, fmt.Sprint("msg_role", i), []byte(strings.ReplaceAll(body, "role_3AbUe1PrCaT5zZhAbB4qFkJ8uLs", fmt.Sprint("role_", i))))
	}
	facts, err := f.Facts(t.Context(), acme, ada, "sess_1", "")
	if err != nil || facts.Membership != MembershipLive || facts.Role != "org:admin" || !facts.RoleKnown ||
		strings.Join(facts.RolePermissions, " ") != "org:documents:read org:documents:write org:sys_memberships:read" ||
		facts.At != moment(1782900060007) || facts.RoleAt != moment(1782902700000) {
		t.Errorf("facts: %+v, %v", facts, err)
	}
}

// TestAnOlderMembershipGrantsNothing: the deletion of the older one is lost, the newer one's has arrived.
func TestAnOlderMembershipGrantsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	newer := sample(t, "organizationMembership.deleted")
	older := strings.ReplaceAll(string(sample(t, "organizationMembership.created.invited-member")), "orgmem_3A", "orgmem_2A")
	older = strings.ReplaceAll(older, "1782900700000", "1782900600000")
	for i, body := range []string{string(newer), older} {
		if got := f.receive(t, fmt.Sprint("msg_", i), []byte(body)).Result; got != Applied {
			t.Fatal(got)
		}
		if facts, err := f.Facts(t.Context(), acme, bob, "sess_1", ""); err != nil || facts.Membership != MembershipEnded || facts.At != moment(1782908900000) {
			t.Errorf("facts: %+v, %v", facts, err)
		}
		if got := f.value(t, "SELECT left_at IS NOT NULL FROM public.members"); got != "true" {
			t.Error("Bob is a member again")
		}
	}
}

func TestDuplicatesAndConflicts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	first := sample(t, "organization.created")
	f.receive(t, "msg_1", first)
	before := f.value(t, "SELECT i::text FROM clerk.inbox AS i")
	if got := f.receive(t, "msg_1", first).Result; got != Duplicate {
		t.Errorf("the same message again: %s", got)
	}
	if after := f.value(t, "SELECT i::text FROM clerk.inbox AS i"); after != before {
		t.Errorf("a duplicate changed the inbox:\n%s\n%s", before, after)
	}
	other := sample(t, "organization.updated")
	if got := f.receive(t, "msg_1", other).Result; got != Conflict {
		t.Errorf("another body under the same id: %s", got)
	}
	if got := f.value(t, "SELECT name FROM public.organizations"); got != "Acme Labs" {
		t.Errorf("the second body took effect: %s", got)
	}
	if got := f.value(t, "SELECT state || conflicts || (body = $1) FROM clerk.inbox", first); got != "done1true" {
		t.Errorf("inbox: %s", got)
	}
	if !strings.Contains(f.logs.String(), "level=ERROR msg=\"security:") {
		t.Errorf("no security alert in %s", f.logs)
	}
	if _, err := f.Receive(t.Context(), Message{Body: first}); err == nil {
		t.Error("a message without an id was taken")
	}
}

func TestIgnoredTypesAreStoredWithoutTheirBody(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	for _, name := range []string{"session.created", "session.pending", "email.created", "organizationInvitation.deleted", "organization.frozen", "nonsense"} {
		body := `{"type": "` + name + `", "data": {"secret": 123456}, "timestamp": 1782900060003}`
		if got := f.receive(t, "msg_"+name, []byte(body)); got != (Outcome{Ignored, name}) {
			t.Errorf("%s: %v", name, got)
		}
		if got := f.receive(t, "msg_"+name, []byte(body)).Result; got != Duplicate {
			t.Errorf("%s again: %s", name, got)
		}
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE state = 'ignored' AND body IS NULL AND done_at IS NOT NULL"); got != "6" {
		t.Errorf("%s of 6 events ignored without a body", got)
	}
}

func TestWhatNoRetryCuresIsDead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	foreign := strings.ReplaceAll(string(sample(t, "organization.created")), "ins_3AbQm7rTz0XkW1nYvP5cLdE9uHs", "ins_other")
	for name, body := range map[string]string{
		"malformed":      `{"type": "organization.created", `,
		"empty":          "",
		"not text":       "\xff\x00\xfe",
		"without id":     `{"type": "user.created", "data": {"first_name": "Ada"}, "timestamp": 1782900060003}`,
		"of another":     foreign,
		"unstorable":     `{"type": "role.created", "data": {"id": "role_1", "key": "` + noise(9000) + `", "created_at": 1}, "timestamp": 1782900060003}`,
		"without time":   `{"type": "organization.deleted", "data": {"id": "org_1", "deleted": true}}`,
		"without a type": `{"data": {"id": "org_1"}}`,
	} {
		if got := f.receive(t, "msg_"+name, []byte(body)).Result; got != Dead {
			t.Errorf("%s: %s", name, got)
		}
		got := f.value(t, "SELECT state || ' ' || (body = $2) || ' ' || (error <> '') FROM clerk.inbox WHERE id = $1", "msg_"+name, []byte(body))
		if got != "dead true true" {
			t.Errorf("%s: inbox says %s", name, got)
		}
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.organizations") + f.value(t, "SELECT count(*) FROM clerk.roles"); got != "00" {
		t.Errorf("dead letters left rows behind: %s", got)
	}
	// A good one behind them is not held up.
	if got := f.receive(t, "msg_good", sample(t, "organization.created")).Result; got != Applied {
		t.Errorf("a good event: %s", got)
	}
}

// noise does not compress, so that it is too long for an index.
func noise(n int) string {
	text, state := make([]byte, n), uint32(1)
	for i := range text {
		state = state*1664525 + 1013904223
		text[i] = "0123456789abcdef"[state>>28]
	}
	return string(text)
}

func TestDeadLetterSentAgainIsTakenAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	body := sample(t, "organization.created")
	f.config.InstanceID = func() string { return "ins_misconfigured" }
	if got := f.receive(t, "msg_1", body).Result; got != Dead {
		t.Fatalf("an event of another instance: %s", got)
	}
	if got := f.receive(t, "msg_1", body).Result; got != Dead {
		t.Errorf("sent again without a change: %s", got)
	}
	f.ours()
	if got := f.receive(t, "msg_1", sample(t, "organization.updated")).Result; got != Conflict {
		t.Errorf("sent again with another body: %s", got)
	}
	if got := f.receive(t, "msg_1", body).Result; got != Applied {
		t.Errorf("sent again with our instance known: %s", got)
	}
	if got := f.value(t, "SELECT state || attempts || error FROM clerk.inbox"); got != "done0" {
		t.Errorf("inbox: %s", got)
	}
}

func TestUnknownInstanceIsTaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	f.config.InstanceID = func() string { return "" }
	if got := f.receive(t, "msg_1", sample(t, "organization.created")).Result; got != Applied {
		t.Errorf("with our instance not known yet: %s", got)
	}
}

func TestDeletedUserIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	for _, name := range []string{"organizationMembership.created", "user.created", "user.updated"} {
		f.receive(t, "msg_"+name, sample(t, name))
	}
	deleted := strings.ReplaceAll(string(sample(t, "user.deleted")), bob, ada)
	f.receive(t, "msg_deleted", []byte(deleted))
	f.receive(t, "msg_late", []byte(strings.ReplaceAll(string(sample(t, "organizationMembership.created")), "orgmem_3AbQtAKmYwP3vRbSxU7kBfD0qGn", "orgmem_2")))
	f.receive(t, "msg_later", []byte(strings.ReplaceAll(string(sample(t, "user.updated")), "King", "Byron")))
	for _, query := range []string{
		"SELECT string_agg(u::text, '') FROM clerk.users AS u",
		"SELECT string_agg(m::text, '') FROM clerk.memberships AS m",
		"SELECT string_agg(m::text, '') FROM public.members AS m",
		"SELECT string_agg(i::text || coalesce(convert_from(body, 'UTF8'), ''), '') FROM clerk.inbox AS i",
	} {
		got := f.value(t, query)
		for _, personal := range []string{"Ada", "King", "Lovelace", "Byron", "ada@acme.example"} {
			if strings.Contains(got, personal) {
				t.Errorf("%s still holds %s: %s", query, personal, got)
			}
		}
	}
	if got := f.value(t, "SELECT count(*) || ' ' || count(left_at) FROM public.members"); got != "1 1" {
		t.Errorf("members: %s", got)
	}
}
