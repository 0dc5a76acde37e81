package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tenantry/tenantry/internal/child"
)

// locales are the ways to order and fold text, the best first; which of them exist depends on the system and on
// PostgreSQL's version. All of them order by bytes, as a laptop's and a server's languages shall not make a difference,
// and all but the last know upper and lower case beyond ASCII.
func locales(major int) [][]string {
	var known [][]string
	if major >= 17 {
		known = append(known, []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"})
	}
	return append(known,
		[]string{"--locale=C.UTF-8"},
		[]string{"--locale=C", "--lc-ctype=en_US.UTF-8"}, // macOS
		[]string{"--locale=C"})
}

// initialise makes empty data, in a folder beside its place that is moved there when it is whole.
func initialise(ctx context.Context, from binaries, at place) error {
	fresh := at.data + ".new"
	var failure error
	for _, locale := range locales(from.major) {
		// What a killed predecessor or a locale that does not exist here left behind.
		if err := os.RemoveAll(fresh); err != nil {
			return err
		}
		if err := os.Mkdir(fresh, 0o700); err != nil {
			return err
		}
		if err := at.account.Own(fresh); err != nil {
			return err
		}
		if failure = initdb(ctx, from, at.account, fresh, locale); failure == nil {
			return os.Rename(fresh, at.data)
		}
		if ctx.Err() != nil {
			break
		}
	}
	_ = os.RemoveAll(fresh)
	return failure
}

func initdb(ctx context.Context, from binaries, account child.Account, folder string, locale []string) error {
	command := exec.Command(from.program("initdb"), append([]string{
		"--pgdata=" + folder, "--username=" + Login, "--encoding=UTF8", "--no-sync", "--no-instructions",
		// Whoever reaches the socket has passed the folder's mode; there is no other way in.
		"--auth-local=trust", "--auth-host=reject",
	}, locale...)...)
	var output bytes.Buffer
	command.Dir, command.Env, command.Stdout, command.Stderr = "/", environment(), &output, &output
	account.Apply(command)
	command.WaitDelay = time.Second
	process, err := child.Start(command, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("start initdb: %w", err)
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		<-process.Done()
		return ctx.Err()
	}
	if err := process.Err(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// environment is what PostgreSQL may know of ours: where to find its libraries, but no secret of the program that
// starts it, and no PGPORT or LANG that would change it.
func environment() []string {
	kept := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LOCALE_ARCHIVE", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}
