package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/internal/child"
)

// readPIDFile gives the process that runs on data and its state, as PostgreSQL notes them: 0 and "" without a note.
func readPIDFile(data string) (pid int, state string) {
	text, err := os.ReadFile(pidFile(data))
	if err != nil {
		return 0, ""
	}
	// Lines: pid, data, start, port, socket folder, address, shared memory, state.
	lines := strings.Split(string(text), "\n")
	pid, _ = strconv.Atoi(strings.TrimSpace(lines[0]))
	if len(lines) > 7 {
		state = strings.TrimSpace(lines[7])
	}
	return pid, state
}

func pidFile(data string) string { return filepath.Join(data, "postmaster.pid") }

// clearStale stops a PostgreSQL that outlived the program which started it, and removes what it left behind. The home is
// locked, so nobody else can be using it.
func clearStale(logger *slog.Logger, home *home, data string) error {
	if pid, _ := readPIDFile(data); pid > 1 {
		if ours(child.CommandLine(pid), data) {
			logger.Warn("stopping the private PostgreSQL of a program that was killed", "pid", pid)
			if !end(pid, data) {
				return fmt.Errorf("PostgreSQL (process %d), left behind by a program that was killed, does not end", pid)
			}
		}
		// The number in it may belong to another program by now, and PostgreSQL would refuse to start because of it. That
		// nobody uses the data it checks by its shared memory too.
		if err := os.Remove(pidFile(data)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	removeSocketFolder(home.read().Socket)
	return nil
}

// end stops a PostgreSQL that is not our child. It says whether it is gone.
func end(pid int, data string) bool {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 5 * time.Second}, {syscall.SIGQUIT, 6 * time.Second}, {syscall.SIGKILL, time.Second}} {
		_ = syscall.Kill(pid, step.signal)
		for deadline := time.Now().Add(step.wait); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if !ours(child.CommandLine(pid), data) {
				return true
			}
		}
	}
	return false
}
