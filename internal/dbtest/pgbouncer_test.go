package dbtest

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func simple(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func backend(t *testing.T, conn *pgx.Conn) (pid int, login string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid(), session_user").Scan(&pid, &login); err != nil {
		t.Fatal(err)
	}
	return pid, login
}

func TestPgBouncerPoolsAsAsked(t *testing.T) {
	t.Parallel()
	direct := Empty(t)
	_, login := backend(t, simple(t, direct))
	for mode, shared := range map[string]bool{"transaction": true, "session": false} {
		t.Run(mode, func(t *testing.T) {
			through := PgBouncer(t, direct, mode)
			first, second := simple(t, through), simple(t, through)
			one, as := backend(t, first)
			two, _ := backend(t, second)
			if as != login {
				t.Errorf("the login is %s, want %s", as, login)
			}
			if (one == two) != shared {
				t.Errorf("two clients are served by %d and %d, want the same: %v", one, two, shared)
			}
		})
	}
}

func TestPgBouncerAsksForItsPassword(t *testing.T) {
	t.Parallel()
	through, err := url.Parse(PgBouncer(t, Empty(t), "transaction"))
	if err != nil {
		t.Fatal(err)
	}
	through.User = url.UserPassword(through.User.Username(), "guessed")
	if err := execute(t.Context(), through.String(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "authentication failed") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestPgBouncerEndsWithTheTest(t *testing.T) {
	t.Parallel()
	direct := Empty(t)
	var through string
	t.Run("test", func(t *testing.T) {
		through = PgBouncer(t, direct, "transaction")
		if err := execute(t.Context(), through, "SELECT 1"); err != nil {
			t.Error(err)
		}
	})
	if err := execute(t.Context(), through, "SELECT 1"); err == nil {
		t.Error("PgBouncer still answers")
	}
	if err := execute(t.Context(), direct, "SELECT 1"); err != nil {
		t.Errorf("the database behind it: %v", err)
	}
}

func TestMissingPgBouncerIsNamed(t *testing.T) {
	w := &witness{TB: t}
	w.watch(func(w testing.TB) { bouncer(w, "", "", "transaction") })
	if !strings.Contains(w.skipped, "pgbouncer not installed") {
		t.Errorf("skipped %q", w.skipped)
	}
}
