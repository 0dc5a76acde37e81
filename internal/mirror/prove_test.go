package mirror

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// ProveHistories sends random histories of many Clerks to one database, signed, over HTTP and eight at once. Each has to
// end in its Clerk's last state.
func ProveHistories(t *testing.T, open Endpoint) {
	for i, run := range []struct {
		name   string
		ties   float64
		config func(testing.TB) store.Config
	}{
		{"no ties", 0, dbtest.Config},
		{"30 % ties", 0.3, dbtest.Config},
		{"30 % ties, ICU locale", 0.3, dbtest.ConfigICU},
	} {
		t.Run(run.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, run.config(t))
			f.run(t)
			proveHistories(t, f, open(t, f.Mirror, endpointSecret), rand.New(rand.NewPCG(17, uint64(i))), run.ties)
		})
	}
}

func proveHistories(t *testing.T, f *fixture, endpoint http.Handler, random *rand.Rand, ties float64) {
	worlds, sent, events := histories(random, scale(12, 600), ties)
	s := newSenders(t, endpoint)
	_, took := s.send(t, sent)
	t.Logf("%d histories, %d deliveries of %d events in %s: %.0f deliveries, %.0f events a second",
		len(worlds), len(sent), events, took.Round(time.Millisecond), float64(len(sent))/took.Seconds(), float64(events)/took.Seconds())
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if got, want := f.value(t, "SELECT count(*) FILTER (WHERE state = 'done') || ' of ' || count(*) FROM clerk.inbox"), fmt.Sprint(events, " of ", events); got != want {
		t.Errorf("%s events are done, want %s", got, want)
	}
	f.serveReads(t, worlds)
	all, wrong := f.load(t), 0
	for _, w := range worlds {
		if diff := w.difference(all.only(w.prefix)); diff != "" {
			wrong++
			t.Errorf("%s, %s (-Clerk +mirror)\n%s", w.prefix, w.name, diff)
		}
	}
	t.Logf("%d of %d histories end otherwise than in Clerk", wrong, len(worlds))
	f.sameFacts(t, all)
	f.noDeadlock(t)
	s.noPanic(t, f)
}

// histories returns worlds of all regimes, and what is delivered of them, in no order and with repetitions.
func histories(random *rand.Rand, count int, ties float64) (worlds []*world, sent []message, events int) {
	for i := range count {
		r := regimes[i%len(regimes)]
		r.ties = ties
		w := newWorld(&world{
			regime: r, random: random, prefix: fmt.Sprintf("h%04dx", i), crowd: 4,
			now: time.Now().UnixMilli(), // what is old is purged
		}, 25)
		for _, e := range w.delivery() {
			sent = append(sent, message{e.id, e.body})
		}
		worlds, events = append(worlds, w), events+len(w.events)
	}
	shuffle(random, sent)
	return worlds, sent, events
}

// serveReads answers what the copy cannot order as the Backend API would.
func (f *fixture) serveReads(t testing.TB, worlds []*world) {
	t.Helper()
	all, reads := f.load(t), 0
	for _, w := range worlds {
		for _, answer := range w.reads(all.only(w.prefix)) {
			reads++
			if err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error { return answer.apply(tx) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d flagged reads", reads)
}
