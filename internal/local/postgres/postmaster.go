package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/internal/child"
)

const (
	// startLimit bounds a start. It is long because a start after a crash replays the log.
	startLimit = time.Minute
	// longestLog is the size above which a start begins a new log.
	longestLog = 8 << 20
)

// settings are PostgreSQL's, on top of its defaults. They are given at each start, so that data made earlier gets today's.
func settings(socket string, ephemeral bool) []string {
	given := []string{
		"-k", socket,
		"-c", "listen_addresses=",
		"-c", "port=" + port,
		"-c", "unix_socket_permissions=0700",
		"-c", "max_connections=200",
		"-c", "timezone=UTC",
		"-c", "log_timezone=UTC",
		"-c", "logging_collector=off",
		// Nobody copies this server: it may log less.
		"-c", "wal_level=minimal",
		"-c", "max_wal_senders=0",
		"-c", "min_wal_size=32MB",
		"-c", "max_wal_size=512MB",
		// Compiling a query takes longer than most queries of a laptop.
		"-c", "jit=off",
	}
	if ephemeral {
		given = append(given,
			"-c", "fsync=off",
			"-c", "synchronous_commit=off",
			"-c", "full_page_writes=off",
			// Its workers sit in the databases that tests want to copy and drop.
			"-c", "autovacuum=off")
	}
	return given
}

// command is how PostgreSQL is called. ours recognises it.
func command(from binaries, data string, settings []string) *exec.Cmd {
	return exec.Command(from.program("postgres"), append([]string{"-D", data}, settings...)...)
}

// ours says whether commandLine is that of a PostgreSQL that was started here for data.
func ours(commandLine, data string) bool {
	return strings.Contains(commandLine, "postgres -D "+data+" -k ")
}

// leftoverLimit is how long the processes of a PostgreSQL that was killed are waited for.
const leftoverLimit = 5 * time.Second

// launch starts PostgreSQL and returns when it accepts connections. After an error it does not run. One that was killed a
// moment ago holds its memory until the last of its processes has noticed, and until then another one refuses to start.
func launch(ctx context.Context, from binaries, at place, socket, log string, ephemeral bool) (*child.Process, error) {
	for deadline := time.Now().Add(leftoverLimit); ; {
		process, err := launchOnce(ctx, from, at, socket, log, ephemeral)
		if err == nil || time.Now().After(deadline) || !strings.Contains(err.Error(), "pre-existing shared memory block") {
			return process, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func launchOnce(ctx context.Context, from binaries, at place, socket, log string, ephemeral bool) (*child.Process, error) {
	messages, err := openLog(log)
	if err != nil {
		return nil, err
	}
	defer messages.Close()
	begin, err := messages.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	postgres := command(from, at.data, settings(socket, ephemeral))
	postgres.Dir, postgres.Env, postgres.Stdout, postgres.Stderr = at.data, environment(), messages, messages
	at.account.Apply(postgres)
	// Its "fast" shutdown: what we could not ask for any more when we are killed.
	process, err := child.Start(postgres, syscall.SIGINT)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := awaitReady(ctx, process, at.data); err != nil {
		stopPostmaster(ctx, process, true)
		<-process.Done()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w; its log %s says:\n%s", err, log, tail(log, begin))
	}
	return process, nil
}

// awaitReady returns when PostgreSQL says in its pid file that it is ready, as pg_ctl waits for it. Trying to connect
// instead would fill the log with refusals.
func awaitReady(ctx context.Context, process *child.Process, data string) error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-process.Done():
			return fmt.Errorf("PostgreSQL did not start (%v)", process.Err())
		case <-limit.C:
			return fmt.Errorf("PostgreSQL was not ready after %v", startLimit)
		case <-look.C:
			if pid, state := readPIDFile(data); pid == process.PID() && state == "ready" {
				return nil
			}
		}
	}
}

// stopPostmaster asks for the end of PostgreSQL ever more firmly until it is gone. hurry skips the friendly part, as does
// the end of ctx.
func stopPostmaster(ctx context.Context, process *child.Process, hurry bool) {
	if !hurry && ctx.Err() == nil {
		process.Signal(syscall.SIGINT)
		select {
		case <-process.Done():
			return
		case <-time.After(fastStop):
		case <-ctx.Done():
		}
	}
	process.Signal(syscall.SIGQUIT)
	select {
	case <-process.Done():
	case <-time.After(immediateStop):
		process.Kill()
	}
}

func openLog(path string) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > longestLog {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

// tail is what was written to a log since begin, or the end of it.
func tail(path string, begin int64) string {
	const most = 4 << 10
	text, err := os.ReadFile(path)
	if err != nil || begin > int64(len(text)) {
		return ""
	}
	text = text[begin:]
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(bytes.TrimSpace(text))
}
