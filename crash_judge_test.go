package main

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// settle waits until nothing in the inbox is pending.
func (c *crash) settle(conn *pgx.Conn) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		pending := count(c.t, conn, "SELECT count(*) FROM clerk.inbox WHERE state = 'pending'")
		if pending == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Errorf("after a minute %d events are still pending", pending)
			return
		}
	}
}

// missing fails where an acknowledged event is not in the inbox, or has not taken effect, and returns how many. No other
// event is there: in the end all were acknowledged.
func (c *crash) missing(conn *pgx.Conn) (missing int) {
	c.t.Helper()
	inbox := texts(c.t, conn, "SELECT id, state FROM clerk.inbox WHERE starts_with(id, 'msg_"+crashID+"')")
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
	return missing
}

// nothingElse fails where something is left over, other organizations have changed, or the copy was compared with the local
// Clerk, to which the test's objects are unknown.
func (c *crash) nothingElse(conn *pgx.Conn) {
	c.t.Helper()
	for what, query := range map[string]string{
		"dead letters":        "SELECT count(*) FROM clerk.inbox WHERE state = 'dead'",
		"ids with two bodies": "SELECT count(*) FROM clerk.inbox WHERE conflicts > 0",
		"rows in doubt": "SELECT (SELECT count(*) FROM clerk.organizations WHERE needs_read) + " +
			"(SELECT count(*) FROM clerk.users WHERE needs_read) + (SELECT count(*) FROM clerk.memberships WHERE needs_read)",
		"comparisons with Clerk":                       "SELECT count(*) FROM clerk.sweeps",
		"members of Acme and Globex, beyond the first": "SELECT count(*) - 4 FROM members WHERE NOT starts_with(user_id, 'user_" + crashID + "')",
	} {
		if n := count(c.t, conn, query); n != 0 {
			c.t.Errorf("%s: %d", what, n)
		}
	}
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
		c.t.Errorf("%d rows are not as in Clerk, which has %d", differing, len(truth))
	}
	return differing
}

// copiedRows is all that the copy has of the objects of a clerkTruth.
const copiedRows = `
SELECT 'organization ' || organization_id, format('%s, ended %s', name, coalesce(extract(epoch FROM deleted_at) * 1000, 0)::bigint)
	FROM organizations WHERE starts_with(organization_id, 'org_` + crashID + `')
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

// count is what a query counts.
func count(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// texts is a query's two columns of text, one by the other.
func texts(t *testing.T, conn *pgx.Conn, sql string) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		if _, twice := found[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		found[key] = value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
