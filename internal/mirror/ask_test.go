package mirror

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A token of a member that the copy has never heard of: the membership, its organization and the user are read.
func TestAskSoon(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(2)
	f.AskSoon(Claim{OrganizationID: "org_1", UserID: "user_000001", Role: "org:member"})
	f.run(t)
	f.eventually(t, "SELECT count(*) = 1 FROM public.members WHERE name = 'U' AND role = 'org:member'")
	f.eventually(t, "SELECT name = 'One' FROM public.organizations")
	f.eventually(t, "SELECT updated_at > 0 FROM clerk.users WHERE id = 'user_000001'")
	if others := f.value(t, "SELECT count(*) FROM clerk.memberships WHERE user_id <> 'user_000001'"); others != "0" {
		t.Errorf("%s other memberships were read", others)
	}
	clerk.asked()
	for range 100 {
		f.AskSoon(Claim{OrganizationID: "org_1", UserID: "user_000001", Role: "org:member"})
	}
	if n := len(f.asks.waiting); n != 0 || len(clerk.asked()) != 0 {
		t.Errorf("asked again at once; %d wait", n)
	}
}

// What Clerk does not have ends nothing: one read is not enough.
func TestAskEndsNothing(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1)
	f.sweep(t, SweepOptions{})
	clerk.set(func() { clerk.lists = map[string][]object{} })
	if err := f.ask(t.Context(), couple{"org_1", "user_000000"}); err != nil {
		t.Fatal(err)
	}
	if f.value(t, "SELECT count(*) FROM clerk.memberships WHERE NOT dead") != "1" {
		t.Error("it was ended")
	}
	clerk.set(func() {
		clerk.fail = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
	})
	if err := f.ask(t.Context(), couple{"org_1", "user_000000"}); err == nil {
		t.Error("a refused read was taken for an answer")
	}
}

func TestAsksAreBounded(t *testing.T) {
	t.Parallel()
	a, now := newAsks(), time.Now()
	for i := range asksWaiting + 10 {
		a.add(Claim{OrganizationID: "org_1", UserID: fmt.Sprint("user_", i)}, now)
	}
	if len(a.waiting) != asksWaiting || len(a.recent) != asksWaiting {
		t.Errorf("%d wait, %d are known", len(a.waiting), len(a.recent))
	}
	for i := range asksKnown + 10 {
		a.recent[couple{"org_2", fmt.Sprint(i)}] = now
	}
	<-a.waiting
	a.add(Claim{OrganizationID: "org_3", UserID: "user_1"}, now.Add(time.Second))
	if len(a.waiting) != asksWaiting-1 {
		t.Error("more are known than may be")
	}
	a.add(Claim{OrganizationID: "org_3", UserID: "user_1"}, now.Add(askAgain))
	if len(a.waiting) != asksWaiting || len(a.recent) != 1 {
		t.Errorf("later %d wait, %d are known", len(a.waiting), len(a.recent))
	}
}
