package postgres

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/child"
)

// helper runs Start for dir in another process.
func helper(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), helperDir+"="+dir)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready:") {
		t.Fatalf("the helper says %q, %v", line, err)
	}
	return program
}

func TestStartAfterTheOwnerWasKilled(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	owner := helper(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrAlreadyRunning) {
		t.Fatalf("start beside the owner: %v, want ErrAlreadyRunning", err)
	}
	held := &home{dir: dir}
	noted := held.read()
	execute(t, &Server{socket: noted.Socket}, "CREATE TABLE kept AS SELECT 42 AS answer")
	pid, _ := readPIDFile(noted.Data)

	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	server := started(t, dir)
	if got := query[int](t, server, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	if line := child.CommandLine(pid); ours(line, noted.Data) {
		t.Errorf("the killed owner's PostgreSQL still runs: %s", line)
	}
	if _, err := os.Stat(noted.Socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the killed owner's socket folder is still there: %v", err)
	}
}

// Without Linux's last will (macOS) PostgreSQL outlives a killed owner: here one runs that nobody holds the lock for.
func TestStartReplacesAPostgresThatOutlivedItsOwner(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	server := started(t, dir)
	execute(t, server, "CREATE TABLE kept AS SELECT 42 AS answer")
	stop(t, server)

	left := &home{dir: dir}
	at, err := left.place()
	if err != nil {
		t.Fatal(err)
	}
	from, err := newFinder().find(t.Context(), io.Discard, at)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := makeSocketFolder(at.account)
	if err != nil {
		t.Fatal(err)
	}
	if err := left.write(note{Dir: dir, Data: at.data, Socket: socket}); err != nil {
		t.Fatal(err)
	}
	orphan, err := launch(t.Context(), from, at, socket, left.log(), false)
	if err != nil {
		t.Fatal(err)
	}
	// A session of the killed program's may still be busy.
	occupy(t, &Server{socket: socket})

	server = started(t, dir)
	if got := query[int](t, server, "SELECT answer FROM kept"); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	select {
	case <-orphan.Done():
	case <-time.After(time.Second):
		t.Error("the orphan still runs beside its successor")
	}
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the orphan's socket folder is still there: %v", err)
	}
}

// After a crash of the machine the pid file may name any program, and PostgreSQL refuses to start beside it.
func TestStartIgnoresAPIDThatBelongsToAnotherProgramNow(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	server := started(t, dir)
	text, err := os.ReadFile(pidFile(server.DataDir()))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, server)

	bystander := exec.Command("sleep", "60")
	account, err := child.Owner(server.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	account.Apply(bystander)
	process, err := child.Start(bystander, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer process.Kill()
	_, rest, _ := strings.Cut(string(text), "\n")
	file := pidFile(server.DataDir())
	if err := os.WriteFile(file, []byte(strconv.Itoa(process.PID())+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := account.Own(file); err != nil {
		t.Fatal(err)
	}
	started(t, dir)
	if !process.Running() {
		t.Error("the other program was ended")
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	for _, after := range []time.Duration{0, 30 * time.Millisecond, 200 * time.Millisecond, 600 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		server, err := Start(ctx, Config{Dir: dir})
		cancel()
		if err == nil {
			stop(t, server)
			t.Logf("was faster than %v", after)
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled after %v: %v", after, err)
		}
		if left := processes(t, dir); len(left) > 0 {
			t.Errorf("cancelled after %v, still running: %q", after, left)
		}
		if _, err := os.Stat(filepath.Join(dir, "postgres.new")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("cancelled after %v, half-made data is still there: %v", after, err)
		}
	}
	started(t, dir)
}

func TestCancelWhilePostgresComesUpLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	stop(t, started(t, dir))
	// It is launched, and cannot be ready yet.
	ctx, cancel := context.WithCancel(t.Context())
	finished := make(chan error, 1)
	go func() {
		server, err := Start(ctx, Config{Dir: dir})
		if err == nil {
			stop(t, server)
		}
		finished <- err
	}()
	data := filepath.Join(dir, "postgres")
	for len(processes(t, "postgres -D "+data)) == 0 {
		select {
		case err := <-finished:
			t.Fatalf("never seen starting: %v", err)
		default:
		}
	}
	cancel()
	if err := <-finished; err == nil {
		t.Log("was faster than the cancel")
	} else if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := processes(t, data); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
	started(t, dir)
}

func TestFailedStartShowsTheLogAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := newHome(t)
	server := started(t, dir)
	stop(t, server)
	config := filepath.Join(server.DataDir(), "postgresql.conf")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(text, "\nno_such_setting = 1\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v, want PostgreSQL's own complaint", err)
	}
	if left := processes(t, dir); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	started(t, dir)
}
