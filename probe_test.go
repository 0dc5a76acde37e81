package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// others is what is to be as it was when an attack is over: everything of the organizations that were there, and who is.
func (p *program) others() string {
	p.t.Helper()
	var rows string
	if err := p.owner().QueryRow(p.t.Context(), `SELECT string_agg(one, E'\n') FROM (
		SELECT 'o ' || o::text AS one FROM organizations o WHERE organization_id LIKE 'org\_2Local%' UNION ALL
		SELECT 'm ' || m::text FROM members m WHERE organization_id LIKE 'org\_2Local%' UNION ALL
		SELECT 'i ' || i::text FROM invitations i WHERE organization_id LIKE 'org\_2Local%' UNION ALL
		SELECT 'd ' || d::text FROM documents d WHERE organization_id LIKE 'org\_2Local%' UNION ALL
		SELECT 'a ' || a::text FROM audit_entries a WHERE organization_id LIKE 'org\_2Local%' ORDER BY 1) AS every`).Scan(&rows); err != nil {
		p.t.Fatal(err)
	}
	return rows + "\n" + p.standing()
}

// standing is whom and what the local Clerk has, and what it allows.
func (p *program) standing() string {
	p.t.Helper()
	_, _, text := p.do(http.MethodGet, "/__clerk/control/v1/state", nil, nil)
	var state map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		p.t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range []string{"users", "organizations", "memberships", "rateLimit"} {
		all.WriteString(name + " " + string(state[name]) + "\n")
	}
	return all.String()
}

var whole = regexp.MustCompile(`(?m)^0 leaks, 100 % of (\d{3,}) fields and (\d{2,}) id positions\n\z`)

// TestProbe attacks the local server, which stands, and leaves it as it was.
func TestProbe(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	before := p.others()
	began := time.Now()
	code, stdout, stderr := p.command("probe", "--probes", "20000")
	t.Logf("in %s: %s", time.Since(began), stdout)
	if code != 0 || !whole.MatchString(stdout) || !strings.Contains(stdout, "who knows the id of one may make them a member") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if diff := cmp.Diff(before, p.others()); diff != "" {
		t.Errorf("the attack leaves something behind (-before +after):\n%s", diff)
	}
	var living int
	if err := p.owner().QueryRow(t.Context(), `SELECT count(*) FROM organizations WHERE deleted_at IS NULL`).Scan(&living); err != nil || living != 2 {
		t.Errorf("%d organizations live in the copy, %v", living, err)
	}
}

// startProbe starts an attack and waits until it is under way.
func (p *program) startProbe(stderr io.Writer) *exec.Cmd {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], "probe", "--dir", p.dir)
	cmd.Env = append(append(cleanEnvironment(), asProgram+"=1"), database(p.t, p.dir)...)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(60 * time.Second); strings.Count(p.standing(), "canary") < 20; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal("the attack does not begin")
		}
	}
	return cmd
}

// TestProbeIsStopped stops an attack and finds nothing of it left.
func TestProbeIsStopped(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	before := p.others()
	var stderr bytes.Buffer
	cmd := p.startProbe(&stderr)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "tenantry: stopped before the attack was over\n") {
		t.Errorf("stopped: %v, %s", err, stderr.String())
	}
	if diff := cmp.Diff(before, p.others()); diff != "" {
		t.Errorf("a stopped attack leaves something behind (-before +after):\n%s", diff)
	}
}

// TestProbeIsKilled: the limits that it lifted are back when its lease expires, and the next start
// removes its people and organizations, and nothing of anybody else.
func TestProbeIsKilled(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	p := start(t, dir)
	before := p.others()
	cmd := p.startProbe(io.Discard)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait() // it was killed
	if limits := p.standing(); !strings.Contains(limits, `rateLimit {"requests":-1,`) {
		t.Errorf("the attack lifted no limits: %s", limits)
	}
	p.eventually("the limits are back", func() bool { return strings.Contains(p.standing(), `rateLimit {"requests":100,`) })
	t.Logf("the limits were back after %s, with %d things of the attack left", time.Since(killed), strings.Count(p.standing(), "canary"))

	p.stop(syscall.SIGTERM)
	p = start(t, dir)
	if diff := cmp.Diff(before, p.others()); diff != "" {
		t.Errorf("a killed attack leaves something behind after the next start (-before +after):\n%s", diff)
	}
	var living int
	if err := p.owner().QueryRow(t.Context(), `SELECT count(*) FROM organizations WHERE deleted_at IS NULL`).Scan(&living); err != nil || living != 2 {
		t.Errorf("%d organizations live in the copy, %v", living, err)
	}
}

// between is a proxy before a program that may change what passes, and counts.
type between struct {
	*program
	url                  string
	operations, mutation atomic.Int64
}

// stand puts a proxy before a program. change is handed an answer to one operation as an organization, and returns another
// or the same.
func stand(p *program, change func(organization, operation string, answer []byte) []byte) *between {
	p.t.Helper()
	target, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	b := &between{program: p}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/graphql" {
			proxy.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			p.t.Error(err)
		}
		var asked struct{ Query string }
		if err := json.Unmarshal(body, &asked); err != nil {
			p.t.Errorf("%s: %v", body, err)
		}
		b.operations.Add(1)
		if strings.HasPrefix(asked.Query, "mutation") {
			b.mutation.Add(1)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorder := httptest.NewRecorder()
		proxy.ServeHTTP(recorder, r)
		answer := recorder.Body.Bytes()
		if change != nil {
			answer = change(organizationIn(r.Header.Get("Authorization")), string(body), answer)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(answer)
	}))
	p.t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func organizationIn(authorization string) string {
	parts := strings.Split(authorization, ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		O struct{ ID string }
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return ""
	}
	return claims.O.ID
}

// announced is a folder in which commands find the proxy in place of the program.
func (b *between) announced() *program {
	b.t.Helper()
	running, err := cli.ReadRunning(filepath.Join(b.dir, ".tenantry"))
	if err != nil {
		b.t.Fatal(err)
	}
	running.URL = b.url
	dir := filepath.Join(b.t.TempDir(), ".tenantry")
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.t.Fatal(err)
	}
	if _, err := cli.Announce(dir, running); err != nil {
		b.t.Fatal(err)
	}
	return &program{t: b.t, dir: dir}
}

// TestProbeSeesAServerThatLeaks: it fails on a server that lets through what it should not, and names the place.
func TestProbeSeesAServerThatLeaks(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	before := p.others()
	for name, test := range map[string]struct {
		change func(memory *leaky, organization, operation string, answer []byte) []byte
		want   string
	}{
		"another organization's document": {(*leaky).document, "leak at Query.document(id)"},
		"whether an id exists":            {(*leaky).existence, "difference at Query.node"},
	} {
		t.Run(name, func(t *testing.T) {
			memory := &leaky{}
			b := stand(p, func(organization, operation string, answer []byte) []byte {
				memory.mu.Lock()
				defer memory.mu.Unlock()
				memory.learn(organization, answer)
				return test.change(memory, organization, operation, answer)
			})
			code, stdout, stderr := b.announced().command("probe", "--probes", "1", "--depth", "2")
			switch {
			case b.operations.Load() < 1000:
				t.Errorf("only %d operations came through the proxy", b.operations.Load())
			case code != 1 || !strings.Contains(stdout, test.want) || !strings.Contains(stdout, "  operation: query Probe") ||
				strings.Contains(stdout, "\n0 leaks") || !strings.Contains(stderr, "tenantry: one organization could tell"):
				t.Errorf("exit %d, want %q: %.3000s %s", code, test.want, stdout, stderr)
			}
		})
	}
	if diff := cmp.Diff(before, p.others()); diff != "" {
		t.Errorf("attacks that found something leave something behind (-before +after):\n%s", diff)
	}
}

// TestProbeOnlyReads: a server that is named is not changed, and the tokens are of two organizations and hold the rights.
func TestProbeOnlyReads(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	before := p.others()
	b := stand(p, nil)
	for _, test := range []struct {
		name       string
		a, b       [2]string
		want, says []string
		operations bool
	}{
		{"two administrators", [2]string{"ada", "acme"}, [2]string{"gus", "globex"}, []string{"\n0 leaks, ", "without --write", "  Invitation: createdAt, "}, []string{"not everything was reached"}, true},
		{"one who may not read everything", [2]string{"max", "acme"}, [2]string{"gus", "globex"}, []string{"Organization.auditLog: FORBIDDEN"}, []string{"not everything was reached"}, true},
		{"twice the same organization", [2]string{"ada", "acme"}, [2]string{"max", "acme"}, nil, []string{"take tokens of two organizations"}, false},
		{"no organization", [2]string{"ada", ""}, [2]string{"max", "acme"}, nil, []string{"--token-a: no organization is active in the token"}, false},
	} {
		files := [2]string{}
		for i, who := range [][2]string{test.a, test.b} {
			files[i] = filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(files[i], []byte(p.token(who[0], who[1])+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sent := b.operations.Load()
		code, stdout, stderr := p.command("probe", "--url", b.url, "--token-a", "@"+files[0], "--token-b", "@"+files[1], "--probes", "1", "--depth", "2")
		for _, want := range test.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: no %q in %s", test.name, want, stdout)
			}
		}
		for _, want := range test.says {
			if code != 1 || !strings.Contains(stderr, want) {
				t.Errorf("%s: exit %d, no %q in %s", test.name, code, want, stderr)
			}
		}
		if many := b.operations.Load()-sent > 100; many != test.operations {
			t.Errorf("%s: %d operations", test.name, b.operations.Load()-sent)
		}
	}
	if n := b.mutation.Load(); n != 0 {
		t.Errorf("%d mutations", n)
	}
	if diff := cmp.Diff(before, p.others()); diff != "" {
		t.Errorf("reading changes something (-before +after):\n%s", diff)
	}
}

// TestProbeWrites: with leave to, it fills and attacks organizations that were named, and keeps them.
func TestProbeWrites(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	p.control(http.MethodPost, "rate-limit", variables{"requests": -1})
	before := p.others()
	b := stand(p, nil)
	var args []string
	for i, who := range []string{"max", "nora"} {
		made := p.ask(p.token(who, ""), `mutation { createOrganization(input: {name: "For the attack"}) { organization { id } } }`, nil)
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(p.token(who, made.At("createOrganization", "organization", "id").(string))), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--token-"+string(rune('a'+i)), "@"+file)
	}
	code, stdout, stderr := p.command(append([]string{"probe", "--url", b.url, "--write", "--probes", "1", "--depth", "2"}, args...)...)
	if code != 0 || !whole.MatchString(stdout) || b.mutation.Load() < 50 || !strings.Contains(stdout, "it would delete the organization of --token-a") {
		t.Errorf("exit %d, %d mutations: %s %s", code, b.mutation.Load(), stdout, stderr)
	}
	if rows, _, _ := strings.Cut(p.others(), "users "); !strings.HasPrefix(before, rows) {
		t.Error("organizations that were not named have changed")
	}
	if n := strings.Count(p.standing(), `"role":"org:admin"`); n != 4 {
		t.Errorf("%d administrators: the organizations that were named are gone: %s", n, p.standing())
	}
}
