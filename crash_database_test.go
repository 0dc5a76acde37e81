package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/postgres"
)

// crashDatabase is a PostgreSQL of one test alone, which can be stopped without any care. Like one that serves, it writes to
// the disk before it says that something is committed.
type crashDatabase struct {
	t      *testing.T
	dir    string
	server *postgres.Server
	url    string
}

func newCrashDatabase(t *testing.T) *crashDatabase {
	t.Helper()
	d := &crashDatabase{t: t, dir: dbtest.Dir(t)}
	t.Cleanup(func() {
		if d.server == nil {
			return
		}
		if err := d.server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d.start()
	const name = "tenantry"
	if _, err := d.server.EnsureDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(d.server.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("host", d.link())
	address.RawQuery = query.Encode()
	d.url = address.String()
	return d
}

// link is where the socket is found: its own folder is another one at each start, and a program is given its address once.
func (d *crashDatabase) link() string { return filepath.Join(d.dir, "socket") }

// start starts it, anew or again, and returns when it accepts connections.
func (d *crashDatabase) start() {
	d.t.Helper()
	server, err := postgres.Start(d.t.Context(), postgres.Config{Dir: d.dir})
	if err != nil {
		d.t.Fatal(err)
	}
	d.server = server
	address, err := url.Parse(server.URL(""))
	if err != nil {
		d.t.Fatal(err)
	}
	_ = os.Remove(d.link())
	if err := os.Symlink(address.Query().Get("host"), d.link()); err != nil {
		d.t.Fatal(err)
	}
}

// stopImmediately is pg_ctl stop -m immediate: every session is cut, nothing is written out, and the next start replays the
// log.
func (d *crashDatabase) stopImmediately() {
	d.t.Helper()
	note, err := os.ReadFile(filepath.Join(d.server.DataDir(), "postmaster.pid"))
	if err != nil {
		d.t.Fatal(err)
	}
	var postmaster int
	if _, err := fmt.Sscan(string(note), &postmaster); err != nil {
		d.t.Fatal(err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGQUIT); err != nil {
		d.t.Fatal(err)
	}
	select {
	case <-d.server.Done():
	case <-time.After(30 * time.Second):
		d.t.Fatal("PostgreSQL does not stop")
	}
}

func (d *crashDatabase) connect() *pgx.Conn {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}
