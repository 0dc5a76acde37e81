package graph_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

func (a *api) exec(statements ...string) {
	a.t.Helper()
	conn, err := pgx.Connect(a.t.Context(), a.ownerURL)
	if err != nil {
		a.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(a.t.Context(), statement); err != nil {
			a.t.Fatalf("%s: %v", statement, err)
		}
	}
}

const memberships = `{ viewer { memberships(first: 1) { nodes { role joinedAt organization { id name slug imageUrl } } pageInfo { hasNextPage endCursor } totalCount } } }`

// The viewer's memberships are the viewer's own, whichever organization is active, and none while the session is pending.
func TestViewerMemberships(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.exec(`INSERT INTO clerk.organizations (id, name, slug, created_at, updated_at) VALUES ('org_acme', 'Acme', 'acme', 1, 1), ('org_globex', 'Globex', 'globex', 1, 1)`,
		`INSERT INTO clerk.memberships (id, organization_id, user_id, role, created_at, updated_at) VALUES
			('orgmem_1', 'org_acme', 'user_ada', 'org:admin', 10, 10), ('orgmem_2', 'org_globex', 'user_ada', 'org:member', 20, 20), ('orgmem_3', 'org_globex', 'user_gus', 'org:admin', 10, 10)`)
	nowhere := &auth.Viewer{UserID: "user_ada", SessionID: "sess_2"}
	for _, as := range []*auth.Viewer{ada, nowhere} {
		got := a.ask(as, memberships, nil)
		if got.Code() != "" || got.At("viewer", "memberships", "nodes", 0, "organization", "name") != "Acme" || got.At("viewer", "memberships", "totalCount") != 2.0 ||
			got.At("viewer", "memberships", "pageInfo", "hasNextPage") != true || got.At("viewer", "memberships", "nodes", 0, "role") != "org:admin" {
			t.Errorf("Ada's: %s", got.Body)
		}
		after := variables{"after": got.At("viewer", "memberships", "pageInfo", "endCursor")}
		const next = `query($after: String) { viewer { memberships(after: $after) { nodes { organization { slug } } } } }`
		if got := a.ask(as, next, after); got.At("viewer", "memberships", "nodes", 0, "organization", "slug") != "globex" || got.At("viewer", "memberships", "nodes", 1) != nil {
			t.Errorf("the next page: %s", got.Body)
		}
		if got := a.ask(gus, next, after); got.Code() != "BAD_USER_INPUT" {
			t.Errorf("Ada's cursor in Gus's list: %s", got.Body)
		}
	}
	if got := a.ask(gus, memberships, nil); got.At("viewer", "memberships", "totalCount") != 1.0 || got.At("viewer", "memberships", "nodes", 0, "organization", "id") != globex {
		t.Errorf("Gus's: %s", got.Body)
	}
	if got := a.ask(nora, memberships, nil); got.At("viewer", "memberships", "totalCount") != 0.0 {
		t.Errorf("Nora's: %s", got.Body)
	}
	if got := a.ask(nobody, memberships, nil); got.Code() != "UNAUTHENTICATED" {
		t.Errorf("nobody's: %s", got.Body)
	}
	pending := &auth.Viewer{UserID: "user_ada", SessionID: "sess_3", NoOrganizationReason: auth.ReasonSessionPending}
	if got := a.ask(pending, memberships, nil); got.At("viewer", "memberships") != nil || got.Code() != "NO_ACTIVE_ORGANIZATION" || got.Errors[0].Extensions["reason"] != "SESSION_PENDING" {
		t.Errorf("of a pending session: %s", got.Body)
	}
	if got := a.ask(ada, `{ node(id: "org_globex") { id } }`, nil); got.At("node") != nil {
		t.Errorf("another organization by its id: %s", got.Body)
	}
}

// A cursor belongs to its order, filter and search, and what cannot be asked for is named.
func TestMemberArguments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range 3 {
		dbtest.Member(t, a.ownerURL, models.Member{OrganizationID: acme, UserID: fmt.Sprintf("user_zoe%d", i)})
	}
	const by = `query($after: String) { organization { members(first: 1, after: $after%s) { nodes { name } pageInfo { endCursor } totalCount } } }`
	lists := []string{"", ", orderBy: JOINED_AT_DESC", ", orderBy: NAME", ", orderBy: NAME_DESC", `, search: "name of zoe"`, `, search: "name of z"`, `, includeFormer: true`, `, role: "org:member"`}
	for i, own := range lists {
		first := a.ask(ada, fmt.Sprintf(by, own), nil)
		cursor := first.At("organization", "members", "pageInfo", "endCursor")
		for j, other := range lists {
			got := a.ask(ada, fmt.Sprintf(by, other), variables{"after": cursor})
			if (got.Code() == "") != (i == j) || i != j && got.Code() != "BAD_USER_INPUT" {
				t.Errorf("the cursor of (%s) in (%s): %s", own, other, got.Body)
			}
		}
	}
	if got := a.ask(ada, fmt.Sprintf(by, `, search: "NAME OF ZOE"`), nil); got.At("organization", "members", "totalCount") != 3.0 {
		t.Errorf("searched: %s", got.Body)
	}
	for _, bad := range []string{`, search: " "`, `, search: "a\u0000"`, `, search: "a", orderBy: NAME`, `, role: "admin"`, `, role: "org:\u0000"`} {
		if got := a.ask(ada, fmt.Sprintf(by, bad), nil); got.Code() != "BAD_USER_INPUT" {
			t.Errorf("%s: %s", bad, got.Body)
		}
	}
}

// The roles are the instance's, and seen by members only.
func TestOrganizationRoles(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.exec(`INSERT INTO clerk.roles (id, key, name, permissions, created_at, updated_at) VALUES ('role_1', 'org:admin', 'Admin', '{org:documents:read}', 1, 1)`)
	const roles = `{ organization { roles { key name permissions } } }`
	for _, as := range []*auth.Viewer{ada, gus, guest} {
		if got := a.ask(as, roles, nil); got.At("organization", "roles", 0, "key") != "org:admin" || got.At("organization", "roles", 0, "permissions", 0) != "org:documents:read" {
			t.Errorf("%s", got.Body)
		}
	}
	if got := a.ask(nora, roles, nil); got.Code() != "NO_ACTIVE_ORGANIZATION" {
		t.Errorf("without an organization: %s", got.Body)
	}
}

const crowdSize = 50_000

func BenchmarkMembersOf50000(b *testing.B) {
	a := newAPI(b)
	a.exec(fmt.Sprintf(`INSERT INTO members (organization_id, user_id, id, role, name, email, joined_at)
		SELECT 'org_acme', 'user_' || n, gen_random_uuid(), 'org:member', initcap(substr(md5(n::text), 1, 6)) || ' ' || initcap(substr(md5(n::text), 7, 6)),
			substr(md5(n::text), 1, 6) || n || '@example.com', timestamptz '2026-01-03' + n * interval '1 minute' FROM generate_series(1, %d) AS n`, crowdSize), "VACUUM ANALYZE members")
	const page = `query($after: String) { organization { members(first: 25, after: $after%s) { nodes { id name email role joinedAt } pageInfo { hasNextPage endCursor } } } }`
	for _, order := range []string{"JOINED_AT", "NAME"} {
		query := fmt.Sprintf(page, ", orderBy: "+order)
		b.Run(order+"/first page", func(b *testing.B) { a.benchmark(b, query, nil) })
		var cursor any
		walk := `query($after: String) { organization { members(first: 100, after: $after, orderBy: ` + order + `) { pageInfo { endCursor } } } }`
		for range 250 { // as far as 1,000 pages of 25
			cursor = a.ask(ada, walk, variables{"after": cursor}).At("organization", "members", "pageInfo", "endCursor")
		}
		b.Run(order+"/page 1000", func(b *testing.B) { a.benchmark(b, query, variables{"after": cursor}) })
	}
	for _, search := range []string{"a", "abc", "abc12"} {
		b.Run("search "+search, func(b *testing.B) { a.benchmark(b, fmt.Sprintf(page, `, search: "`+search+`"`), nil) })
	}
	b.Run("count", func(b *testing.B) { a.benchmark(b, `{ organization { members { totalCount } } }`, nil) })
}
