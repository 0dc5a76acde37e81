package clerk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryEventArrivesSigned(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	want := c.current.Load().Queue
	rec := receive(t, c.WebhookSecret(), nil)
	run(t, c, rec.url)
	settle(t, c)

	got := map[string]string{}
	for _, d := range rec.deliveries() {
		got[d.id] = string(d.body)
	}
	if len(got) != len(want) || len(rec.deliveries()) != len(want) {
		t.Fatalf("%d deliveries of %d events, want %d", len(rec.deliveries()), len(got), len(want))
	}
	for _, m := range want {
		if !strings.HasPrefix(m.ID, "msg_") || got[m.ID] != m.Body {
			t.Errorf("%s %s arrived as %q", m.Type, m.ID, got[m.ID])
		}
	}
}

func TestFailedDeliveriesAreRepeatedUnchanged(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{
		"server error": 500, "not ready": 503, "refused": 401, "not found": 404, "redirect": 307, "not modified": 304,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openNew(t)
			rec := receive(t, c.WebhookSecret(), func(_ delivery, before int) int {
				if before < 2 {
					return status
				}
				return http.StatusOK
			})
			run(t, c, rec.url)
			settle(t, c)
			first := map[string][]byte{}
			for _, d := range rec.deliveries() {
				if body, seen := first[d.id]; seen && !bytes.Equal(body, d.body) {
					t.Errorf("%s came with two bodies", d.id)
				}
				first[d.id] = d.body
			}
			if len(first) != seededEvents || len(rec.deliveries()) != 3*seededEvents {
				t.Errorf("%d events in %d deliveries, want %d in three times as many", len(first), len(rec.deliveries()), seededEvents)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	var asked atomic.Int64
	redirect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(redirect.Close)
	stop := run(t, c, redirect.URL)
	eventually(t, "every event tried twice", func() bool { return asked.Load() >= seededEvents })
	stop()
	if n := followed.Load(); n != 0 {
		t.Errorf("%d events were sent to where the receiver pointed", n)
	}
	if queued := len(c.current.Load().Queue); queued != seededEvents {
		t.Errorf("%d events are queued, want all %d", queued, seededEvents)
	}
}

func TestAtMostFourDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	var now, most atomic.Int64
	full := make(chan struct{})
	var once sync.Once
	rec := receive(t, c.WebhookSecret(), func(delivery, int) int {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
				break
			}
		}
		if n == 4 {
			once.Do(func() { close(full) })
		}
		<-full // held until four are here; a fifth would show
		time.Sleep(5 * time.Millisecond)
		return http.StatusOK
	})
	run(t, c, rec.url)
	settle(t, c)
	if most.Load() != 4 {
		t.Errorf("%d deliveries at once, want 4", most.Load())
	}
}

func TestAChangeDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	remove := object{"organization": "acme", "user": "max"}
	add := object{"organization": "acme", "user": "max", "role": "org:member"}

	var out membershipOutput
	a.ok("DELETE", membershipsPath, remove, &out)
	if out.Delivered || out.DeliveryMs > 1000 {
		t.Errorf("nothing delivers, and yet %+v", out)
	}

	release := make(chan struct{})
	rec := receive(t, c.WebhookSecret(), func(delivery, int) int {
		<-release
		return http.StatusOK
	})
	t.Cleanup(sync.OnceFunc(func() { close(release) }))
	c.patience = 50 * time.Millisecond
	stop := run(t, c, rec.url)
	eventually(t, "deliveries on their way", func() bool { return len(rec.deliveries()) == 4 })
	a.ok("POST", membershipsPath, add, &out)
	if out.Delivered || out.DeliveryMs < 50 {
		t.Errorf("the receiver hangs, and yet %+v", out)
	}

	// The end of Run ends the wait, however long it might have been.
	c.patience = time.Hour
	waiting := make(chan membershipOutput)
	go func() {
		var out membershipOutput
		a.ok("DELETE", membershipsPath, remove, &out)
		waiting <- out
	}()
	eventually(t, "the change", func() bool { return len(c.current.Load().Memberships) == 3 })
	stop()
	if out := <-waiting; out.Delivered {
		t.Errorf("%+v", out)
	}
}

func TestRunRefusesAndSettledGivesUp(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	for _, url := range []string{"", "/webhooks/clerk", "ftp://127.0.0.1/x", "http://", "127.0.0.1:8080", "http://%zz?hush"} {
		if err := c.Run(t.Context(), url); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("Run(%q): %v", url, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Settled(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), fmt.Sprint(seededEvents, " events")) {
		t.Errorf("Settled without Run: %v", err)
	}

	rec := receive(t, c.WebhookSecret(), nil)
	stop := run(t, c, rec.url)
	settle(t, c)
	if err := c.Run(t.Context(), rec.url); err == nil {
		t.Error("two runs at once")
	}
	stop()
	stopAgain := run(t, c, rec.url) // one after the other is fine
	settle(t, c)
	stopAgain()
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	rec := receive(t, c.WebhookSecret(), func(d delivery, before int) int {
		if before == 0 && d.id[len(d.id)-1] < 'M' {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	run(t, c, rec.url)
	a := serve(t, c)
	var workers sync.WaitGroup
	for _, organization := range []string{"acme", "globex"} {
		workers.Go(func() {
			for range 5 {
				var out membershipOutput
				a.ok("POST", membershipsPath, object{"organization": organization, "user": "nora", "role": "guest"}, &out)
				a.ok("PATCH", membershipsPath, object{"organization": organization, "user": "nora", "role": "admin"}, &out)
				a.ok("DELETE", membershipsPath, object{"organization": organization, "user": "nora"}, &out)
			}
		})
		workers.Go(func() {
			for range 10 {
				mint(a, object{"user": "ada", "organization": organization})
				var view stateView
				a.ok("GET", statePath, nil, &view)
			}
		})
	}
	workers.Wait()
	settle(t, c)
	told := map[string]bool{}
	for _, d := range rec.deliveries() {
		told[d.id] = true
	}
	if len(told) != seededEvents+2*5*3 {
		t.Errorf("%d events arrived, want %d", len(told), seededEvents+2*5*3)
	}
	if again := openIn(t, strings.TrimSuffix(c.dir, "/clerk")); !cmp.Equal(again.current.Load(), c.current.Load()) {
		t.Error("disk and memory differ")
	}
}
