package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// BenchmarkReceive stores and applies events of many small Clerks, from four senders for each processor.
func BenchmarkReceive(b *testing.B) {
	f := newFixture(b, dbtest.Config(b))
	var serial, statements atomic.Int64
	b.SetParallelism(4)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		random := rand.New(rand.NewPCG(1, uint64(serial.Add(1))))
		var events []worldEvent
		for pb.Next() {
			if len(events) == 0 {
				events = newHistory(random, regimes[0], fmt.Sprintf("r%dx", serial.Add(1)), 40).events
			}
			ctx, count := store.WithStatementCount(context.Background())
			outcome, err := f.Receive(ctx, Message{ID: events[0].id, Body: events[0].body, Received: time.Now()})
			if err != nil || outcome.Result != Applied {
				b.Errorf("%v, %v", outcome, err)
			}
			statements.Add(int64(count()))
			events = events[1:]
		}
	})
	b.ReportMetric(float64(statements.Load())/float64(b.N), "statements/op")
}

// BenchmarkFacts asks about one member of many.
func BenchmarkFacts(b *testing.B) {
	f := newFixture(b, dbtest.Config(b))
	w := newWorld(&world{regime: regimes[0], random: rand.New(rand.NewPCG(1, 1)), crowd: 40}, 2000)
	for _, e := range w.events {
		if err := f.store.Mirror(b.Context(), func(tx *store.MirrorTx) error { return e.change.apply(tx) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			m := w.members[i%len(w.members)]
			if _, err := f.Facts(b.Context(), m.organization.id, m.user.id, "sess_1", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkApply is the merge alone, without a database.
func BenchmarkApply(b *testing.B) {
	w := newHistory(rand.New(rand.NewPCG(1, 1)), regimes[0], "", 40)
	b.ReportAllocs()
	for b.Loop() {
		m := newModel()
		for _, e := range w.events {
			if err := e.change.apply(m); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(w.events)), "ns/event")
}
