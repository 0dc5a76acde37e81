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
			t.Logf("so far %s", c)
		}
	}
	c.server = c.launch()
	c.server.await()
	c.sender.truth.end()
	sending.Wait()

	conn := c.database.connect()
	c.settle(conn)
	missing, differing := c.missing(conn), c.differing(conn)
	c.nothingElse(conn)
	c.countDuplicates()
	t.Logf("%s, %d missing, %d rows of the copy differing", c, missing, differing)
}

func newCrash(t *testing.T) *crash {
	t.Helper()
	c := &crash{t: t, dir: dbtest.Dir(t), database: newCrashDatabase(t)}
	c.settings = []string{"TENANTRY_ADDR=" + quietAddress(t), "DATABASE_URL=" + c.database.url, "TENANTRY_LOG_FORMAT=json"}
	if os.Getenv(dbtest.ScopeVariable) != "" { // without a pooler between, which would be a third thing to stop
		c.settings = append(c.settings, "TENANTRY_SCOPE=transaction", "DATABASE_MIGRATE_URL="+c.database.url)
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

// round starts a server and kills it at a random moment: one in four within the time a start takes, and with stop about the
// time of an immediate stop of PostgreSQL, which it lives through or not.
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

func (c *crash) String() string {
	return fmt.Sprintf("%d kills, %d of them within the time a start takes, %d immediate stops of PostgreSQL; %s; %d duplicates",
		c.kills, c.early, c.stops, c.sender, c.duplicates)
}
