package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/spectest"
	"github.com/tenantry/tenantry/store"
)

// asProgram makes this test binary be the program itself, so that tests can start it, kill it and start it again.
const asProgram = "TENANTRY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if err := leadOver(); err != nil {
		panic(err)
	}
	end := spectest.Begin()
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	dbtest.Main(m)
	end()
}

// databases are what the programs of each folder use: none, so that they start their own, unless the suite is run in
// another scope than the default (see dbtest.ScopeVariable).
var databases sync.Map

func database(t *testing.T, dir string) []string {
	t.Helper()
	if os.Getenv(dbtest.ScopeVariable) == "" {
		return nil
	}
	if known, ok := databases.Load(dir); ok {
		return known.([]string)
	}
	env := databaseEnv(dbtest.Config(t))
	databases.Store(dir, env)
	return env
}

// databaseEnv is what a user sets to have a database of theirs used.
func databaseEnv(config store.Config) []string {
	return []string{
		"DATABASE_URL=" + config.URL, "DATABASE_MIGRATE_URL=" + dbtest.OwnerURL(config), "TENANTRY_SCOPE=" + string(config.Scope),
	}
}

// program is the running program, with its state in dir.
type program struct {
	t      *testing.T
	dir    string
	url    string
	cmd    *exec.Cmd
	stdout *lockedBuffer
	stderr *lockedBuffer
	exited chan error
	// database is what the program was told to use, empty for its own. mutations counts those held to the audit log.
	database  string
	mutations *atomic.Int32
}

// start starts the program as a user would, on a free port, and waits until it is ready.
func start(t *testing.T, dir string, env ...string) *program {
	t.Helper()
	p := launch(t, dir, env...)
	p.await()
	return p
}

// launch starts the program and does not wait.
func launch(t *testing.T, dir string, env ...string) *program {
	t.Helper()
	if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "DATABASE_URL=") }) {
		env = append(env, database(t, dir)...)
	}
	return launchWith(t, dir, env...)
}

// launchWith starts the program with these variables, and no others of ours, and with those that begin like flags as flags.
func launchWith(t *testing.T, dir string, settings ...string) *program {
	t.Helper()
	return launchBinary(t, os.Args[0], dir, settings...)
}

// launchBinary is launchWith for a program of its own: this test binary or a built one.
func launchBinary(t *testing.T, binary, dir string, settings ...string) *program {
	t.Helper()
	var flags, env []string
	for _, setting := range settings {
		if strings.HasPrefix(setting, "--") {
			flags = append(flags, setting)
		} else {
			env = append(env, setting)
		}
	}
	p := &program{t: t, dir: dir, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}, exited: make(chan error, 1), mutations: new(atomic.Int32)}
	for _, name := range []string{"DATABASE_URL=", "DATABASE_MIGRATE_URL="} {
		for _, variable := range env {
			if value, is := strings.CutPrefix(variable, name); is {
				p.database = value
			}
		}
	}
	p.cmd = exec.Command(binary, append(flags, "--dir", dir)...)
	p.cmd.Env = append(append(cleanEnvironment(), asProgram+"=1", "TENANTRY_ADDR=127.0.0.1:0"), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if held := p.mutations.Load(); held > 0 {
			t.Logf("%d mutations held to their entries in the audit log", held)
		}
	})
	return p
}

// cleanEnvironment is ours without the variables that configure the program.
func cleanEnvironment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CLERK_") && !strings.HasPrefix(variable, "DATABASE_") {
			env = append(env, variable)
		}
	}
	return env
}

func (p *program) await() {
	p.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		var running struct {
			URL string `json:"url"`
			PID int    `json:"pid"`
		}
		note, err := os.ReadFile(filepath.Join(p.dir, ".tenantry", "server.json"))
		if err == nil && json.Unmarshal(note, &running) == nil && running.PID == p.cmd.Process.Pid {
			p.url = running.URL
			return
		}
		// A server without local state writes no note.
		if ready := p.logged("ready"); len(ready) > 0 {
			p.url = "http://" + ready[0]["address"].(string)
			return
		}
		select {
		case err := <-p.exited:
			p.t.Fatalf("the program ended (%v):\n%s", err, p.stderr)
		case <-deadline:
			p.t.Fatalf("the program is not ready:\n%s", p.stderr)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// logged returns the lines of the program's log with a message, if it logs as JSON.
func (p *program) logged(msg string) (lines []map[string]any) {
	p.t.Helper()
	for line := range strings.Lines(p.stderr.String()) {
		var logged map[string]any
		if json.Unmarshal([]byte(line), &logged) == nil && logged["msg"] == msg {
			lines = append(lines, logged)
		}
	}
	return lines
}

// stop sends a signal and waits for the end. It returns how long that took.
func (p *program) stop(signal syscall.Signal) time.Duration {
	p.t.Helper()
	began := time.Now()
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("the program did not stop:\n%s", p.stderr)
	}
	return time.Since(began)
}

type variables = map[string]any

// ask sends an operation as if with a fixed request id, so that two answers can be compared byte by byte. A mutation is held
// to its entries in the audit log.
func (p *program) ask(token, query string, variables variables) gqltest.Answer {
	p.t.Helper()
	if strings.HasPrefix(query, "mutation") {
		return p.mutate(token, query, variables)
	}
	return p.send(token, "application/json", p.body(query, variables))
}

func (p *program) body(query string, variables variables) []byte {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		p.t.Fatal(err)
	}
	return body
}

const sameRequestID = "the-same-request-id"

func (p *program) send(token, contentType string, body []byte) gqltest.Answer {
	p.t.Helper()
	return p.sendAs(sameRequestID, token, contentType, body)
}

// sendAs sends a request with an id of its own, in whose place the answer has the fixed one.
func (p *program) sendAs(requestID, token, contentType string, body []byte) gqltest.Answer {
	p.t.Helper()
	header := http.Header{"Content-Type": {contentType}, "X-Request-Id": {requestID}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	status, _, text := p.do(http.MethodPost, "/graphql", header, body)
	return gqltest.Read(p.t, status, []byte(strings.ReplaceAll(text, requestID, sameRequestID)))
}

func (p *program) do(method, path string, header http.Header, body []byte) (int, http.Header, string) {
	p.t.Helper()
	request, err := http.NewRequest(method, p.url+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

// control asks the local Clerk to change something.
func (p *program) control(method, path string, body variables) map[string]any {
	p.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	status, _, text := p.do(method, "/__clerk/control/v1/"+path, http.Header{"Content-Type": {"application/json"}}, content)
	if status/100 != 2 {
		p.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		p.t.Fatal(err)
	}
	return result
}

// token is a fresh session token of a seeded person.
func (p *program) token(user, organization string) string {
	p.t.Helper()
	return p.control(http.MethodPost, "tokens", variables{"user": user, "organization": organization})["token"].(string)
}

// lockedBuffer is written by a program while a test reads it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// eventually waits for what happens by itself, such as an event that is applied after its webhook was answered.
func (p *program) eventually(what string, is func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if is() {
			return
		}
	}
	p.t.Fatalf("never happened: %s", what)
}
