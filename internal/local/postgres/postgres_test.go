package postgres

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestServerIsReachableThroughItsSocketOnly(t *testing.T) {
	t.Parallel()
	server := started(t, newHome(t))
	if got := query[string](t, server, "SHOW listen_addresses"); got != "" {
		t.Errorf("listens on %q, want no TCP address", got)
	}
	if got := query[string](t, server, "SELECT current_user || ' ' || rolsuper FROM pg_roles WHERE rolname = current_user"); got != "tenantry true" {
		t.Errorf("login is %q, want the superuser tenantry", got)
	}
	for setting, want := range map[string]string{"server_encoding": "UTF8", "max_connections": "200", "fsync": "on", "TimeZone": "UTC"} {
		if got := query[string](t, server, "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := query[string](t, server, "SELECT lower('ÉÄ')"); got != "éä" {
		t.Errorf("lower('ÉÄ') is %q", got)
	}
	address, err := url.Parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(address.Query().Get("host"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %v, want 0700", info.Mode().Perm())
	}
	data, err := os.Stat(server.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	if data.Mode().Perm() != 0o700 {
		t.Errorf("the data has mode %v, want 0700", data.Mode().Perm())
	}
}

func TestNothingOfOursInPostgresEnvironment(t *testing.T) {
	t.Setenv("CLERK_SECRET_KEY", "sk_test_secret")
	t.Setenv("PGPORT", "1")
	t.Setenv("LANG", "xx_XX")
	server := started(t, newHome(t))
	if got := query[int](t, server, "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}
	for _, variable := range environment() {
		if name, _, _ := strings.Cut(variable, "="); name == "CLERK_SECRET_KEY" || name == "PGPORT" || name == "LANG" {
			t.Errorf("PostgreSQL is given %s", name)
		}
	}
}

func TestSecondStartIsRefusedWhileOneRuns(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	first := started(t, dir)
	begin := time.Now()
	if _, err := Start(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrAlreadyRunning) {
		t.Fatalf("second start: %v, want ErrAlreadyRunning", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the refusal took %v", took)
	}
	if err := Reset(dir); !errors.Is(err, ErrAlreadyRunning) {
		t.Errorf("reset while it runs: %v, want ErrAlreadyRunning", err)
	}
	if got := query[int](t, first, "SELECT 1"); got != 1 {
		t.Errorf("the first answers %d", got)
	}
}

func TestRestartKeepsDataAndResetEmptiesIt(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	server := started(t, dir)
	execute(t, server, "CREATE TABLE kept AS SELECT 42 AS answer")
	socket := server.socket
	stop(t, server)
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's folder is still there: %v", err)
	}
	if left := processes(t, server.DataDir()); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}

	begin := time.Now()
	server = started(t, dir)
	t.Logf("later start: %v", time.Since(begin))
	if got := query[int](t, server, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	stop(t, server)

	if err := Reset(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "postgres.json", "postgres.log"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	server = started(t, dir)
	if query[bool](t, server, "SELECT to_regclass('kept') IS NOT NULL") {
		t.Error("the table is still there after a reset")
	}
}

func TestResetOfAFolderWithoutPostgresDoesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	precious := filepath.Join(dir, "postgres")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Reset(dir); err != nil {
		t.Fatal(err)
	}
	if err := Reset(filepath.Join(dir, "missing")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestEnsureDatabase(t *testing.T) {
	t.Parallel()
	server := started(t, newHome(t))
	const name = `Clerk "x"; DROP`
	for i, want := range []bool{true, false} {
		created, err := server.EnsureDatabase(t.Context(), name)
		if err != nil || created != want {
			t.Fatalf("call %d: %v, %v; want %v", i+1, created, err, want)
		}
	}
	conn, err := pgx.Connect(t.Context(), server.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var current string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&current); err != nil || current != name {
		t.Errorf("connected to %q, %v", current, err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 64)} {
		if _, err := server.EnsureDatabase(t.Context(), bad); err == nil {
			t.Errorf("the name %q was taken", bad)
		}
	}
}

func TestStopIsQuickWhateverPostgresDoes(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	for name, happens := range map[string]func(*testing.T, *Server){
		"idle":             func(*testing.T, *Server) {},
		"busy":             occupy,
		"frozen":           func(_ *testing.T, server *Server) { server.postmaster.Signal(syscall.SIGSTOP) },
		"ended by itself":  func(_ *testing.T, server *Server) { server.postmaster.Signal(syscall.SIGQUIT); <-server.Done() },
		"stopped already":  func(t *testing.T, server *Server) { stop(t, server) },
		"killed by itself": func(_ *testing.T, server *Server) { server.postmaster.Signal(syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			server := started(t, dir) // the folder is free and good for another start, whatever happened before
			happens(t, server)
			stop(t, server)
			select {
			case <-server.Done():
			default:
				t.Error("Done is open after Stop")
			}
		})
	}
}

func TestStopHurriesWhenItsContextHasEnded(t *testing.T) {
	t.Parallel()
	server := started(t, newHome(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	begin := time.Now()
	if err := server.Stop(ended); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestEphemeralGivesUpDurability(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	server, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, server)
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if got := query[string](t, server, "SHOW "+setting); got != "off" {
			t.Errorf("%s is %s, want off", setting, got)
		}
	}
}
