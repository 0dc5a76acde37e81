package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

var adaAtAcme = Claim{OrganizationID: acme, Slug: "acme-labs", UserID: ada, Role: "org:admin"}

func (f *fixture) claim(t testing.TB, c Claim) {
	t.Helper()
	if err := f.note(t.Context(), c); err != nil {
		t.Errorf("%+v: %v", c, err)
	}
}

// TestClaimIsShownAndGrantsNothing looks at a provisional member from every side, until its events arrive.
func TestClaimIsShownAndGrantsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.claim(t, adaAtAcme)
	f.claim(t, Claim{OrganizationID: globex, UserID: ada, Role: "org:member"}) // slugs can be switched off
	org := f.store.Org(acme)
	member, err := org.MemberByUser(t.Context(), ada)
	if err != nil || !member.Provisional || member.Role != "org:admin" || member.Name != nil || member.Email != nil || member.LeftAt != nil {
		t.Fatalf("the member: %+v, %v", member, err)
	}
	for id, want := range map[string]string{acme: "acme-labs", globex: globex} {
		if o, err := f.store.Org(id).Organization(t.Context()); err != nil || o.Name != want {
			t.Errorf("the organization's name: %+v, %v, want %s", o, err, want)
		}
	}
	if count, err := org.CountMembers(t.Context(), store.MemberFilter{}); err != nil || count != 0 {
		t.Errorf("%d members are counted, %v", count, err)
	}
	if page, err := org.Members(t.Context(), store.MemberFilter{}, models.Page{Limit: 10}); err != nil || len(page.Items) != 0 {
		t.Errorf("members are listed: %+v, %v", page, err)
	}
	for _, c := range []couple{{acme, ada}, {globex, ada}, {acme, bob}} {
		if facts, err := f.Facts(t.Context(), c.organizationID, c.userID, "sess_1", ""); err != nil ||
			facts.Membership != MembershipUnknown || facts.Role != "" || facts.UserDead || facts.OrganizationDead || facts.RoleKnown {
			t.Errorf("a claim is a fact: %+v, %v", facts, err)
		}
	}
	// Older than anything.
	if n := f.value(t, "SELECT count(*) FROM (SELECT updated_at + auth_at + env_ts + rank + created_at + tomb_at + length(digest) AS v, needs_read FROM clerk.organizations UNION ALL SELECT updated_at + auth_at + env_ts + rank + created_at + tomb_at + length(digest), needs_read FROM clerk.users) AS r WHERE v > 0 OR needs_read"); n != "0" {
		t.Errorf("%s rows are newer than nothing", n)
	}

	f.receive(t, "msg_1", sample(t, "organizationMembership.created"))
	f.receive(t, "msg_2", sample(t, "user.created"))
	now, err := org.MemberByUser(t.Context(), ada)
	if err != nil || now.Provisional || now.ID != member.ID || now.Name == nil || *now.Name != "Ada Lovelace" {
		t.Errorf("after its event: %+v, %v", now, err)
	}
	if o, err := org.Organization(t.Context()); err != nil || o.Name != "Acme Labs" {
		t.Errorf("after its event: %+v, %v", o, err)
	}
	if facts, err := f.Facts(t.Context(), globex, ada, "sess_1", ""); err != nil || facts.Membership != MembershipUnknown {
		t.Errorf("in the other organization: %+v, %v", facts, err)
	}
}

// TestClaimLeavesAloneWhatIsKnown: nothing is written about what lives, has ended, or is deleted.
func TestClaimLeavesAloneWhatIsKnown(t *testing.T) {
	t.Parallel()
	for name, events := range map[string][]string{
		"a member":               {"organizationMembership.created"},
		"a former member":        {"organizationMembership.created", "organizationMembership.deleted"},
		"a deleted organization": {"organization.deleted"},
		"a deleted user":         {"user.deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, dbtest.Config(t)).ours()
			for i, event := range events {
				f.receive(t, fmt.Sprint("msg_", i), sample(t, event))
			}
			before := f.rowsOf(t, acme)
			for _, user := range []string{ada, bob} { // the samples are about either
				if name == "a deleted user" && user == ada || name == "a member" && user == bob || name == "a former member" && user == ada {
					continue
				}
				f.claim(t, Claim{OrganizationID: acme, Slug: "other", UserID: user, Role: "org:owner"})
			}
			if after := f.rowsOf(t, acme); after != before {
				t.Errorf("it was\n%s\nand is\n%s", before, after)
			}
			if n := f.value(t, "SELECT count(*) FROM clerk.provisional"); n != "0" {
				t.Errorf("%s provisional members", n)
			}
		})
	}
}

// TestClaimOfAnotherOrganization writes about one organization, and takes back, and leaves the other alone.
func TestClaimOfAnotherOrganization(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.populate(t)
	carol := Claim{OrganizationID: globex, UserID: "user_carol", Role: "org:member"}
	f.claim(t, carol)
	before := f.rowsOf(t, globex)
	carol.OrganizationID, carol.Role = acme, "org:admin"
	f.claim(t, carol)
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE provisional"); n != "2" {
		t.Errorf("%s provisional members, want one in each", n)
	}
	if err := f.applyOne(t.Context(), retraction{couple{acme, carol.UserID}}); err != nil {
		t.Fatal(err)
	}
	if after := f.rowsOf(t, globex); after != before {
		t.Errorf("Globex was\n%s\nand is\n%s", before, after)
	}
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE provisional"); n != "1" {
		t.Errorf("%s provisional members, want Globex's", n)
	}
}

// TestOnlyProvisionalMembersCanBeRemoved tries as the role of the mirror, which the database itself keeps to that.
func TestOnlyProvisionalMembersCanBeRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.populate(t)
	f.claim(t, Claim{OrganizationID: acme, UserID: "user_carol", Role: "org:member"})
	f.claim(t, Claim{OrganizationID: globex, UserID: "user_carol", Role: "org:member"})
	role := f.value(t, "SELECT quote_ident(mirror_role) FROM tenantry.instance")
	tx, err := f.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SET LOCAL ROLE "+role+"; SET LOCAL tenantry.organization = '"+acme+"'"); err != nil {
		t.Fatal(err)
	}
	done, err := tx.Exec(t.Context(), "DELETE FROM public.members")
	if err != nil || done.RowsAffected() != 1 {
		t.Errorf("%d rows were deleted, want Carol's only; %v", done.RowsAffected(), err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestClaimOfAUserWhoIsDeleted: no event names the organizations of a member of whom only a token told.
func TestClaimOfAUserWhoIsDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	for _, id := range []string{acme, globex} {
		f.claim(t, Claim{OrganizationID: id, UserID: bob, Role: "org:member"})
		f.claim(t, Claim{OrganizationID: id, UserID: ada, Role: "org:member"})
	}
	f.receive(t, "msg_1", sample(t, "user.deleted"))
	if left := f.value(t, "SELECT string_agg(user_id, ' ') FROM public.members"); left != ada+" "+ada {
		t.Errorf("left: %s", left)
	}
	if left := f.value(t, "SELECT string_agg(user_id, ' ') FROM clerk.provisional"); left != ada+" "+ada {
		t.Errorf("left: %s", left)
	}
}

// TestClaimBesideEvents runs claims and what takes them back at the same time as the events that replace them.
func TestClaimBesideEvents(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	const rounds = 60
	at := 1_782_900_000_000
	for i := range rounds {
		organization := object{"id": fmt.Sprint("org_", i), "name": "One", "created_at": at, "updated_at": at}
		user := fmt.Sprint("user_", i)
		event := func(kind string, data object) []byte {
			body, err := json.Marshal(object{"type": kind, "object": "event", "timestamp": at + 5000, "data": data})
			if err != nil {
				t.Fatal(err)
			}
			return body
		}
		events := [][]byte{event("organizationMembership.created", object{
			"id": fmt.Sprint("orgmem_", i), "role": "org:member", "created_at": at, "updated_at": at,
			"organization": organization, "public_user_data": object{"user_id": user, "first_name": "U"},
		})}
		switch i % 3 {
		case 1:
			events = append(events, event("user.deleted", object{"id": user, "deleted": true}))
		case 2:
			events = append(events, event("organization.deleted", object{"id": organization["id"], "deleted": true}))
		}
		claim := Claim{OrganizationID: fmt.Sprint("org_", i), Slug: "one", UserID: user, Role: "org:admin"}
		var all sync.WaitGroup
		for n, body := range events {
			all.Go(func() { f.receive(t, fmt.Sprintf("msg_%d_%d", i, n), body) })
		}
		for range 2 {
			all.Go(func() { f.claim(t, claim) })
		}
		all.Go(func() {
			if err := f.applyOne(t.Context(), retraction{couple{claim.OrganizationID, user}}); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
	}
	f.run(t)
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE provisional OR role <> 'org:member'"); n != "0" {
		t.Errorf("%s members are still as the token said", n)
	}
	if n := f.value(t, "SELECT count(*) FROM public.members"); n != fmt.Sprint(rounds) {
		t.Errorf("%s members, want %d", n, rounds)
	}
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE left_at IS NOT NULL"); n != fmt.Sprint(rounds/3) {
		t.Errorf("%s members have left, want %d", n, rounds/3)
	}
	if n := f.value(t, "SELECT count(*) FROM public.organizations WHERE name <> 'One'"); n != "0" {
		t.Errorf("%s organizations are still as the token said", n)
	}
	f.noDeadlock(t)
}

// TestAskReplacesOrTakesBack is the whole way in the background, of a member whom Clerk has and of one whom it has not.
func TestAskReplacesOrTakesBack(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1)
	for _, c := range []Claim{
		{OrganizationID: "org_1", Slug: "one", UserID: "user_000000", Role: "org:admin"},
		{OrganizationID: "org_1", Slug: "one", UserID: "user_gone", Role: "org:admin"},
		{OrganizationID: "org_gone", UserID: "user_000000", Role: "org:admin"},
	} {
		f.AskSoon(c)
	}
	f.run(t)
	f.eventually(t, "SELECT count(*) = 3 FROM clerk.organizations, clerk.users WHERE clerk.users.id = 'user_gone' OR clerk.organizations.id = 'org_gone' AND clerk.users.id = 'user_000000'")
	f.eventually(t, "SELECT count(*) = 1 AND bool_and(NOT provisional AND name = 'U' AND role = 'org:member') FROM public.members")
	f.eventually(t, "SELECT count(*) = 1 AND bool_and(user_id = 'user_000000' AND organization_id = 'org_1') FROM clerk.provisional")
	// A comparison neither ends those of whom only tokens told, nor counts them as drift, and forgets whom it has merged.
	if report := f.sweep(t, SweepOptions{Projection: true}); report.Kinds["organizations"].Extra+report.Kinds["users"].Extra+report.Kinds[KindMembers].Extra > 0 {
		t.Errorf("the comparison:\n%s", describe(report))
	}
	if n := f.value(t, "SELECT count(*) FROM clerk.provisional"); n != "0" {
		t.Errorf("%s are still noted", n)
	}
}

// TestSweepTakesOldClaimsBack: no read came of them, as while Clerk was away.
func TestSweepTakesOldClaimsBack(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(2)
	f.claim(t, Claim{OrganizationID: "org_1", UserID: "user_000000", Role: "org:admin"})
	f.claim(t, Claim{OrganizationID: "org_1", UserID: "user_gone", Role: "org:admin"})
	f.verify(t)
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE provisional"); n != "2" {
		t.Errorf("%s are provisional after verify, which changes nothing", n)
	}
	f.sweep(t, SweepOptions{})
	if left := f.value(t, "SELECT string_agg(user_id || ' ' || role || ' ' || provisional, ', ' ORDER BY user_id) FROM public.members"); left != "user_000000 org:member false, user_000001 org:member false" {
		t.Errorf("after the comparison: %s", left)
	}
}

// TestClaimsBetweenEventsChangeNothing is the property: wherever claims fall among any order of events, they grant nothing
// at that moment, and the end is the same as without them.
func TestClaimsBetweenEventsChangeNothing(t *testing.T) {
	t.Parallel()
	made := 0
	for n := range scale(300, 50_000) {
		r := regimes[n%len(regimes)]
		w := newHistory(rand.New(rand.NewPCG(77, uint64(n))), r, "", 10+n%30)
		m, sent := newModel(), w.delivery()
		for _, e := range sent {
			if w.random.IntN(2) == 0 {
				p := pair{pick(w.random, w.organizations).id, pick(w.random, w.users).id}
				before := m.facts(p.organization, p.user)
				claimed := m.clone() // a claim that is refused leaves nothing
				err := claimChange{Claim{OrganizationID: p.organization, Slug: "slug", UserID: p.user, Role: "org:token"}, moment(w.now)}.apply(claimed)
				switch {
				case err == nil:
					m = claimed
				case !errors.Is(err, errEnded) || !before.OrganizationDead && !before.UserDead:
					t.Fatalf("history %d: %v", n, err)
				}
				if after := m.facts(p.organization, p.user); !equalFacts(before, after) {
					t.Fatalf("history %d: a claim made %+v of %+v", n, after, before)
				}
			}
			deliver(t, m, []worldEvent{e}, nil)
		}
		repair(t, w, m)
		for p, member := range m.publicMembers {
			if !member.Provisional {
				continue
			}
			made++
			if known, _ := m.Incarnations(p.organization, p.user); len(known) > 0 || dead(m.users[p.user].MirrorRow) {
				t.Fatalf("history %d: %v is still provisional, with %d memberships", n, p, len(known))
			}
			if err := (retraction{couple{p.organization, p.user}}).apply(m); err != nil {
				t.Fatal(err)
			}
		}
		if diff := w.difference(m); diff != "" {
			t.Fatalf("%s, history %d: (-Clerk +mirror)\n%s", r.name, n, diff)
		}
	}
	if made < 20 {
		t.Errorf("only %d provisional members were left to the end: too easy", made)
	}
}

func equalFacts(a, b Facts) bool {
	equal := slices.Equal(a.RolePermissions, b.RolePermissions)
	a.RolePermissions, b.RolePermissions = nil, nil
	return equal && fmt.Sprint(a) == fmt.Sprint(b)
}
