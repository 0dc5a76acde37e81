package clerk

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const chaosPath = "/__clerk/control/v1/chaos"

// openChaotic is an instance whose seeded events were delivered before the
// chaos began.
func openChaotic(t *testing.T, set chaos, answer func(delivery, int) int) (*Clerk, *receiver, api) {
	t.Helper()
	c := openNew(t)
	rec := receive(t, c.WebhookSecret(), answer)
	run(t, c, rec.url)
	settle(t, c)
	rec.reset()
	a := serve(t, c)
	var view chaosView
	a.ok("POST", chaosPath, set, &view)
	if want := (chaosView{On: true, chaos: set}); view != want {
		t.Fatalf("%+v, want %+v", view, want)
	}
	return c, rec, a
}

func (r *receiver) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.seen = nil, map[string]int{}
}

// announced queues many events at once and gives them in their order.
func announced(t *testing.T, c *Clerk, times int) (queued []message) {
	t.Helper()
	err := c.update(func(s *state) error {
		for range times {
			if err := s.announce(c.now()); err != nil {
				return err
			}
		}
		queued = slices.Clone(s.Queue)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return queued
}

func TestDroppedEventsNeverArrive(t *testing.T) {
	t.Parallel()
	c, rec, a := openChaotic(t, chaos{Drop: 1}, nil)
	var out membershipOutput
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)
	if out.Delivered || !out.Dropped || out.DeliveryMs > 2000 {
		t.Errorf("%+v", out)
	}
	settle(t, c)
	if n := len(rec.deliveries()); n != 0 {
		t.Errorf("%d deliveries of dropped events", n)
	}
	// What was dropped stays so, even when the chaos ends.
	var view chaosView
	a.ok("DELETE", chaosPath, nil, &view)
	if want := (chaosView{Dropped: 1}); view != want {
		t.Errorf("%+v, want %+v", view, want)
	}
	a.ok("POST", membershipsPath, object{"organization": "acme", "user": "max", "role": "guest"}, &out)
	if !out.Delivered || out.Dropped {
		t.Errorf("%+v without chaos", out)
	}
	settle(t, c)
	if all := rec.deliveries(); len(all) != 1 || all[0].event(t).Type != "organizationMembership.created" {
		t.Errorf("%d deliveries, want the one after the chaos", len(all))
	}
	if third := openIn(t, strings.TrimSuffix(c.dir, "/clerk")); len(third.current.Load().Queue) != 0 {
		t.Error("a dropped event is still on disk")
	}
}

func TestSharesOfEventsAreDroppedAndDuplicated(t *testing.T) {
	t.Parallel()
	c, rec, a := openChaotic(t, chaos{Drop: 0.25, Duplicate: 0.4}, func(_ delivery, before int) int {
		if before == 0 {
			return http.StatusServiceUnavailable // failing counts neither way
		}
		return http.StatusNoContent
	})
	bodies := map[string]string{}
	for _, m := range announced(t, c, 8) { // 208 events
		bodies[m.ID] = m.Body
	}
	settle(t, c)

	arrived := map[string]int{}
	for _, d := range rec.deliveries() {
		arrived[d.id]++
		if bodies[d.id] != string(d.body) {
			t.Fatalf("%s arrived with another body", d.id)
		}
	}
	twice := 0
	for id, n := range arrived {
		switch n {
		case 2: // refused once, taken once
		case 3:
			twice++
		default:
			t.Errorf("%s came %d times", id, n)
		}
	}
	dropped := len(bodies) - len(arrived)
	var view stateView
	a.ok("GET", statePath, nil, &view)
	if int(view.Chaos.Dropped) != dropped || int(view.Chaos.Duplicated) != twice || view.Deliveries.Queued != 0 {
		t.Errorf("%+v is shown; %d were dropped and %d came twice", view.Chaos, dropped, twice)
	}
	// Five standard deviations to each side.
	if dropped < 21 || dropped > 83 {
		t.Errorf("%d of %d dropped, want about a quarter", dropped, len(bodies))
	}
	if rest := len(arrived); twice < rest*12/100 || twice > rest*68/100 {
		t.Errorf("%d of %d came twice, want about 40 %%", twice, rest)
	}
}

func TestDuplicatesComeLaterUnderTheirID(t *testing.T) {
	t.Parallel()
	c, rec, a := openChaotic(t, chaos{Duplicate: 1}, nil)
	var out membershipOutput
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)
	if !out.Delivered || out.Dropped {
		t.Errorf("%+v", out)
	}
	settle(t, c)
	all := rec.deliveries()
	if len(all) != 2 || all[0].id != all[1].id || string(all[0].body) != string(all[1].body) {
		t.Fatalf("%d deliveries", len(all))
	}
}

func TestReorderSendsInAnyOrder(t *testing.T) {
	t.Parallel()
	order := func(set chaos) (came, queued []string) {
		c, rec, _ := openChaotic(t, set, nil)
		for _, m := range announced(t, c, 6) {
			queued = append(queued, m.ID)
		}
		settle(t, c)
		for _, d := range rec.deliveries() {
			came = append(came, d.id)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(queued)), slices.Sorted(slices.Values(came))); diff != "" {
			t.Errorf("not each once:\n%s", diff)
		}
		return came, queued
	}
	// How far events came from their place. Four at once alone move them by
	// little.
	moved := func(came, queued []string) (sum int) {
		for i, id := range queued {
			sum += max(i-slices.Index(came, id), slices.Index(came, id)-i)
		}
		return sum / len(queued)
	}
	if m := moved(order(chaos{Reorder: true})); m < 12 {
		t.Errorf("shuffled, events came %d places from theirs on average, want about a third of 78", m)
	}
	if m := moved(order(chaos{Drop: 1e-12})); m > 6 {
		t.Errorf("not shuffled, events came %d places from theirs on average", m)
	}
}

func TestDelayHoldsEventsBackUntilItIsOff(t *testing.T) {
	t.Parallel()
	c, rec, a := openChaotic(t, chaos{DelayMs: maxDelay.Milliseconds()}, nil)
	var out membershipOutput
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)
	if out.Delivered || out.Dropped || out.DeliveryMs > 2000 {
		t.Errorf("%+v, want an answer at once that it is not delivered", out)
	}
	if n := len(rec.deliveries()); n != 0 {
		t.Errorf("%d deliveries of held events", n)
	}
	var view stateView
	a.ok("GET", statePath, nil, &view)
	if view.Deliveries.Queued != 1 || !view.Chaos.On {
		t.Errorf("%+v %+v", view.Deliveries, view.Chaos)
	}
	var off chaosView
	a.ok("DELETE", chaosPath, nil, &off)
	settle(t, c)
	if all := rec.deliveries(); len(all) != 1 || off.On {
		t.Errorf("%d deliveries after the chaos, %+v", len(all), off)
	}
}

func TestDelayIsRandomUpToItsBound(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var waits []time.Duration
	var began time.Time
	c, _, _ := openChaotic(t, chaos{DelayMs: 400}, func(delivery, int) int {
		mu.Lock()
		defer mu.Unlock()
		if !began.IsZero() {
			waits = append(waits, time.Since(began))
		}
		return http.StatusNoContent
	})
	mu.Lock()
	began = time.Now()
	mu.Unlock()
	announced(t, c, 2)
	settle(t, c)
	mu.Lock()
	defer mu.Unlock()
	if len(waits) != 2*seededEvents || slices.Max(waits)-slices.Min(waits) < 100*time.Millisecond {
		t.Errorf("%d events came after %v", len(waits), waits)
	}
}

// Changes, chaos and deliveries at once; in the end everything is known to have
// arrived or to have been dropped.
func TestChaosWhileEverythingChanges(t *testing.T) {
	t.Parallel()
	c, rec, a := openChaotic(t, chaos{Drop: 0.2, Duplicate: 0.3, Reorder: true, DelayMs: 20}, nil)
	var workers sync.WaitGroup
	for _, organization := range []string{"acme", "globex"} {
		workers.Go(func() {
			for range 10 {
				var out membershipOutput
				a.ok("POST", membershipsPath, object{"organization": organization, "user": "nora", "role": "guest"}, &out)
				a.ok("DELETE", membershipsPath, object{"organization": organization, "user": "nora"}, &out)
				if out.Delivered && out.Dropped {
					t.Errorf("%+v", out)
				}
			}
		})
	}
	workers.Go(func() {
		for i := range 10 {
			var view chaosView
			a.ok("POST", chaosPath, chaos{Drop: 0.2, Duplicate: float64(i%2) / 2, Reorder: i%3 == 0, DelayMs: int64(i)}, &view)
			a.ok("DELETE", chaosPath, nil, &view)
		}
	})
	workers.Wait()
	settle(t, c)
	distinct := map[string]bool{}
	for _, d := range rec.deliveries() {
		distinct[d.id] = true
	}
	view := c.viewChaos()
	if got := len(distinct) + int(view.Dropped); got != 40 || len(rec.deliveries()) != len(distinct)+int(view.Duplicated) {
		t.Errorf("%d distinct in %d deliveries, %+v; want 40 events in all", len(distinct), len(rec.deliveries()), view)
	}
}
