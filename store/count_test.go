package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// documentsOf inserts documents of an organization, in one statement.
func documentsOf(t testing.TB, ownerURL, organizationID string, n int) {
	t.Helper()
	asOwner(t, ownerURL, fmt.Sprintf(`INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at)
		SELECT '%s', gen_random_uuid(), 'Title ' || n, '', 'user_ada', 1, timestamptz '2026-01-01' + n * interval '1 second', now()
		FROM generate_series(1, %d) AS n`, organizationID, n))
}

// A list is counted exactly up to models.MaxCount, and no further, in one statement.
func TestCountIsBounded(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	owner := dbtest.OwnerURL(config)
	documentsOf(t, owner, acme, models.MaxCount)
	documentsOf(t, owner, globex, models.MaxCount+500)
	for organizationID, want := range map[string]int64{acme: models.MaxCount, globex: models.MaxCount + 1, "org_empty": 0} {
		if got, err := s.Org(organizationID).CountDocuments(t.Context()); err != nil || got != want {
			t.Errorf("%s: counted %d, want %d: %v", organizationID, got, want, err)
		}
	}
	// Expired ones are two parts of the list, of which neither is as large.
	asOwner(t, owner, `INSERT INTO invitations (organization_id, id, email, role, status, created_at, expires_at)
		SELECT 'org_acme', 'orginv_' || n, n || '@example.com', 'org:member', (ARRAY['pending', 'expired'])[n % 2 + 1], now(), timestamptz '2026-01-01'
		FROM generate_series(1, 12000) AS n`)
	if got, err := s.Org(acme).CountInvitations(t.Context(), models.InvitationExpired); err != nil || got != models.MaxCount+1 {
		t.Errorf("invitations: counted %d, want %d: %v", got, models.MaxCount+1, err)
	}
}

// Every count of an organization beside others reads one range of an index for each part of its list.
func TestCountsReadRangesOfIndexes(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	owner := dbtest.OwnerURL(config)
	const each = 1500
	others := []string{"org_1", "org_2", "org_3", "org_4", "org_5", "org_6"}
	crowd(t, owner, each, others...)
	for _, organizationID := range append(others, acme, globex) {
		documentsOf(t, owner, organizationID, each)
		asOwner(t, owner, fmt.Sprintf(`INSERT INTO audit_entries (organization_id, at, id, action, outcome, actor_id, target_type, target_id, changes, items)
			SELECT '%s', timestamptz '2026-01-01' + n * interval '1 minute', gen_random_uuid(), CASE WHEN n %% 2 = 0 THEN 'document.create' ELSE 'document.update' END,
				'applied', 'user_' || n %% 9, 'Document', 'document_' || n %% 50, '[]', '[]' FROM generate_series(1, %d) AS n`, organizationID, each))
	}
	asOwner(t, owner, "VACUUM ANALYZE members", "VACUUM ANALYZE documents", "VACUUM ANALYZE audit_entries")
	var queries []string
	if err := s.Spy(func(query string) { queries = append(queries, query) }); err != nil {
		t.Fatal(err)
	}
	org := s.Org(acme)
	counts := map[string]func(ctx context.Context) (int64, error){"documents": org.CountDocuments}
	action, actor, target := "document.create", "user_3", "document_7"
	for name, filter := range map[string]models.AuditFilter{"": {}, "action": {Action: &action}, "actor": {ActorID: &actor}, "target": {TargetID: &target}} {
		counts["audit log "+name] = func(ctx context.Context) (int64, error) { return org.CountAuditEntries(ctx, filter) }
	}
	for _, status := range []string{"", models.InvitationPending, models.InvitationAccepted, models.InvitationExpired} {
		counts["invitations "+status] = func(ctx context.Context) (int64, error) { return org.CountInvitations(ctx, status) }
	}
	for _, filter := range []store.MemberFilter{
		{}, {Former: true}, {Role: "org:admin"}, {Role: "org:member", Former: true}, {ByName: true}, {Search: "a"}, {Search: "ab"}, {Search: "a", Role: "org:member", Former: true},
	} {
		counts[fmt.Sprintf("members %+v", filter)] = func(ctx context.Context) (int64, error) { return org.CountMembers(ctx, filter) }
	}
	for name, count := range counts {
		queries = nil
		ctx, statements := store.WithStatementCount(t.Context())
		found, err := count(ctx)
		if err != nil || found == 0 || len(queries) == 0 {
			t.Fatalf("%s: counted %d in %d parts, %v", name, found, len(queries), err)
		}
		// In connection scope the first statement of an organization on a connection sets it; a transaction has three more.
		if sent := statements(); sent > 4 {
			t.Errorf("%s: %d statements", name, sent)
		}
		for _, query := range queries {
			if !strings.Contains(query, "organization_id = 'org_acme'") {
				t.Errorf("%s: a part that names no organization: %s", name, query)
			}
			if faults := explain(t, s, query).faults(models.MaxCount); len(faults) > 0 {
				t.Errorf("%s: %s\n%s", name, strings.Join(faults, ", "), query)
			}
		}
	}
}

// What is found by several conditions is counted once.
func TestCountOfASearch(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	crowd(t, dbtest.OwnerURL(config), 2000)
	for _, search := range []string{"a", "ab", "abc1", "zz"} {
		var want int64
		err := s.Raw(t.Context(), acme, func(db *gorm.DB) error {
			like := search + "%"
			return db.Raw(`SELECT count(*) FROM members WHERE NOT provisional AND left_at IS NULL AND
				(name_key LIKE ? OR last_name_key LIKE ? OR email_key LIKE ?)`, like, like, like).Scan(&want).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Org(acme).CountMembers(t.Context(), store.MemberFilter{Search: search}); err != nil || got != want {
			t.Errorf("%q: counted %d, want %d: %v", search, got, want, err)
		}
	}
}

// BenchmarkCountOfAMillion is the count of one organization's documents.
func BenchmarkCountOfAMillion(b *testing.B) {
	config := dbtest.Config(b)
	s := dbtest.OpenWith(b, config)
	documentsOf(b, dbtest.OwnerURL(config), acme, 1_000_000)
	asOwner(b, dbtest.OwnerURL(config), "VACUUM ANALYZE documents")
	for b.Loop() {
		if _, err := s.Org(acme).CountDocuments(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
