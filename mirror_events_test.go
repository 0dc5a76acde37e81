package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// command runs a command of the program beside a running one, in its folder and with its database.
func (p *program) command(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], append(args, "--dir", p.dir)...)
	cmd.Env = append(append(cleanEnvironment(), asProgram+"=1"), database(p.t, p.dir)...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

// owner is a connection to the program's database that may do everything.
func (p *program) owner() *pgx.Conn {
	p.t.Helper()
	url := ""
	for _, variable := range database(p.t, p.dir) {
		if value, found := strings.CutPrefix(variable, "DATABASE_MIGRATE_URL="); found {
			url = value
		}
	}
	if url == "" {
		running, err := cli.ReadRunning(p.dir + "/.tenantry")
		if err != nil {
			p.t.Fatal(err)
		}
		url = running.Database
	}
	conn, err := pgx.Connect(p.t.Context(), url)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// TestMirrorEventsOfARunningServer: the commands find its database, and its workers take what is to be tried again.
func TestMirrorEventsOfARunningServer(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	owner := p.owner()
	if _, err := owner.Exec(t.Context(), "UPDATE clerk.inbox SET state = 'dead', error = 'made so' WHERE type = 'organization.created'"); err != nil {
		t.Fatal(err)
	}
	dead := func() (events []struct{ ID, Type, Error string }) {
		code, stdout, stderr := p.command("mirror", "events", "--dead", "--json")
		if err := json.Unmarshal([]byte(stdout), &events); err != nil || code != 0 || stderr != "" {
			t.Fatalf("exit %d, %v, stdout %s, stderr %s", code, err, stdout, stderr)
		}
		return events
	}
	events := dead()
	if len(events) != 2 || events[0].Type != "organization.created" || events[0].Error != "made so" {
		t.Fatalf("dead letters: %+v", events)
	}
	if code, stdout, stderr := p.command("mirror", "events", "retry", events[0].ID); code != 0 {
		t.Fatalf("exit %d, stdout %s, stderr %s", code, stdout, stderr)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var states string
		if err := owner.QueryRow(t.Context(), "SELECT string_agg(state || error, ' ' ORDER BY id = $1) FROM clerk.inbox WHERE type = 'organization.created'", events[0].ID).Scan(&states); err != nil {
			t.Fatal(err)
		}
		if states == "deadmade so done" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the other one, the one tried again: %s", states)
		}
	}
	if code, stdout, stderr := p.command("mirror", "events", "show", events[0].ID); code != 0 || !strings.Contains(stdout, "done") || strings.Contains(stdout, "Acme") {
		t.Errorf("exit %d, stdout %s, stderr %s", code, stdout, stderr)
	}
	p.stop(syscall.SIGTERM)
	if os.Getenv(dbtest.ScopeVariable) == "" {
		if code, _, stderr := p.command("mirror", "events"); code != 1 || !strings.Contains(stderr, "no server runs here") {
			t.Errorf("without a server: exit %d, stderr %s", code, stderr)
		}
	}
}
