package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/local/postgres"
	"github.com/tenantry/tenantry/store"
)

// Variable says where tests get their databases: unset on a private server, "skip" nowhere, a postgres:// URL on that
// server, whose login has to be allowed to create databases and roles.
const Variable = "TENANTRY_TEST_POSTGRES"

// startLimit bounds the start of the private server, a download of PostgreSQL included.
const startLimit = 10 * time.Minute

// cluster is the server of this test binary.
type cluster struct {
	mu       sync.Mutex
	private  *postgres.Server
	dir      string
	failed   error
	prepared string
}

// need gives the URL of a database to give orders from, on a running server. A test that cannot have one fails, unless
// it is meant to be skipped.
func (c *cluster) need(t testing.TB) string {
	t.Helper()
	if !inMain.Load() {
		t.Fatal("a package that uses dbtest needs: func TestMain(m *testing.M) { dbtest.Main(m) }")
	}
	choice := os.Getenv(Variable)
	switch choice {
	case "skip":
		t.Skipf("%s=skip: this test needs PostgreSQL", Variable)
	case "":
		server, err := c.start()
		if err != nil {
			t.Fatalf("%v\n  - or, to go without the tests that need PostgreSQL, set %s=skip", err, Variable)
		}
		return server.URL("postgres")
	}
	if given, err := url.Parse(choice); err != nil || given.Scheme != "postgres" && given.Scheme != "postgresql" {
		t.Fatalf("%s has to be unset, skip, or a postgres:// URL", Variable) // not its value: it may hold a password
	}
	return choice
}

// start starts the private server once. Where that fails it is not tried again.
func (c *cluster) start() (*postgres.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.private != nil || c.failed != nil {
		return c.private, c.failed
	}
	sweep()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if c.dir, c.failed = makeFolder(); c.failed == nil {
		c.private, c.failed = postgres.Start(ctx, postgres.Config{Dir: c.dir, Ephemeral: true, Progress: os.Stderr})
	}
	return c.private, c.failed
}

func (c *cluster) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.private != nil {
		if err := c.private.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if c.dir != "" {
		if err := removeFolder(c.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// template gives the name of a migrated database to copy, on the server.
func (c *cluster) template(ctx context.Context, server string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.prepared == "" {
		name := "tenantry_template_" + store.MigrationsHash()
		if err := prepare(ctx, server, name, func(ctx context.Context, url string) error {
			_, err := store.Migrate(ctx, url)
			return err
		}); err != nil {
			return "", err
		}
		c.prepared = name
	}
	return c.prepared, nil
}

// database is the URL of another database of the same server, for the same login.
func database(server, name string) string {
	address, err := url.Parse(server)
	if err != nil {
		return ""
	}
	address.Path = "/" + name
	return address.String()
}
