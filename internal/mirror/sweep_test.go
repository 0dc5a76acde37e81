package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func newSweepFixture(t testing.TB) (*fixture, *fakeClerk) {
	t.Helper()
	url := dbtest.New(t)
	f, clerk := newFixture(t, store.Config{URL: url}), newFakeClerk(t)
	f.config.Backend = clerk.backend()
	return f, clerk
}

func (f *fixture) sweep(t testing.TB, options SweepOptions) Report {
	t.Helper()
	report, err := f.Sweep(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// drift is what of the copy matters for what people may do and see, against Clerk: empty where nothing. When something was
// deleted is known from its event only.
func (w *world) drift(m *model) string {
	want, got := w.compared(m)
	if reflect.DeepEqual(want, got) {
		return w.shownInvitations(m)
	}
	return cmp.Diff(want, got, cmp.AllowUnexported(reference{}, moreReference{}, pair{}))
}

func (w *world) compared(m *model) (want, got reference) {
	all := w.reference()
	want = reference{
		organizations: all.organizations, members: all.members, access: all.access, roles: all.roles, moreReference: all.moreReference,
	}
	got = reference{
		organizations: maps.Clone(m.publicOrganizations), members: maps.Clone(m.publicMembers),
		access: map[pair]string{}, roles: map[string]store.MirrorRole{}, moreReference: m.more(),
	}
	for _, r := range []reference{want, got} {
		w.comparable(r.moreReference)
	}
	want.sessions, got.sessions = nil, nil // no list has them
	for p := range got.members {
		got.access[p] = m.access(p)
	}
	for id, role := range m.roles {
		if !dead(role.MirrorRow) {
			role.MirrorRow = store.MirrorRow{}
			got.roles[id] = role
		}
	}
	for _, r := range []reference{want, got} {
		maps.DeleteFunc(r.organizations, func(_ string, o models.Organization) bool { return o.DeletedAt != nil })
		maps.DeleteFunc(r.members, func(p pair, _ models.Member) bool { return r.access[p] == "" })
		maps.DeleteFunc(r.access, func(_ pair, role string) bool { return role == "" })
	}
	return want, got
}

// comparable leaves out what Clerk has deleted with an organization, and who accepted an invitation, which no list says.
func (w *world) comparable(r moreReference) {
	gone := map[string]bool{}
	for _, o := range w.organizations {
		gone[o.id] = o.tomb > 0
	}
	maps.DeleteFunc(r.invitations, func(_ string, i store.MirrorInvitation) bool { return gone[i.OrganizationID] })
	maps.DeleteFunc(r.domains, func(_ string, d store.MirrorDomain) bool { return gone[d.OrganizationID] })
	for _, i := range w.more.invitations {
		if row, found := r.invitations[i.id]; found {
			row.UserID = ""
			if i.user != nil && i.user.tomb > 0 {
				row.EmailAddress = nil
			}
			r.invitations[i.id] = row
		}
	}
}

// TestSweepRestoresLostEvents is P4: where events are lost for good, one comparison restores equality.
func TestSweepRestoresLostEvents(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	const histories = 12
	wrongBefore := 0
	for n := range histories {
		r := regimes[n%len(regimes)]
		random := rand.New(rand.NewPCG(99, uint64(n)))
		w := newHistory(random, r, fmt.Sprintf("h%d", n), 40)
		for i, e := range w.delivery() {
			if random.IntN(10) > 0 {
				f.receive(t, fmt.Sprintf("%s_%d", e.id, i), e.body)
			}
		}
		if w.drift(f.load(t)) != "" {
			wrongBefore++
		}
		clerk.serve(w)
		report := f.sweep(t, SweepOptions{})
		if diff := w.drift(f.load(t)); diff != "" {
			t.Fatalf("%s, history %d: after the comparison (-Clerk +copy):\n%s\n%+v", r.name, n, diff, report)
		}
		if again := f.verify(t); again.Drift() > 0 {
			t.Fatalf("%s, history %d: verify still finds %s", r.name, n, describe(again))
		}
		f.exec(t, "TRUNCATE clerk.organizations, clerk.users, clerk.memberships, clerk.roles, clerk.permissions, clerk.invitations, "+
			"clerk.domains, public.organizations, public.members, public.invitations")
	}
	if wrongBefore < histories/3 {
		t.Errorf("only %d of %d copies were wrong before: too easy", wrongBefore, histories)
	}
}

func (f *fixture) verify(t testing.TB) Report {
	t.Helper()
	report, err := f.Verify(t.Context(), SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func describe(r Report) string {
	var text strings.Builder
	for name, k := range r.Kinds {
		fmt.Fprintf(&text, "%s %+v\n", name, *k)
	}
	return text.String()
}

// crowd fills the API with one organization and so many members.
func (f *fakeClerk) crowd(members int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = 1_782_900_000_000 + time.Hour.Milliseconds()
	organization := object{"id": "org_1", "name": "One", "created_at": 1_782_900_000_000, "updated_at": 1_782_900_000_000}
	f.lists = map[string][]object{"organizations": {organization}}
	for i := range members {
		at := 1_782_900_000_001 + i
		id := fmt.Sprintf("user_%06d", i)
		f.lists["users"] = append(f.lists["users"], object{"id": id, "first_name": "U", "created_at": at, "updated_at": at})
		f.lists["organization_memberships"] = append(f.lists["organization_memberships"], object{
			"id": fmt.Sprintf("orgmem_%06d", i), "role": "org:member", "created_at": at, "updated_at": at,
			"organization": organization, "public_user_data": object{"user_id": id, "first_name": "U"},
		})
	}
}

func TestSweepBackfillsAndThenCostsLittle(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	const members = 1200
	clerk.crowd(members)
	if found := f.verify(t); found.Drift() != 2*members+1 {
		t.Errorf("verify of an empty copy:\n%s", describe(found))
	}
	if f.value(t, "SELECT count(*) FROM clerk.users") != "0" {
		t.Error("verify has written")
	}
	report := f.sweep(t, SweepOptions{})
	if m := report.Kinds["memberships"]; m.Listed != members || m.Missing != members || m.Changed != members {
		t.Errorf("backfill:\n%s", describe(report))
	}
	if live := f.value(t, "SELECT count(*) FROM public.members WHERE left_at IS NULL AND name = 'U'"); live != fmt.Sprint(members) {
		t.Errorf("%s members", live)
	}
	clerk.asked()
	ctx, statements := store.WithStatementCount(t.Context())
	report, err := f.Sweep(ctx, SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Pages of users and memberships are three each; with 50,000 members they would be a hundred each.
	if n := statements(); n > 120 {
		t.Errorf("an unchanged comparison sent %d statements", n)
	}
	if report.Drift() > 0 || report.Kinds["memberships"].Changed > 0 {
		t.Errorf("an unchanged comparison found\n%s", describe(report))
	}
	if asked := clerk.asked(); len(asked) != 12 {
		t.Errorf("%d requests: %v", len(asked), asked)
	}
}

func TestSweepRefusesAMassDeletion(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(60)
	f.sweep(t, SweepOptions{})
	whole := clerk.lists["organization_memberships"]
	clerk.set(func() { clerk.lists["organization_memberships"] = whole[:40] })
	clerk.asked()
	report := f.sweep(t, SweepOptions{})
	if m := report.Kinds["memberships"]; m.Refused != 20 || m.Tombstoned != 0 || report.Refused() != 20 {
		t.Errorf("20 of 60 vanished:\n%s", describe(report))
	}
	if f.value(t, "SELECT count(*) FROM clerk.memberships WHERE dead") != "0" {
		t.Error("memberships were ended")
	}
	if !strings.Contains(f.logs.String(), "too much is missing") {
		t.Error("nobody was told")
	}
	// What came back in the lists is as it was; what did not is ended where somebody says so.
	report = f.sweep(t, SweepOptions{AllowMassDeletion: true})
	if m := report.Kinds["memberships"]; m.Tombstoned != 20 || m.Refused != 0 {
		t.Errorf("with leave:\n%s", describe(report))
	}
	if left := f.value(t, "SELECT count(*) FROM public.members WHERE left_at IS NOT NULL"); left != "20" {
		t.Errorf("%s members have left", left)
	}
}

func TestSweepEndsFewAndOnlyWhatTwoReadsMiss(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(5)
	f.sweep(t, SweepOptions{})
	whole := clerk.lists["organization_memberships"]
	// The list leaves one out that a read finds, as a list may that changes while it is paged through.
	hidden := false
	clerk.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if !hidden && r.URL.Path == "/v1/organization_memberships" {
			hidden = true
			answerJSON(w, object{"data": whole[1:], "total_count": 4})
			return true
		}
		return false
	}
	report := f.sweep(t, SweepOptions{})
	if m := report.Kinds["memberships"]; m.Tombstoned+m.Extra != 0 {
		t.Errorf("a read found it:\n%s", describe(report))
	}
	// A first read that finds nothing is not enough.
	reads := 0
	clerk.set(func() {
		hidden = false
		list := clerk.fail
		clerk.fail = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/org_1/memberships") {
				if reads++; reads == 1 {
					answerJSON(w, object{"data": []object{}, "total_count": 0})
					return true
				}
			}
			return list(w, r)
		}
	})
	if report = f.sweep(t, SweepOptions{}); report.Kinds["memberships"].Tombstoned != 0 || reads != 2 {
		t.Errorf("the second of %d reads found it:\n%s", reads, describe(report))
	}
	clerk.set(func() { clerk.fail, clerk.lists["organization_memberships"] = nil, whole[1:] })
	if report = f.sweep(t, SweepOptions{}); report.Kinds["memberships"].Tombstoned != 1 {
		t.Errorf("it is gone:\n%s", describe(report))
	}
	wantTomb := fmt.Sprint(clerk.now / 1000 * 1000)
	if tomb := f.value(t, "SELECT tomb_at FROM clerk.memberships WHERE id = 'orgmem_000000'"); tomb != wantTomb {
		t.Errorf("ended at %s, want the answer's Date %s", tomb, wantTomb)
	}
}

func TestSweepLeavesYoungRowsAlone(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	f.config.MinAge = 5 * time.Minute
	clerk.crowd(2)
	f.sweep(t, SweepOptions{})
	clerk.set(func() {
		clerk.lists["organization_memberships"] = clerk.lists["organization_memberships"][1:]
		clerk.now += time.Minute.Milliseconds() // after the read that made the row
	})
	if report := f.sweep(t, SweepOptions{}); report.Kinds["memberships"].Tombstoned != 0 {
		t.Errorf("a young row was ended:\n%s", describe(report))
	}
	clerk.set(func() { clerk.now += 5 * time.Minute.Milliseconds() })
	if report := f.sweep(t, SweepOptions{}); report.Kinds["memberships"].Tombstoned != 1 {
		t.Errorf("an old row was not ended:\n%s", describe(report))
	}
}

func TestSweepRefusesAnotherInstance(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(3)
	f.sweep(t, SweepOptions{})
	clerk.set(func() { clerk.instance, clerk.lists = "ins_other", map[string][]object{} })
	for name, compare := range map[string]func(context.Context, SweepOptions) (Report, error){"sweep": f.Sweep, "verify": f.Verify} {
		if _, err := compare(t.Context(), SweepOptions{AllowMassDeletion: true}); !errors.Is(err, ErrOtherInstance) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if live := f.value(t, "SELECT count(*) FROM clerk.memberships WHERE NOT dead"); live != "3" {
		t.Errorf("%s memberships live", live)
	}
}

func TestSweepGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1200)
	ctx, kill := context.WithCancel(t.Context())
	clerk.fail = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/organization_memberships" && r.URL.Query().Get("offset") == "1000" {
			kill()
		}
		return false
	}
	if _, err := f.Sweep(ctx, SweepOptions{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	clerk.set(func() { clerk.fail = nil })
	clerk.asked()
	report := f.sweep(t, SweepOptions{})
	if !report.Resumed {
		t.Error("it began anew")
	}
	for _, asked := range clerk.asked() {
		if strings.Contains(asked, "/users") || strings.Contains(asked, "offset=500") {
			t.Errorf("asked again for %s", asked)
		}
	}
	if m := report.Kinds["memberships"]; m.Listed != 1200 || m.Changed != 1200 || m.Extra != 0 {
		t.Errorf("in all:\n%s", describe(report))
	}
	if f.value(t, "SELECT count(*) FROM clerk.memberships WHERE NOT dead") != "1200" {
		t.Error("not everything is there")
	}
	// Long after, what was seen is worth nothing.
	f.exec(t, "UPDATE clerk.sweeps SET finished_at = NULL, started_at = started_at - interval '2 hours'")
	if report := f.sweep(t, SweepOptions{}); report.Resumed {
		t.Error("an old one was gone on with")
	}
}

func TestOneSweepAtATime(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1)
	led, err := f.store.Lead(t.Context(), "sweep", func(ctx context.Context) error {
		if _, err := f.Sweep(ctx, SweepOptions{}); !errors.Is(err, ErrSweepElsewhere) {
			t.Errorf("beside another one: %v", err)
		}
		return nil
	})
	if err != nil || !led {
		t.Fatal(led, err)
	}
	f.sweep(t, SweepOptions{})
}

func TestSweepTouchesNoOtherOrganization(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(3)
	other := object{"id": "org_2", "name": "Two", "created_at": 1_782_900_000_000, "updated_at": 1_782_900_000_000}
	clerk.lists["organizations"] = append(clerk.lists["organizations"], other)
	clerk.lists["organization_memberships"] = append(clerk.lists["organization_memberships"], object{
		"id": "orgmem_other", "role": "org:admin", "created_at": 1_782_900_000_500, "updated_at": 1_782_900_000_500,
		"organization": other, "public_user_data": object{"user_id": "user_000001"},
	})
	f.sweep(t, SweepOptions{})
	const rows = "SELECT string_agg(m::text || m.xmin, ';') FROM public.members AS m WHERE organization_id = 'org_2'"
	before := f.value(t, rows)
	clerk.set(func() {
		clerk.lists["organization_memberships"] = clerk.lists["organization_memberships"][1:]
		clerk.lists["organization_memberships"][0]["role"] = "org:admin"
		clerk.lists["organization_memberships"][0]["updated_at"] = 1_782_900_900_000
	})
	report := f.sweep(t, SweepOptions{})
	if m := report.Kinds["memberships"]; m.Tombstoned != 1 || m.Differing != 1 || m.Changed != 1 {
		t.Errorf("one left, one has another role:\n%s", describe(report))
	}
	if after := f.value(t, rows); after != before {
		t.Errorf("the other organization's rows were %s and are %s", before, after)
	}
}

func TestVerifyAndRepairOfTheProjection(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(4)
	f.sweep(t, SweepOptions{})
	if report := f.verify(t); report.Drift() != 0 || report.Kinds[KindMembers].Listed != 4 {
		t.Errorf("all is well:\n%s", describe(report))
	}
	f.exec(t, "UPDATE public.members SET role = 'org:admin' WHERE user_id = 'user_000001'")
	f.exec(t, "DELETE FROM public.members WHERE user_id = 'user_000002'")
	if m := f.verify(t).Kinds[KindMembers]; m.Differing != 1 || m.Missing != 1 || m.Changed != 0 {
		t.Errorf("verify: %+v", *m)
	}
	if m := f.sweep(t, SweepOptions{Projection: true}).Kinds[KindMembers]; m.Changed != 2 {
		t.Errorf("repair: %+v", *m)
	}
	if report := f.verify(t); report.Drift() != 0 {
		t.Errorf("after the repair:\n%s", describe(report))
	}
}
