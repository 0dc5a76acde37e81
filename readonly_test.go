package main

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/child"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// keysOf are the variables of a server with keys of a kind, test or live, whose Clerk cannot be reached.
func keysOf(clerk *instance, kind string) []string {
	return []string{
		"CLERK_SECRET_KEY=sk_" + kind + "_secretcanary0123456789",
		"CLERK_PUBLISHABLE_KEY=pk_" + kind + "_" + base64.RawStdEncoding.EncodeToString([]byte("clerk.app.example$")),
		"CLERK_WEBHOOK_SIGNING_SECRET=" + liveSecret, "CLERK_JWT_KEY=" + clerk.pem(),
		"CLERK_API_URL=http://127.0.0.1:1/v1", "CLERK_AUTHORIZED_PARTIES=https://app.example",
	}
}

// container runs the built program as a container would: as an unprivileged user, with nothing of our environment.
type container struct {
	binary, work string
	account      child.Account
	env          []string
}

func (c *container) command(args ...string) *exec.Cmd {
	command := exec.Command(c.binary, args...)
	command.Dir, command.Env = c.work, c.env
	c.account.Apply(command)
	return command
}

// With Clerk keys and DATABASE_URL the built program migrates as the owner and serves as a login that owns nothing. It does
// so as an unprivileged user, without a home, from a folder that it cannot write to; it writes nothing where it could, and
// it logs its start and its end.
func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	base := dbtest.Dir(t)
	binary := filepath.Join(base, "tenantry")
	if text, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// Who may enter the folder of the private PostgreSQL's socket; ourselves unless we are root.
	account, err := child.Unprivileged("postgres", "_postgres", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		kind, mode string
		writable   bool
	}{
		"live, read-only": {"live", "production", false},
		"live, writable":  {"live", "production", true},
		"development":     {"test", "development", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(base, strings.ReplaceAll(name, ", ", "-"))
			work, home, temporary := filepath.Join(folder, "work"), filepath.Join(folder, "home"), filepath.Join(folder, "tmp")
			for _, dir := range []string{work, home, temporary} {
				if err := errors.Join(os.MkdirAll(dir, 0o755), account.Own(dir)); err != nil {
					t.Fatal(err)
				}
			}
			clerk := newInstance(t, "https://clerk.app.example")
			c := &container{binary: binary, work: work, account: account}
			c.env = append(keysOf(clerk, test.kind), "TENANTRY_ADDR=127.0.0.1:0", "TENANTRY_METRICS_ADDR=off", "TMPDIR="+temporary)
			if test.writable {
				c.env = append(c.env, "HOME="+home)
			} else if err := os.Chmod(work, 0o555); err != nil {
				t.Fatal(err)
			}
			touch := exec.Command("touch", "mine")
			touch.Dir = work
			account.Apply(touch)
			if err := touch.Run(); (err == nil) != test.writable {
				t.Fatalf("a file of ours in the folder: %v", err)
			}
			before := listing(t, folder)

			owner := dbtest.Empty(t)
			migrate := c.command("migrate")
			migrate.Env = append(migrate.Env, "DATABASE_MIGRATE_URL="+owner)
			if text, err := migrate.CombinedOutput(); err != nil || !strings.Contains(string(text), "applied 00001_instance.sql in ") {
				t.Fatalf("migrate: %v\n%s", err, text)
			}
			c.env = append(c.env, "DATABASE_URL="+dbtest.ServingLogin(t, owner))
			p := &program{t: t, dir: work, cmd: c.command(), stdout: &lockedBuffer{}, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
			p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
			if err := p.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			go func() { p.exited <- p.cmd.Wait(); close(p.exited) }()
			t.Cleanup(func() { p.stop(syscall.SIGKILL) })
			p.await()
			for _, path := range []string{"/livez", "/readyz"} {
				if status, _, body := p.do(http.MethodGet, path, nil, nil); status != 200 {
					t.Errorf("%s: %d %s", path, status, body)
				}
			}
			if got := p.ask(clerk.token("org_Live", "https://app.example"), `{ organization { id } }`, nil); got.At("organization", "id") != "org_Live" {
				t.Errorf("a request: %s", got)
			}
			if diff := cmp.Diff(before, listing(t, folder)); diff != "" {
				t.Errorf("while it runs (-before +after):\n%s", diff)
			}
			p.stop(syscall.SIGTERM)
			if diff := cmp.Diff(before, listing(t, folder)); diff != "" {
				t.Errorf("when it has stopped (-before +after):\n%s", diff)
			}
			p.milestones(test.mode)
		})
	}
}

// listing returns every path below a folder, with its size.
func listing(t *testing.T, folder string) (found map[string]int64) {
	t.Helper()
	found = map[string]int64{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			found[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// milestones fails unless a program that has stopped logged its start and its end once, with version and mode.
func (p *program) milestones(mode string) {
	p.t.Helper()
	for msg, wanted := range map[string][]string{
		"starting": nil, "ready": {"address", "schema_version", "duration_ms"}, "draining": {"at_most_ms"}, "stopped": {"duration_ms"},
	} {
		lines := p.logged(msg)
		if len(lines) != 1 {
			p.t.Fatalf("%d lines %q in:\n%s", len(lines), msg, p.stderr)
		}
		line := lines[0]
		if version, _ := line["version"].(string); line["level"] != "INFO" || line["mode"] != mode || version == "" {
			p.t.Errorf("%v", line)
		}
		for _, key := range wanted {
			if value, found := line[key]; !found || value == "" || value == 0.0 && strings.HasSuffix(key, "version") {
				p.t.Errorf("%q has no %s: %v", msg, key, line)
			}
		}
	}
}
