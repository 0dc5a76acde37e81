package clerk

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConnectionRefusedAndThenNot(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	var log safeBuffer
	c.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	address, listen := reserve(t)

	run(t, c, "http://"+address+"/webhooks/clerk?secret=hush")
	eventually(t, "a third attempt", func() bool { return strings.Contains(log.String(), "attempts=3") })
	if !strings.Contains(log.String(), "connection refused") {
		t.Errorf("the log does not say why:\n%s", log.String())
	}
	rec := newReceiver(t, c.WebhookSecret(), nil)
	server := &http.Server{Handler: rec}
	listener := listen()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	settle(t, c)

	if n := len(rec.deliveries()); n != seededEvents {
		t.Errorf("%d deliveries, want %d", n, seededEvents)
	}
	for _, secret := range []string{"hush", "v1,", "whsec_", "acme.example"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log shows %s:\n%s", secret, log.String())
		}
	}
}

// reserve takes a port at which connections are refused until listen.
func reserve(t *testing.T) (address string, listen func() net.Listener) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "reserved port")
	t.Cleanup(func() { file.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := bound.(*syscall.SockaddrInet4).Port
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), func() net.Listener {
		if err := syscall.Listen(fd, 16); err != nil {
			t.Fatal(err)
		}
		listener, err := net.FileListener(file)
		if err != nil {
			t.Fatal(err)
		}
		return listener
	}
}

// safeBuffer is a log that may be read while it is written.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestQueueSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := openIn(t, dir)
	// Every second event is taken, as at a start that was cut in the middle.
	taken := map[string]bool{}
	var mu sync.Mutex
	half := receive(t, first.WebhookSecret(), func(d delivery, _ int) int {
		mu.Lock()
		defer mu.Unlock()
		if len(taken) < 6 || taken[d.id] {
			taken[d.id] = true
			return http.StatusOK
		}
		return http.StatusServiceUnavailable
	})
	stop := run(t, first, half.url)
	eventually(t, "6 events taken", func() bool { return len(first.current.Load().Queue) == seededEvents-6 })
	var out membershipOutput
	a := serve(t, first)
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)
	if out.Delivered {
		t.Error("an event that was answered 503 is called delivered")
	}
	stop()
	left := first.current.Load().Queue
	if len(left) != seededEvents-6+1 {
		t.Fatalf("%d events are left, want %d", len(left), seededEvents-6+1)
	}

	second := openIn(t, dir)
	rec := receive(t, second.WebhookSecret(), nil)
	run(t, second, rec.url)
	settle(t, second)
	got := map[string]string{}
	for _, d := range rec.deliveries() {
		got[d.id] = string(d.body)
	}
	if len(got) != len(left) || len(rec.deliveries()) != len(left) {
		t.Errorf("%d deliveries after the restart, want %d", len(rec.deliveries()), len(left))
	}
	for _, m := range left {
		if got[m.ID] != m.Body {
			t.Errorf("%s changed over the restart", m.ID)
		}
	}
	b := serve(t, second)
	b.refused(b.request("POST", tokensPath, object{"user": "max", "organization": "acme"}), 403, "not_a_member_in_organization")
	third := openIn(t, dir)
	if n := len(third.current.Load().Queue); n != 0 {
		t.Errorf("%d delivered events are still on disk", n)
	}
}

// What was answered just before the end must not be sent again.
func TestTheEndForgetsNoAnswer(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range c.current.Load().Queue {
		d := &dispatcher{
			clerk: c, sender: newSender(c.hook, "http://127.0.0.1:1", c.now),
			jobs: map[string]*job{m.ID: {sending: true}}, busy: 1,
			done: make(chan attempt, concurrentDeliveries),
		}
		d.done <- attempt{message: m}
		d.run(ended)
		if _, queued := find(c.current.Load().Queue, func(q message) bool { return q.ID == m.ID }); queued {
			t.Errorf("%s is still queued", m.Type)
		}
	}
}

func TestAnnounceTellsOfTheWholeOfNow(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	rec := receive(t, c.WebhookSecret(), nil)
	run(t, c, rec.url)
	a := serve(t, c)
	var out membershipOutput
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)
	a.ok("PATCH", membershipsPath, object{"organization": "globex", "user": "ada", "role": "admin"}, &out)
	settle(t, c)
	before := len(rec.deliveries())
	if err := c.Announce(); err != nil {
		t.Fatal(err)
	}
	settle(t, c)

	types := map[string]int{}
	for _, d := range rec.deliveries()[before:] {
		event := d.event(t)
		types[event.Type]++
		if text := string(event.Data); event.Type == "organizationMembership.created" &&
			(strings.Contains(text, "user_2LocalMax") || !strings.Contains(text, `"role":"org:admin"`)) {
			t.Errorf("told of what is no more: %s", text)
		}
	}
	want := map[string]int{"permission.created": 14, "role.created": 3, "user.created": 4, "organization.created": 2, "organizationMembership.created": 3}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
}
