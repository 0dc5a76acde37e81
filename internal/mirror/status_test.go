package mirror

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the database says of comparisons is what they found, whether they came to their end or not.
func TestComparisons(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	check := func(why string, wantFinished, wantUnfinished bool) (finished, unfinished *Comparison) {
		t.Helper()
		finished, err := f.LastComparison(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		unfinished, running, err := f.UnfinishedComparison(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if (finished != nil) != wantFinished || (unfinished != nil) != wantUnfinished || running {
			t.Errorf("%s: finished %+v, unfinished %+v, running %v", why, finished, unfinished, running)
		}
		return finished, unfinished
	}
	check("before the first", false, false)
	clerk.crowd(700)
	started := f.config.Now().Truncate(time.Microsecond)
	report := f.sweep(t, SweepOptions{Progress: func(kind string, done, _ int) {
		if kind != "memberships" || done != 500 {
			return
		}
		unfinished, running, err := f.UnfinishedComparison(t.Context())
		if err != nil || !running || unfinished == nil || unfinished.Listing != "memberships" || unfinished.Position != 500 {
			t.Errorf("while it runs: %+v, %v, %v", unfinished, running, err)
		}
	}})
	finished, _ := check("after one", true, false)
	if diff := cmp.Diff(report.Kinds, finished.Report.Kinds); diff != "" || finished.StartedAt.Before(started) || finished.FinishedAt.Before(finished.StartedAt) || finished.Listing != "" {
		t.Errorf("%+v (-found +noted):\n%s", finished, diff)
	}

	clerk.set(func() {
		clerk.fail = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/organization_roles" {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
	})
	if _, err := f.Sweep(t.Context(), SweepOptions{}); err == nil {
		t.Fatal("a comparison without roles succeeded")
	}
	again, cut := check("one that was cut off", true, true)
	if cut.Listing != "users" || cut.Position != 700 || cut.FinishedAt != nil || !again.StartedAt.Equal(finished.StartedAt) {
		t.Errorf("cut off %+v, finished %+v", cut, again)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	r := Report{Kinds: map[string]*KindReport{"members": {}, "memberships": {}, "organizations": {}, "users": {}}}
	if diff := cmp.Diff([]string{"organizations", "users", "memberships", "members"}, r.Names()); diff != "" {
		t.Error(diff)
	}
}

// Who waits for the second read is told of what and for how long; with a Clerk that needs none, and in Verify, nobody is.
func TestWaitingIsTold(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(3)
	f.sweep(t, SweepOptions{})
	type told struct {
		Kind  string
		Gone  int
		Pause time.Duration
	}
	var heard []told
	options := SweepOptions{Waiting: func(kind string, gone int, pause time.Duration) { heard = append(heard, told{kind, gone, pause}) }}
	lose := func(list string) {
		clerk.set(func() { clerk.lists[list] = clerk.lists[list][1:] })
	}
	lose("organization_memberships")
	f.config.ConfirmAfter = time.Millisecond
	if _, err := f.Verify(t.Context(), options); err != nil || heard != nil {
		t.Errorf("verify: %v, %v", heard, err)
	}
	f.sweep(t, options)
	if diff := cmp.Diff([]told{{"memberships", 1, time.Millisecond}}, heard); diff != "" {
		t.Error(diff)
	}
	heard, f.config.ConfirmAfter = nil, 0
	lose("organization_memberships")
	if report := f.sweep(t, options); heard != nil || report.Kinds["memberships"].Tombstoned != 1 {
		t.Errorf("without a pause: %v, %s", heard, describe(report))
	}
}
