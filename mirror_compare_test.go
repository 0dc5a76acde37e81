package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
)

// comparison is what the comparing commands write with --json.
type comparison struct {
	Kinds   map[string]struct{ Listed, Changed, Missing, Differing, Extra, Tombstoned, Refused int }
	Drift   int
	Refused int
	Seconds float64
}

// compare runs one of the comparing commands and reads its JSON.
func (p *program) compare(args ...string) (code int, found comparison, stderr string) {
	p.t.Helper()
	code, stdout, stderr := p.command(append([]string{"mirror"}, append(args, "--json")...)...)
	if err := json.Unmarshal([]byte(stdout), &found); err != nil {
		p.t.Fatalf("%v: exit %d, %v, stdout %s, stderr %s", args, code, err, stdout, stderr)
	}
	return code, found, stderr
}

// rows is one organization's part of the copy, as text.
func rows(t *testing.T, owner *pgx.Conn, organizationID string) string {
	t.Helper()
	if _, err := owner.Exec(t.Context(), "SELECT set_config('tenantry.organization', $1, false)", organizationID); err != nil {
		t.Fatal(err)
	}
	var text string
	err := owner.QueryRow(t.Context(), `SELECT
		(SELECT string_agg(m::text, ' ' ORDER BY m.id) FROM clerk.memberships AS m WHERE organization_id = $1) ||
		(SELECT o::text FROM clerk.organizations AS o WHERE id = $1) ||
		(SELECT string_agg(m::text, ' ' ORDER BY m.id) FROM public.members AS m WHERE organization_id = $1)`, organizationID).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Webhooks are lost for good: verify says what is missing and changes nothing, repair mends it.
func TestMirrorRepairsWhatWebhooksLost(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	owner := p.owner()
	others := rows(t, owner, clerk.SeededGlobex)
	if code, found, stderr := p.compare("verify"); code != 0 || found.Drift != 0 || stderr != "" || found.Kinds["memberships"].Listed != 4 {
		t.Errorf("before anything: exit %d, %+v, stderr %s", code, found, stderr)
	}
	p.control(http.MethodPost, "chaos", variables{"drop": 1})
	p.control(http.MethodPost, "memberships", variables{"organization": "acme", "user": "nora", "role": "org:member"})
	p.control(http.MethodDelete, "memberships", variables{"organization": "acme", "user": "max"})
	if tag, err := owner.Exec(t.Context(), "SELECT set_config('tenantry.organization', $1, false)", clerk.SeededAcme); err != nil {
		t.Fatal(tag, err)
	}
	if tag, err := owner.Exec(t.Context(), "UPDATE public.members SET role = 'org:guest' WHERE organization_id = $1 AND user_id = $2",
		clerk.SeededAcme, clerk.SeededAda); err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
	before := rows(t, owner, clerk.SeededAcme)
	code, found, stderr := p.compare("verify")
	if m := found.Kinds["memberships"]; code != 1 || found.Drift != 3 || m.Missing != 1 || m.Extra != 1 || found.Kinds["members"].Differing != 1 {
		t.Errorf("verify: exit %d, %+v", code, found)
	}
	if !strings.Contains(stderr, "`tenantry mirror repair` mends it") || strings.Contains(stderr, "users:") {
		t.Errorf("verify --json says %s", stderr)
	}
	if after := rows(t, owner, clerk.SeededAcme); after != before {
		t.Errorf("verify has changed\n%s\nto\n%s", before, after)
	}

	if code, found, stderr := p.compare("backfill"); code != 0 || found.Drift != 2 || found.Kinds["memberships"].Tombstoned != 1 || stderr != "" {
		t.Errorf("backfill: exit %d, %+v, stderr %s", code, found, stderr)
	}
	code, stdout, stderr := p.command("mirror", "repair")
	for _, want := range []string{"KIND", "memberships", "1 row was not as Clerk has them"} {
		if code != 0 || !strings.Contains(stdout, want) || !strings.Contains(stderr, "memberships: 4 in ") {
			t.Errorf("repair: exit %d, stderr %s, want %q in\n%s", code, stderr, want, stdout)
		}
	}
	if code, found, stderr := p.compare("verify"); code != 0 || found.Drift != 0 || stderr != "" {
		t.Errorf("verify afterwards: exit %d, %+v, stderr %s", code, found, stderr)
	}
	if got := p.ask(p.token("ada", "acme"), `{ organization { members(first: 10) { nodes { name role } } } }`, nil).Body; !strings.Contains(got, "Nora") ||
		strings.Contains(got, "Max") || !strings.Contains(got, "org:admin") {
		t.Errorf("the members of Acme: %s", got)
	}
	if after := rows(t, owner, clerk.SeededGlobex); after != others {
		t.Errorf("another organization's rows were\n%s\nand are\n%s", others, after)
	}
}

// Where more is gone than is likely, nothing is ended until that is asked for.
func TestMirrorLeavesAMassDeletionAlone(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	owner := p.owner()
	if _, err := owner.Exec(t.Context(), `INSERT INTO clerk.roles (id, key, created_at, updated_at)
		SELECT 'role_Gone' || n, 'org:gone' || n, 1, 1 FROM generate_series(1, 11) AS n`); err != nil {
		t.Fatal(err)
	}
	alive := func() (n int) {
		if err := owner.QueryRow(t.Context(), "SELECT count(*) FROM clerk.roles WHERE key LIKE 'org:gone%' AND NOT dead").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, want := range map[string]string{
		"verify": "only with --allow-mass-deletion", "backfill": "`tenantry mirror backfill --allow-mass-deletion`",
		"repair": "`tenantry mirror repair --allow-mass-deletion`",
	} {
		code, found, stderr := p.compare(name)
		if code != 1 || found.Refused != 11 || found.Kinds["roles"].Refused != 11 || !strings.Contains(stderr, "11 of the roles") || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %+v, stderr %s", name, code, found, stderr)
		}
	}
	if n := alive(); n != 11 {
		t.Errorf("%d of 11 are left", n)
	}
	if code, found, stderr := p.compare("repair", "--allow-mass-deletion"); code != 0 || found.Kinds["roles"].Tombstoned != 11 || stderr != "" || alive() != 0 {
		t.Errorf("allowed: exit %d, %+v, %d left, stderr %s", code, found, alive(), stderr)
	}
}
