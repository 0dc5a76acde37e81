package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// helperDir makes the test binary a program that starts the PostgreSQL of that folder and then waits to be killed.
const helperDir = "POSTGRES_TEST_HELPER_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(helperDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	server, err := Start(context.Background(), Config{Dir: dir})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("ready:", server.postmaster.PID())
	select {}
}

// openFolder is a folder that PostgreSQL's user may enter also if we are root, unlike t.TempDir.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// newHome is a folder for a private PostgreSQL, which is removed with it.
func newHome(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openFolder(t), "state")
	t.Cleanup(func() {
		if err := Reset(dir); err != nil {
			t.Errorf("reset: %v", err)
		}
	})
	return dir
}

// started is a running private PostgreSQL, which is stopped with the test.
func started(t *testing.T, dir string) *Server {
	t.Helper()
	server, err := Start(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *Server) {
	t.Helper()
	begin := time.Now()
	if err := server.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stop took %v, want less than 3s", took)
	}
}

func connect(t *testing.T, server *Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, server *Server, sql string) {
	t.Helper()
	if _, err := connect(t, server).Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, server *Server, sql string) T {
	t.Helper()
	var value T
	if err := connect(t, server).QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// processes are the command lines of running programs that mention text.
func processes(t *testing.T, text string) []string {
	t.Helper()
	all, err := exec.Command("ps", "-ww", "-A", "-o", "pid=,stat=,command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// occupy leaves a session behind that is busy for a minute.
func occupy(t *testing.T, server *Server) {
	t.Helper()
	message, err := (&pgproto3.Query{String: "SELECT pg_sleep(60)"}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, server).PgConn().Conn().Write(message); err != nil {
		t.Fatal(err)
	}
}
