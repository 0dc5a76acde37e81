package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
)

const membershipsList = "/organization_memberships"

// backfilledKey is a live one, so that the budget is the larger.
const backfilledKey = "sk_live_backfill0123456789"

// backfilled is an instance of Clerk over HTTP for programs with live keys, and the database that they fill.
type backfilled struct {
	t        *testing.T
	settings []string
	owner    *pgx.Conn
	members  int

	mu    sync.Mutex
	asked map[string]int
	// answered, if given, is called with the path and the query after each answer.
	answered func(path, offset string)
}

// newBackfilled is the local Clerk with so many organizations of fifty members each, who are in no other.
func newBackfilled(t *testing.T, organizations int) *backfilled {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir(), RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := local.Populate(clerk.Population{Organizations: organizations, Users: 50 * organizations, MembersEach: 50}); err != nil {
		t.Fatal(err)
	}
	b := &backfilled{t: t, members: 50 * organizations, asked: map[string]int{}}
	server := httptest.NewServer(b.over(local))
	t.Cleanup(server.Close)
	config := dbtest.Config(t)
	if b.owner, err = pgx.Connect(t.Context(), dbtest.OwnerURL(config)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.owner.Close(t.Context()) })
	// As the server's first start does.
	if _, err := b.owner.Exec(t.Context(), "UPDATE tenantry.instance SET clerk_issuer = $1", server.URL+"/__clerk"); err != nil {
		t.Fatal(err)
	}
	b.settings = append(databaseEnv(config),
		"CLERK_SECRET_KEY="+backfilledKey, "CLERK_ISSUER="+server.URL+"/__clerk",
		"CLERK_PUBLISHABLE_KEY=pk_live_"+base64.RawStdEncoding.EncodeToString([]byte("clerk.app.example$")),
		"CLERK_API_URL="+server.URL+backendPath)
	return b
}

const backendPath = "/__clerk/backend/v1"

// over counts, and lets the live key in.
func (b *backfilled) over(local *clerk.Clerk) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, backend := strings.CutPrefix(r.URL.Path, backendPath)
		if !backend {
			local.Handler().ServeHTTP(w, r)
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+backfilledKey {
			http.Error(w, "another key", http.StatusUnauthorized)
			return
		}
		r.Header.Set("Authorization", "Bearer "+local.SecretKey())
		offset := r.URL.Query().Get("offset")
		b.mu.Lock()
		b.asked[path+" "+offset]++
		answered := b.answered
		b.mu.Unlock()
		local.Handler().ServeHTTP(w, r)
		if answered != nil {
			answered(path, offset)
		}
	})
}

func (b *backfilled) onAnswer(answered func(path, offset string)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = answered
}

// launch starts one of the comparing commands.
func (b *backfilled) launch(name string) *program {
	b.t.Helper()
	p := &program{t: b.t, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	p.cmd = exec.Command(os.Args[0], "mirror", name, "--json", "--dir", dbtest.Dir(b.t))
	p.cmd.Env = append(append(cleanEnvironment(), asProgram+"=1"), b.settings...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait(); close(p.exited) }()
	b.t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// run runs one to its end and returns its exit code, and the most memory that it had, in kB.
func (b *backfilled) run(name string) (p *program, code, peak int) {
	b.t.Helper()
	p = b.launch(name)
	for {
		select {
		case <-p.exited:
			return p, p.cmd.ProcessState.ExitCode(), peak
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, highWater(p.cmd.Process.Pid))
		}
	}
}

var vmHWM = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// highWater is the most memory that a process had so far; 0 where that cannot be read, as when it is no more.
func highWater(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	found := vmHWM.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kB, _ := strconv.Atoi(string(found[1]))
	return kB
}

// requests are how many were made since the last call, and of those for the same page of a list the later ones.
func (b *backfilled) requests() (all int, again []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for page, times := range b.asked {
		all += times
		for range times - 1 {
			if !strings.HasPrefix(page, "/jwks") { // which is asked at every start
				again = append(again, page)
			}
		}
	}
	b.asked = map[string]int{}
	return all, again
}

func (b *backfilled) memberships() (n int) {
	if err := b.owner.QueryRow(b.t.Context(), "SELECT count(*) FROM clerk.memberships WHERE NOT dead AND updated_at > 0").Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// A backfill that is killed among the memberships goes on where it was: what is finished is not asked for again, and in
// the end the copy is as Clerk is.
func TestBackfillKilledHalfWay(t *testing.T) {
	t.Parallel()
	b := newBackfilled(t, proved(30, 1000))
	page := strconv.Itoa(b.members / 2 / 500 * 500)
	reached := make(chan struct{}, 1)
	b.onAnswer(func(path, offset string) {
		if path == membershipsList && offset == page {
			reached <- struct{}{}
		}
	})
	first := b.launch("backfill")
	select {
	case <-reached:
	case err := <-first.exited:
		t.Fatalf("it ended: %v\n%s", err, first.stderr)
	}
	time.Sleep(rand.N(60 * time.Millisecond)) // before the page is written, while it is, or just after
	first.stop(syscall.SIGKILL)
	b.onAnswer(nil)
	if state := first.cmd.ProcessState.Sys().(syscall.WaitStatus); state.Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v", state)
	}
	half := b.memberships()
	if half == 0 || half >= b.members {
		t.Errorf("it was killed with %d of %d memberships", half, b.members)
	}

	second, code, _ := b.run("backfill")
	for deadline := time.Now().Add(20 * time.Second); strings.Contains(second.stderr.String(), "another process compares") && time.Now().Before(deadline); {
		second, code, _ = b.run("backfill") // PostgreSQL has not yet noticed that the first is gone
	}
	if out := second.stdout.String(); code != 0 || !strings.Contains(out, `"resumed":true`) && !strings.Contains(out, `"resumed": true`) {
		t.Fatalf("started again: exit %d\n%s\n%s", code, out, second.stderr)
	}
	all, again := b.requests()
	if len(again) > 1 || len(again) == 1 && !strings.HasPrefix(again[0], membershipsList) { // the page that was under way
		t.Errorf("asked for again: %v", again)
	}
	if n := b.memberships(); n < b.members {
		t.Errorf("%d memberships, want %d", n, b.members)
	}
	if verify, code, _ := b.run("verify"); code != 0 {
		t.Errorf("verify: exit %d\n%s\n%s", code, verify.stdout, verify.stderr)
	}
	t.Logf("killed with %d of %d memberships; %d requests in both, asked for again: %v", half, b.members, all, again)
}

// However many there are, a backfill needs the same memory.
func TestBackfillInConstantMemory(t *testing.T) {
	t.Parallel()
	var peaks []int
	many := proved(60, 1000)
	for _, organizations := range []int{many / 10, many} {
		b := newBackfilled(t, organizations)
		began := time.Now()
		p, code, peak := b.run("backfill")
		took := time.Since(began)
		if code != 0 || b.memberships() < b.members {
			t.Fatalf("exit %d\n%s\n%s", code, p.stdout, p.stderr)
		}
		if peak == 0 {
			t.Skip("this system has no /proc/PID/status, which says how much memory a process had")
		}
		all, again := b.requests()
		if len(again) > 0 {
			t.Errorf("asked for again: %v", again)
		}
		t.Logf("%d organizations, %d users and memberships: %v with the budget of live keys, %d requests, the program's VmHWM is %d MB",
			organizations, b.members, took.Round(10*time.Millisecond), all, peak/1024)
		peaks = append(peaks, peak)
	}
	if peaks[1] > peaks[0]*3/2 {
		t.Errorf("ten times as many take %d kB in the place of %d", peaks[1], peaks[0])
	}
}

// proved is few in `go test` and many, or the part of them that TENANTRY_PROVE says, in the long proofs.
func proved(few, many int) int {
	part, err := strconv.ParseFloat(os.Getenv("TENANTRY_PROVE"), 64)
	if err != nil {
		return few
	}
	return max(few, int(part*float64(many)))
}
