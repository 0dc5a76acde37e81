package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// longestLife is the most that a server of TestKilledAgainAndAgain lives after it has become ready.
const longestLife = 400 * time.Millisecond

// crash is a server that is killed again and again under senders, with a PostgreSQL that outlives it.
type crash struct {
	t        *testing.T
	dir      string
	database *crashDatabase
	settings []string
	server   *program
	sender   *crashSender

	startTook                       time.Duration
	kills, early, stops, duplicates int
}

// Whatever was answered 2xx has taken effect in the end, and once, however often the server is killed and PostgreSQL stopped
// without any care; and the copy is what Clerk was in the end. make prove does it a thousand times.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	kills, stops := 3, 1
	if os.Getenv("TENANTRY_PROVE") != "" {
		kills, stops = 1000, 20
	}
	c := newCrash(t)
	var sending sync.WaitGroup
	sending.Go(func() { c.sender.run(t.Context()) })
	t.Cleanup(sending.Wait)

	time.Sleep(rand.N(longestLife))
	c.kill()
	for c.kills < kills {
		every := kills / stops
		c.round(c.kills%every == every/2)
		if c.kills%50 == 0 {
			t.Logf("so far %d kills, %d of them during the start, %d stops of PostgreSQL; %s", c.kills, c.early, c.stops, c.sender)
		}
	}
	c.server = c.launch()
	c.server.await()
	c.sender.truth.end()
	sending.Wait()
	c.judge()
}

func newCrash(t *testing.T) *crash {
	t.Helper()
	c := &crash{t: t, dir: dbtest.Dir(t), database: newCrashDatabase(t)}
	c.settings = []string{"TENANTRY_ADDR=" + quietAddress(t), "DATABASE_URL=" + c.database.url, "TENANTRY_LOG_FORMAT=json"}
	if os.Getenv(dbtest.ScopeVariable) != "" {
		c.settings = append(c.settings, "TENANTRY_SCOPE=transaction")
	}
	start(t, c.dir, c.settings...).stop(syscall.SIGTERM) // makes all that there is to make
	c.server = c.launch()
	began := time.Now()
	c.server.await()
	c.startTook = time.Since(began)
	secret, instanceID := c.server.clerkSecrets()
	c.sender = &crashSender{t: t, url: c.server.url, secret: secret, truth: &clerkTruth{t: t, instanceID: instanceID}}
	return c
}

// quietAddress is one that stays ours while nobody listens there: no system gives its port to who asks for any.
func quietAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.N(10_000))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (c *crash) launch() *program { return launch(c.t, c.dir, c.settings...) }

// round starts a server and kills it at a random moment: one in four before it is ready, and with stop about the time
// of an immediate stop of PostgreSQL, which it lives through or not.
func (c *crash) round(stop bool) {
	c.t.Helper()
	c.server = c.launch()
	if !stop && rand.N(4) == 0 {
		time.Sleep(rand.N(c.startTook))
		c.early++
		c.kill()
		return
	}
	c.server.await()
	time.Sleep(rand.N(longestLife))
	if stop {
		c.stops++
		c.database.stopImmediately()
		time.Sleep(rand.N(longestLife))
		if rand.N(2) == 0 {
			c.kill()
			c.database.start()
			return
		}
		c.database.start()
		time.Sleep(rand.N(longestLife))
	}
	c.kill()
}

func (c *crash) kill() {
	c.t.Helper()
	c.server.stop(syscall.SIGKILL)
	c.kills++
	c.countDuplicates()
}

// countDuplicates adds up what the server says that it had taken in before.
func (c *crash) countDuplicates() {
	c.duplicates += strings.Count(c.server.stderr.String(), `"outcome":"duplicate"`)
}

// judge waits until nothing is pending, and compares the inbox with what was acknowledged and the copy with the truth.
func (c *crash) judge() {
	c.t.Helper()
	conn := c.database.connect()
	for deadline := time.Now().Add(time.Minute); count(c.t, conn, "SELECT count(*) FROM clerk.inbox WHERE state = 'pending'") > 0; {
		if time.Now().After(deadline) {
			c.t.Error("after a minute events are still pending")
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.countDuplicates()

	inbox := texts(c.t, conn, "SELECT id, state FROM clerk.inbox WHERE starts_with(id, 'msg_"+crashID+"')")
	missing := 0
	for _, id := range c.sender.acknowledged {
		if inbox[id] != "done" {
			missing++
		}
	}
	if missing > 0 {
		c.t.Errorf("%d of %d acknowledged events have not taken effect", missing, len(c.sender.acknowledged))
	}
	if len(inbox) != len(c.sender.acknowledged) {
		c.t.Errorf("%d events in the inbox, %d acknowledged", len(inbox), len(c.sender.acknowledged))
	}
	for what, query := range map[string]string{
		"dead letters":        "SELECT count(*) FROM clerk.inbox WHERE state = 'dead'",
		"ids with two bodies": "SELECT count(*) FROM clerk.inbox WHERE conflicts > 0",
		"rows in doubt": "SELECT (SELECT count(*) FROM clerk.organizations WHERE needs_read) + " +
			"(SELECT count(*) FROM clerk.users WHERE needs_read) + (SELECT count(*) FROM clerk.memberships WHERE needs_read)",
		"comparisons with Clerk":      "SELECT count(*) FROM clerk.sweeps",
		"members of Acme, Globex ± 4": "SELECT count(*) - 4 FROM members WHERE NOT starts_with(user_id, 'user_" + crashID + "')",
	} {
		if n := count(c.t, conn, query); n != 0 {
			c.t.Errorf("%s: %d", what, n)
		}
	}
	differing := c.differing(conn)
	c.t.Logf("%d kills, %d of them during the start, %d immediate stops of PostgreSQL; %s; %d duplicates, %d missing, %d of the copy's rows differing",
		c.kills, c.early, c.stops, c.sender, c.duplicates, missing, differing)
}

// differing fails where the copy is not Clerk's truth, and returns how many rows are otherwise.
func (c *crash) differing(conn *pgx.Conn) (differing int) {
	c.t.Helper()
	copied, truth := texts(c.t, conn, copiedRows), c.sender.truth.rows()
	tell := func(row, got, want string) {
		if differing++; differing <= 10 {
			c.t.Errorf("%s is %q, want %q", row, got, want)
		}
	}
	for row, want := range truth {
		if got := copied[row]; got != want {
			tell(row, got, want)
		}
	}
	for row, got := range copied {
		if _, known := truth[row]; !known {
			tell(row, got, "")
		}
	}
	if differing > 0 {
		c.t.Errorf("%d of the copy's %d rows are not as in Clerk", differing, len(copied))
	}
	return differing
}

// copiedRows is all that the copy has of the objects of a clerkTruth.
const copiedRows = `
SELECT 'organization ' || o.organization_id, format('%s, ended %s', o.name, coalesce(extract(epoch FROM o.deleted_at) * 1000, 0)::bigint)
	FROM organizations o WHERE starts_with(o.organization_id, 'org_` + crashID + `')
UNION ALL
SELECT 'user ' || id, format('%s, %s, ended %s', coalesce(first_name, '-'), coalesce(email, '-'), tomb_at)
	FROM clerk.users WHERE starts_with(id, 'user_` + crashID + `')
UNION ALL
SELECT 'membership ' || id, format('%s, ended %s', role, tomb_at)
	FROM clerk.memberships WHERE starts_with(id, 'orgmem_` + crashID + `')
UNION ALL
SELECT 'member ' || organization_id || ' ' || user_id, format('%s, %s, %s, joined %s, ended %s', role, coalesce(name, '-'),
	coalesce(email, '-'), (extract(epoch FROM joined_at) * 1000)::bigint, coalesce(extract(epoch FROM left_at) * 1000, 0)::bigint)
	FROM members WHERE starts_with(user_id, 'user_` + crashID + `') OR starts_with(organization_id, 'org_` + crashID + `')`
