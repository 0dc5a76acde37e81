package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/child"
)

// machine is a made-up machine to look for PostgreSQL on.
type machine struct {
	t         *testing.T
	root      string
	variables map[string]string
	finder    *finder
	asked     int
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: openFolder(t), variables: map[string]string{}}
	repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		m.asked++
		http.Error(w, "not here", http.StatusNotFound)
	}))
	t.Cleanup(repository.Close)
	m.finder = &finder{
		getenv: func(name string) string { return m.variables[name] },
		fetch: fetcher{repository: repository.URL, cache: func(child.Account) (string, error) {
			return filepath.Join(m.root, "cache"), nil
		}},
	}
	return m
}

// install puts a program there that prints a line.
func (m *machine) install(path, line string) string {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	// A process that is forked meanwhile holds the file open for writing until it has started its program, and what is open
	// for writing cannot be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\necho '%s'\n", line), 0o755); err != nil {
		m.t.Fatal(err)
	}
	return path
}

// postgres puts a PostgreSQL of that version there.
func (m *machine) postgres(folder, version string) string {
	m.t.Helper()
	m.install(filepath.Join(folder, "initdb"), "initdb (PostgreSQL) "+version)
	return filepath.Dir(m.install(filepath.Join(folder, "postgres"), "postgres (PostgreSQL) "+version))
}

// data is a place whose data was made by that version.
func (m *machine) data(made string) place {
	m.t.Helper()
	account, err := child.Unprivileged("postgres", "_postgres", "nobody")
	if err != nil {
		m.t.Fatal(err)
	}
	at := place{data: filepath.Join(m.root, "data"), account: account}
	if made == "" {
		return at
	}
	if err := os.MkdirAll(at.data, 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at.data, "PG_VERSION"), []byte(made+"\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return at
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*machine)
		made    string
		folder  string
		major   int
	}{
		"the variable wins": {func(m *machine) {
			m.variables[BinVariable] = m.postgres("mine", "14.1")
			m.variables["PATH"] = m.postgres("path", "16.2")
		}, "", "mine", 14},
		"a link in PATH leads to the real folder": {func(m *machine) {
			real := m.postgres("real/15/bin", "15.18 (Debian 15.18-0+deb12u1)")
			m.variables["PATH"] = filepath.Join(m.root, "missing") + ":" + filepath.Join(m.root, "links")
			if err := os.Mkdir(filepath.Join(m.root, "links"), 0o755); err != nil {
				m.t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(real, "initdb"), filepath.Join(m.root, "links", "initdb")); err != nil {
				m.t.Fatal(err)
			}
		}, "", "real/15/bin", 15},
		"pg_config knows": {func(m *machine) {
			m.variables["PATH"] = filepath.Dir(m.install("path/pg_config", m.postgres("elsewhere", "16.0")))
		}, "", "elsewhere", 16},
		"the newest package": {func(m *machine) {
			m.finder.globs = []string{filepath.Join(m.root, "lib/*/bin"), filepath.Join(m.root, "brew/postgresql@*/bin")}
			m.postgres("lib/9.6/bin", "9.6.24")
			m.postgres("lib/14/bin", "14.18")
			m.postgres("lib/16/bin", "16.1")
			m.postgres("brew/postgresql@17/bin", "17.5 (Homebrew)")
		}, "", "brew/postgresql@17/bin", 17},
		"the version that made the data": {func(m *machine) {
			m.finder.globs = []string{filepath.Join(m.root, "lib/*/bin")}
			m.variables["PATH"] = m.postgres("lib/17/bin", "17.5")
			m.postgres("lib/15/bin", "15.18")
		}, "15", "lib/15/bin", 15},
		"a version that is not released yet": {func(m *machine) {
			m.variables["PATH"] = m.postgres("path", "19beta1")
		}, "", "path", 19},
		"one downloaded earlier": {func(m *machine) {
			m.postgres("cache/postgresql-"+string(fetchVersion)+"/bin", "17.5")
		}, "", "cache/postgresql-" + string(fetchVersion) + "/bin", 17},
		"programs of two versions are passed over": {func(m *machine) {
			m.finder.globs = []string{filepath.Join(m.root, "lib/*/bin")}
			m.postgres("lib/17/bin", "17.5")
			m.install("lib/17/bin/postgres", "postgres (PostgreSQL) 17.4")
			m.postgres("lib/15/bin", "15.18")
		}, "", "lib/15/bin", 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			test.prepare(m)
			found, err := m.finder.find(t.Context(), io.Discard, m.data(test.made))
			if err != nil {
				t.Fatal(err)
			}
			want := binaries{folder: filepath.Join(m.root, test.folder), major: test.major}
			if diff := cmp.Diff(want, found, cmp.AllowUnexported(binaries{})); diff != "" {
				t.Error(diff)
			}
			if m.asked > 0 {
				t.Errorf("asked for a download %d times", m.asked)
			}
		})
	}
}

func TestNotFoundNamesTheRemedies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*machine)
		says    string
		fetches bool
	}{
		"nothing anywhere": {func(*machine) {}, "404 Not Found", true},
		"too old": {func(m *machine) {
			m.variables["PATH"] = m.postgres("old", "13.21")
		}, "version 13.21 is too old", true},
		"only clients": {func(m *machine) {
			m.finder.globs = []string{filepath.Join(m.root, "lib/*/bin")}
			m.install("lib/15/bin/psql", "psql (PostgreSQL) 15.1")
		}, "no initdb there", true},
		"programs of two versions": {func(m *machine) {
			m.variables["PATH"] = m.postgres("mixed", "15.1")
			m.install("mixed/postgres", "postgres (PostgreSQL) 15.2")
		}, "initdb is of version 15.1 and postgres of version 15.2", true},
		"another program": {func(m *machine) {
			m.variables["PATH"] = filepath.Dir(m.install("other/initdb", "hello"))
		}, "initdb tells no version", true},
		"the variable names a wrong folder": {func(m *machine) {
			m.variables[BinVariable] = filepath.Join(m.root, "wrong")
			m.variables["PATH"] = m.postgres("good", "15.1")
		}, "wrong: no initdb there", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			test.prepare(m)
			_, err := m.finder.find(t.Context(), io.Discard, m.data(""))
			var notFound *NotFoundError
			if !errors.As(err, &notFound) {
				t.Fatalf("got %v, want a *NotFoundError", err)
			}
			for _, part := range []string{test.says, "apt-get install postgresql", "brew install", BinVariable, "DATABASE_URL"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing from:\n%v", part, err)
				}
			}
			if fetched := m.asked > 0; fetched != test.fetches {
				t.Errorf("asked for a download: %v, want %v", fetched, test.fetches)
			}
		})
	}
}

func TestDataOfAnotherVersion(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.variables["PATH"] = m.postgres("lib/17/bin", "17.5")
	at := m.data("15")
	_, err := m.finder.find(t.Context(), io.Discard, at)
	var version *VersionError
	if !errors.As(err, &version) || version.Made != 15 || version.DataDir != at.data || len(version.Found) != 1 {
		t.Fatalf("got %v, want a *VersionError for 15", err)
	}
	for _, part := range []string{at.data, "postgresql-15", "postgresql@15", BinVariable, "--reset", "lib/17/bin"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing from:\n%v", part, err)
		}
	}
	if m.asked > 0 {
		t.Error("asked for a download, which cannot help")
	}
}

func TestFindStopsWithItsContext(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, prepare := range []func(){func() {}, func() { m.variables["PATH"] = m.postgres("path", "15.1") }} {
		prepare()
		if _, err := m.finder.find(ctx, io.Discard, m.data("")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
}

func TestMajorInPath(t *testing.T) {
	t.Parallel()
	paths := []string{
		"/usr/lib/postgresql/9.6/bin", "/usr/lib/postgresql/15/bin", "/opt/homebrew/opt/postgresql@17/bin",
		"/Applications/Postgres.app/Contents/Versions/latest/bin",
	}
	var got []int
	for _, path := range paths {
		got = append(got, majorInPath(path))
	}
	if want := []int{6, 15, 17, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
