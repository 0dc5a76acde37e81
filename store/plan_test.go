package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// crowd fills an organization, another one beside it and others, in one statement for each table.
func crowd(t testing.TB, ownerURL string, members int, others ...string) {
	t.Helper()
	organizations := strings.Join(append([]string{acme, globex}, others...), ",")
	asOwner(t, ownerURL, fmt.Sprintf(`INSERT INTO members (organization_id, user_id, id, role, name, email, joined_at, left_at)
		SELECT o, 'user_' || n, gen_random_uuid(), CASE WHEN n %% 50 = 0 THEN 'org:admin' ELSE 'org:member' END,
			initcap(substr(md5(n::text), 1, 6)) || ' ' || initcap(substr(md5(n::text), 7, 6)), substr(md5(n::text), 1, 6) || n || '@example.com',
			timestamptz '2026-01-01' + n * interval '1 minute', CASE WHEN n %% 7 = 0 THEN timestamptz '2026-06-01' END
		FROM generate_series(1, %d) AS n, unnest(string_to_array('%s', ',')) AS o`, members, organizations),
		fmt.Sprintf(`INSERT INTO invitations (organization_id, id, email, role, status, created_at, expires_at)
		SELECT o, 'orginv_' || n, n || '@example.com', 'org:member', (ARRAY['pending', 'accepted', 'revoked', 'expired'])[n %% 4 + 1],
			timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2099-01-01'
		FROM generate_series(1, %d) AS n, unnest(string_to_array('%s', ',')) AS o`, members, organizations),
		"ANALYZE members", "ANALYZE invitations")
}

type plan struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Rows     float64 `json:"Actual Rows"`
	Removed  float64 `json:"Rows Removed by Filter"`
	Plans    []plan
}

// faults are full scans of a table, and sorts of more than a page.
func (p plan) faults(page int) (found []string) {
	if p.Type == "Seq Scan" && p.Relation != "" {
		found = append(found, "scans "+p.Relation)
	}
	if p.Type == "Sort" || p.Type == "Incremental Sort" {
		for _, below := range p.Plans {
			if int(below.Rows) > page+1 {
				found = append(found, fmt.Sprintf("sorts %v rows", below.Rows))
			}
		}
	}
	for _, below := range p.Plans {
		found = append(found, below.faults(page)...)
	}
	return found
}

// Every list of a large organization, from its beginning, its end and its middle, is read by ranges of indexes.
func TestListsReadRangesOfIndexes(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	crowd(t, dbtest.OwnerURL(config), 8000)
	var queries []string
	if err := s.Spy(func(query string) { queries = append(queries, query) }); err != nil {
		t.Fatal(err)
	}
	const page = 25
	read := map[string]func(ctx context.Context, want models.Page) (models.Position, error){}
	for _, role := range []string{"", "org:admin", "org:member"} {
		for _, former := range []bool{false, true} {
			filters := []store.MemberFilter{{Search: "a"}, {Search: "abc"}}
			for _, byName := range []bool{false, true} {
				filters = append(filters, store.MemberFilter{ByName: byName}, store.MemberFilter{ByName: byName, Descending: true})
			}
			for _, f := range filters {
				f.Role, f.Former = role, former
				read[fmt.Sprintf("members %+v", f)] = func(ctx context.Context, want models.Page) (models.Position, error) {
					slice, err := s.Org(acme).Members(ctx, f, want)
					if err != nil || len(slice.Items) == 0 {
						return models.Position{}, err
					}
					return slice.Items[len(slice.Items)-1].Position(), nil
				}
			}
		}
	}
	for _, status := range []string{"", models.InvitationPending, models.InvitationAccepted, models.InvitationExpired} {
		read["invitations "+status] = func(ctx context.Context, want models.Page) (models.Position, error) {
			slice, err := s.Org(acme).Invitations(ctx, status, want)
			if err != nil || len(slice.Items) == 0 {
				return models.Position{}, err
			}
			return slice.Items[len(slice.Items)-1].Position(), nil
		}
	}
	for name, list := range read {
		queries = nil
		last, err := list(t.Context(), models.Page{Limit: page})
		for _, want := range []models.Page{{Limit: page, After: &last}, {Limit: page, Backwards: true}} {
			if err == nil {
				_, err = list(t.Context(), want)
			}
		}
		if err != nil || len(queries) < 3 {
			t.Fatalf("%s: %d queries, %v", name, len(queries), err)
		}
		for _, query := range queries {
			if faults := explain(t, s, query).faults(page); len(faults) > 0 {
				t.Errorf("%s: %s\n%s", name, strings.Join(faults, ", "), query)
			}
		}
	}
	// The look itself sees what it looks for.
	if faults := explain(t, s, "SELECT * FROM members ORDER BY image_url").faults(page); len(faults) != 1 && len(faults) != 2 {
		t.Errorf("a sort of everything: %v", faults)
	}
}

// The permissive policies repeat the comparison of the restrictive one. Plans are those that a
// permissive true gives: PostgreSQL plans an equal condition once.
func TestPoliciesLeavePlansAlone(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	crowd(t, dbtest.OwnerURL(config), 2000)
	document := dbtest.Document(t, s.Org(acme), models.Document{})
	statements := []string{
		"SELECT * FROM members ORDER BY image_url",
		"SELECT * FROM documents",
		"INSERT INTO documents SELECT * FROM documents",
		"UPDATE documents SET title = 'x' WHERE organization_id = 'org_acme'",
		"DELETE FROM documents WHERE organization_id = 'org_acme' AND author_id = 'user_ada'",
	}
	if err := s.Spy(func(query string) { statements = append(statements, query) }); err != nil {
		t.Fatal(err)
	}
	for name, call := range calls(document, models.Member{UserID: "user_2"}) {
		if _, err := call(t.Context(), s.Org(acme)); err != nil && !errors.Is(err, models.ErrNotFound) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(statements) < 20 {
		t.Fatalf("only %d statements", len(statements))
	}
	plans := func() map[string]string {
		found := map[string]string{}
		err := s.Raw(t.Context(), acme, func(db *gorm.DB) error {
			for _, statement := range statements {
				var lines []string
				if err := db.Raw("EXPLAIN (VERBOSE) " + statement).Scan(&lines).Error; err != nil {
					return fmt.Errorf("%s: %w", statement, err)
				}
				found[statement] = strings.Join(lines, "\n")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	asOwner(t, dbtest.OwnerURL(config), "ANALYZE documents", "ANALYZE audit_entries")
	now := plans()
	dbtest.OpenPermissivePolicies(t, dbtest.OwnerURL(config))
	if diff := cmp.Diff(plans(), now); diff != "" {
		t.Errorf("other plans (- with a permissive true, + with the comparison twice):\n%s", diff)
	}
}

func explain(t *testing.T, s *store.Store, query string) plan {
	t.Helper()
	var text string
	err := s.Raw(t.Context(), acme, func(db *gorm.DB) error {
		return db.Raw("EXPLAIN (ANALYZE, FORMAT JSON) " + query).Row().Scan(&text)
	})
	var explained []struct{ Plan plan }
	if err == nil {
		err = json.Unmarshal([]byte(text), &explained)
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return explained[0].Plan
}
