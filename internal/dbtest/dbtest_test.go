package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/local/postgres"
)

func TestMain(m *testing.M) { Main(m) }

func scalar[T any](t *testing.T, url, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value T
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestNewIsMigratedAndEmptyIsEmpty(t *testing.T) {
	t.Parallel()
	const migrated = "SELECT to_regclass('tenantry.instance') IS NOT NULL"
	if !scalar[bool](t, New(t), migrated) {
		t.Error("New has no tables")
	}
	if scalar[bool](t, Empty(t), migrated) {
		t.Error("Empty has tables")
	}
}

func TestDatabasesAreApartAndGoneAfterwards(t *testing.T) {
	t.Parallel()
	var names sync.Map
	t.Run("tests", func(t *testing.T) {
		for i := range 6 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				url := New(t)
				if i%2 == 0 {
					url = Empty(t)
				}
				if err := execute(t.Context(), url, "CREATE TABLE public.test_mine ()"); err != nil {
					t.Error(err)
				}
				name := scalar[string](t, url, "SELECT current_database()")
				if err := execute(t.Context(), url, "CREATE ROLE "+name+"_request"); err != nil {
					t.Error(err)
				}
				names.Store(name, true)
				// A session that a test forgot does not keep the database.
				if _, err := pgx.Connect(context.Background(), url); err != nil {
					t.Error(err)
				}
			})
		}
	})
	count := 0
	names.Range(func(name, _ any) bool {
		count++
		server := ours.need(t)
		if scalar[bool](t, server, fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_database WHERE datname = '%s')", name)) {
			t.Errorf("database %s is still there", name)
		}
		if scalar[bool](t, server, fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_roles WHERE starts_with(rolname, '%s'))", name)) {
			t.Errorf("a role of %s is still there", name)
		}
		return true
	})
	if count != 6 {
		t.Errorf("%d databases, want 6", count)
	}
}

func TestTemplateIsMadeOnceAndNeverTakenHalfMade(t *testing.T) {
	t.Parallel()
	server := ours.need(t)
	const name = "tenantry_template_of_a_test"
	broken := errors.New("broken migration")
	migrated := 0
	migrate := func(ctx context.Context, url string) error {
		migrated++
		return execute(ctx, url, "CREATE TABLE public.made ()")
	}
	if err := prepare(t.Context(), server, name, func(ctx context.Context, url string) error {
		return errors.Join(migrate(ctx, url), broken)
	}); !errors.Is(err, broken) {
		t.Fatalf("got %v, want the migration's error", err)
	}
	t.Cleanup(func() {
		_ = execute(context.Background(), server, "ALTER DATABASE "+name+" IS_TEMPLATE false")
		if err := drop(context.Background(), server, name); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		if err := prepare(t.Context(), server, name, migrate); err != nil {
			t.Fatal(err)
		}
	}
	if migrated != 2 { // the broken one and the good one
		t.Errorf("migrated %d times, want 2", migrated)
	}
	if !scalar[bool](t, create(t, server, " TEMPLATE "+name), "SELECT to_regclass('public.made') IS NOT NULL") {
		t.Error("the copy has no table")
	}
	if err := execute(t.Context(), database(server, name), "SELECT 1"); err == nil {
		t.Error("somebody may connect to the template, which keeps it from being copied")
	}
}

// witness is a test that only notes how it ended.
type witness struct {
	testing.TB
	skipped, failed string
}

func (w *witness) Helper() {}
func (w *witness) Skipf(format string, args ...any) {
	w.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (w *witness) Skip(args ...any) { w.Skipf("%s", fmt.Sprint(args...)) }
func (w *witness) Fatal(args ...any) {
	w.failed = fmt.Sprint(args...)
	runtime.Goexit()
}
func (w *witness) Fatalf(format string, args ...any) { w.Fatal(fmt.Sprintf(format, args...)) }

func (w *witness) watch(test func(testing.TB)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		test(w)
	}()
	<-ended
}

func TestVariable(t *testing.T) {
	for name, test := range map[string]struct{ value, skipped, failed string }{
		"skip":         {"skip", "TENANTRY_TEST_POSTGRES=skip", ""},
		"not a URL":    {"localhost", "", "a postgres:// URL"},
		"another URL":  {"mysql://root:secret@localhost/x", "", "a postgres:// URL"},
		"a server":     {"postgres://somewhere/postgres", "", ""},
		"the same one": {"postgresql://somewhere/postgres", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(Variable, test.value)
			w := &witness{TB: t}
			w.watch(func(w testing.TB) {
				if got := ours.need(w); got != test.value {
					t.Errorf("got %s", got)
				}
			})
			if !strings.Contains(w.skipped, test.skipped) || (w.skipped == "") != (test.skipped == "") {
				t.Errorf("skipped %q, want %q", w.skipped, test.skipped)
			}
			if !strings.Contains(w.failed, test.failed) || (w.failed == "") != (test.failed == "") || strings.Contains(w.failed, "secret") {
				t.Errorf("failed %q, want %q", w.failed, test.failed)
			}
		})
	}
}

func TestWithoutPostgresTestsFailWithTheRemedies(t *testing.T) {
	t.Setenv(Variable, "")
	none := &cluster{failed: &postgres.NotFoundError{}}
	w := &witness{TB: t}
	w.watch(func(w testing.TB) { none.need(w) })
	for _, part := range []string{"apt-get install postgresql", postgres.BinVariable, "DATABASE_URL", Variable + "=skip"} {
		if !strings.Contains(w.failed, part) {
			t.Errorf("%q is missing from:\n%s", part, w.failed)
		}
	}
}

func TestPackagesWithoutMainAreTold(t *testing.T) {
	inMain.Store(false)
	defer inMain.Store(true)
	w := &witness{TB: t}
	w.watch(func(w testing.TB) { Empty(w) })
	if !strings.Contains(w.failed, "dbtest.Main(m)") {
		t.Errorf("failed with %q", w.failed)
	}
}

func TestSweepRemovesOldFoldersOnly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	old, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	young := Dir(t)
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(os.TempDir(), "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(other, past, past); err != nil {
		t.Fatal(err)
	}
	sweep()
	for folder, stays := range map[string]bool{old: false, young: true, other: true} {
		if _, err := os.Stat(folder); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", folder, err, stays)
		}
	}
}
