package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// auditLog is all that an organization's audit log has, the newest first.
func auditLog(t *testing.T, org store.Org, filter models.AuditFilter) []models.AuditEntry {
	t.Helper()
	slice, err := org.AuditLog(t.Context(), filter, models.Page{Limit: 100})
	if err != nil || slice.HasNext {
		t.Fatal(err, slice.HasNext)
	}
	if count, err := org.CountAuditEntries(t.Context(), filter); err != nil || int(count) != len(slice.Items) {
		t.Errorf("counts %d of %d entries, %v", count, len(slice.Items), err)
	}
	return slice.Items
}

// What was done to a document is told by the log in full, and by no other organization's.
func TestAuditTellsTheStory(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	org := s.Org(acme)
	gus := models.Actor{UserID: "user_gus", ImpersonatorID: pointer("user_support"), ImpersonatorType: pointer(models.ImpersonatorPerson), RequestID: "request-1"}
	title, secret, empty := "Plan", "the secret content", ""
	document, err := org.CreateDocument(t.Context(), ada, store.DocumentInput{Title: &title, Content: &secret})
	if err != nil {
		t.Fatal(err)
	}
	changed := "Plan B"
	if _, err = org.UpdateDocument(t.Context(), gus, document.ID, 1, store.DocumentInput{Title: &changed}); err != nil {
		t.Fatal(err)
	}
	var conflict *models.ConflictError
	if _, err = org.UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Content: &empty}); !errors.As(err, &conflict) {
		t.Error("a stale version:", err)
	}
	var invalid *models.InvalidError
	if _, err = org.UpdateDocument(t.Context(), ada, document.ID, 2, store.DocumentInput{Title: &empty}); !errors.As(err, &invalid) {
		t.Error("an empty title:", err)
	}
	if _, err = org.CreateDocument(t.Context(), ada, store.DocumentInput{Title: &empty}); !errors.As(err, &invalid) {
		t.Error("an empty title:", err)
	}
	if err = org.DeleteDocument(t.Context(), models.Actor{}, document.ID); err != nil {
		t.Error(err)
	}
	if err = org.DeleteDocument(t.Context(), ada, document.ID); !errors.Is(err, models.ErrNotFound) {
		t.Error("deleted again:", err)
	}
	if err = s.Org(globex).DeleteDocument(t.Context(), gus, document.ID); !errors.Is(err, models.ErrNotFound) {
		t.Error("deleted by another organization:", err)
	}

	none, items, digest := []models.AuditChange{}, []models.AuditItem{}, models.Digest(secret)
	entry := func(action string, outcome models.AuditOutcome, by models.Actor, changes []models.AuditChange) models.AuditEntry {
		e := models.AuditEntry{
			OrganizationID: acme, Action: action, Outcome: outcome, ImpersonatorID: by.ImpersonatorID, ImpersonatorType: by.ImpersonatorType,
			TargetType: "Document", TargetID: document.GlobalID(), Changes: changes, Items: items,
		}
		if by.UserID != "" {
			e.ActorID = &by.UserID
		}
		if by.RequestID != "" {
			e.RequestID = &by.RequestID
		}
		return e
	}
	want := []models.AuditEntry{
		entry("document.delete", models.OutcomeRefused, ada, none),
		entry("document.delete", models.OutcomeApplied, models.Actor{}, []models.AuditChange{{Field: "title", Before: &changed}, {Field: "content", Before: &digest}}),
		entry("document.update", models.OutcomeRefused, ada, none),
		entry("document.update", models.OutcomeApplied, gus, []models.AuditChange{{Field: "title", Before: &title, After: &changed}}),
		entry("document.create", models.OutcomeApplied, ada, []models.AuditChange{{Field: "title", After: &title}, {Field: "content", After: &digest}}),
	}
	got := auditLog(t, org, models.AuditFilter{})
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(models.AuditEntry{}, "ID", "At")); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(fmt.Sprint(got), secret) {
		t.Error("the content of a deleted document is in the log")
	}
	if elsewhere := auditLog(t, s.Org(globex), models.AuditFilter{}); len(elsewhere) != 1 || elsewhere[0].Outcome != models.OutcomeRefused || *elsewhere[0].ActorID != "user_gus" {
		t.Errorf("the other organization's log: %v", elsewhere)
	}
}

// An entry and its change are there together or not at all.
func TestAuditIsPartOfTheChange(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	document := dbtest.Document(t, s.Org(acme), models.Document{Title: "kept"})
	asOwner(t, dbtest.OwnerURL(config), "ALTER TABLE audit_entries ADD CONSTRAINT nothing CHECK (false) NOT VALID")
	title := "lost"
	_, createErr := s.Org(acme).CreateDocument(t.Context(), ada, store.DocumentInput{Title: &title})
	_, updateErr := s.Org(acme).UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Title: &title})
	deleteErr := s.Org(acme).DeleteDocument(t.Context(), ada, document.ID)
	_, staleErr := s.Org(acme).UpdateDocument(t.Context(), ada, document.ID, 7, store.DocumentInput{Title: &title})
	var conflict *models.ConflictError
	if createErr == nil || updateErr == nil || deleteErr == nil || staleErr == nil || errors.As(staleErr, &conflict) {
		t.Errorf("without an entry: %v, %v, %v, %v", createErr, updateErr, deleteErr, staleErr)
	}
	slice, err := s.Org(acme).Documents(t.Context(), models.Page{Limit: 10})
	if err != nil || !cmp.Equal(slice.Items, []models.Document{*document}) {
		t.Errorf("the documents afterwards: %v, %v", slice.Items, err)
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	config.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	s := dbtest.OpenWith(t, config)
	one := dbtest.Document(t, s.Org(acme), models.Document{AuthorID: "user_ada"})
	two := dbtest.Document(t, s.Org(acme), models.Document{AuthorID: "user_max"})
	dbtest.Document(t, s.Org(globex), models.Document{AuthorID: "user_ada"})
	if err := s.Org(acme).DeleteDocument(t.Context(), models.Actor{UserID: "user_max"}, one.ID); err != nil {
		t.Fatal(err)
	}
	all := auditLog(t, s.Org(acme), models.AuditFilter{})
	if len(all) != 3 {
		t.Fatal(all)
	}
	removed, second, first := all[0], all[1], all[2]
	for name, test := range map[string]struct {
		filter models.AuditFilter
		want   []models.AuditEntry
	}{
		"action":            {models.AuditFilter{Action: pointer("document.create")}, []models.AuditEntry{second, first}},
		"actor":             {models.AuditFilter{ActorID: pointer("user_max")}, []models.AuditEntry{removed, second}},
		"target":            {models.AuditFilter{TargetID: pointer(one.GlobalID())}, []models.AuditEntry{removed, first}},
		"since, until":      {models.AuditFilter{Since: &second.At, Until: &removed.At}, []models.AuditEntry{second}},
		"all of them":       {models.AuditFilter{Action: pointer("document.create"), ActorID: pointer("user_max"), TargetID: pointer(two.GlobalID()), Since: &second.At}, []models.AuditEntry{second}},
		"an empty text":     {models.AuditFilter{ActorID: pointer("")}, []models.AuditEntry{}},
		"what there is not": {models.AuditFilter{Action: pointer("document.move")}, []models.AuditEntry{}},
	} {
		if diff := cmp.Diff(test.want, auditLog(t, s.Org(acme), test.filter)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Nobody changes or removes an entry: not a request, not the mirror, and not the owner by mistake.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	dbtest.Document(t, s.Org(acme), models.Document{})
	before := auditLog(t, s.Org(acme), models.AuditFilter{})
	attempts := []string{
		"UPDATE audit_entries SET actor_id = 'user_x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries",
		"ALTER TABLE audit_entries DISABLE TRIGGER append_only", "DROP TRIGGER append_only ON audit_entries",
	}
	refused := func(who, attempt, why string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "42501") || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %s: %v, want %q", who, attempt, err, why)
		}
	}
	// why is what refuses: the grants, or the trigger behind them.
	everyone := func(who, why string) {
		for _, attempt := range attempts {
			for _, off := range []string{"SELECT 1", "SET LOCAL tenantry.append_only = 'off'"} {
				try := func(db *gorm.DB) error {
					db.Exec(off)
					return db.Exec(attempt).Error
				}
				refused("a request"+who, attempt, why, s.Raw(t.Context(), acme, try))
				refused("the mirror"+who, attempt, why, s.RawMirror(t.Context(), try))
			}
		}
	}
	all := attempts
	attempts = all[:3]
	everyone("", "permission denied")
	attempts = all[3:]
	everyone("", "must be owner")
	attempts = all
	// Not even with all that could be granted.
	asOwner(t, dbtest.OwnerURL(config), `DO $$ DECLARE i tenantry.instance; BEGIN SELECT * INTO i FROM tenantry.instance;
		EXECUTE format('GRANT ALL ON audit_entries TO %I, %I', i.request_role, i.mirror_role); END $$`)
	attempts = attempts[:3]
	everyone(" with every grant", "append-only")

	owner, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	for _, attempt := range attempts {
		_, err := owner.Exec(t.Context(), attempt)
		refused("the owner", attempt, "append-only", err)
	}
	if after := auditLog(t, s.Org(acme), models.AuditFilter{}); !cmp.Equal(before, after) || len(after) != 1 {
		t.Errorf("the log afterwards: %v, was %v", after, before)
	}
	// The owner can, who says so.
	asOwner(t, dbtest.OwnerURL(config), "BEGIN", "SET LOCAL tenantry.append_only = 'off'", "SET LOCAL tenantry.organization = 'org_acme'", "DELETE FROM audit_entries", "COMMIT")
	if after := auditLog(t, s.Org(acme), models.AuditFilter{}); len(after) != 0 {
		t.Errorf("the owner's deletion left %v", after)
	}
}

// The mirror records what was done in Clerk, for the organization that it names and for no other, and reads nothing.
func TestMirrorWritesAudit(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	long := strings.Repeat("ü", models.MaxAuditValue+1)
	entry := store.AuditEntry{
		Actor: models.Actor{
			UserID: "user_ada", ImpersonatorID: pointer("agent_1"), ImpersonatorType: pointer(models.ImpersonatorAgent), RequestID: "request-1",
		},
		Action: "invitation.create", TargetType: "Organization", TargetID: acme,
		Outcome: models.OutcomeUnknown,
		Changes: []models.AuditChange{{Field: "name", Before: pointer("Acme"), After: &long}},
		Items: []models.AuditItem{
			{TargetID: pointer("orginv_1"), Outcome: models.OutcomeApplied},
			{Outcome: models.OutcomeRefused, Code: pointer("BAD_USER_INPUT")},
		},
	}
	err := s.Mirror(t.Context(), func(tx *store.MirrorTx) error {
		for _, id := range []string{"", "org acme"} {
			if err := tx.WriteAudit(id, entry); !errors.Is(err, models.ErrNoOrganization) {
				t.Errorf("for organization %q: %v", id, err)
			}
		}
		return tx.WriteAudit(acme, entry)
	})
	if err != nil {
		t.Fatal(err)
	}
	undone := errors.New("undone")
	if err := s.Mirror(t.Context(), func(tx *store.MirrorTx) error { return errors.Join(tx.WriteAudit(acme, entry), undone) }); !errors.Is(err, undone) {
		t.Error(err)
	}
	want := []models.AuditEntry{{
		OrganizationID: acme, Action: entry.Action, Outcome: entry.Outcome, ActorID: pointer("user_ada"), TargetType: "Organization", TargetID: acme,
		ImpersonatorID: entry.Actor.ImpersonatorID, ImpersonatorType: entry.Actor.ImpersonatorType,
		Changes: []models.AuditChange{{Field: "name", Before: pointer("Acme"), After: pointer(models.Digest(long))}}, Items: entry.Items, RequestID: pointer("request-1"),
	}}
	if diff := cmp.Diff(want, auditLog(t, s.Org(acme), models.AuditFilter{}), cmpopts.IgnoreFields(models.AuditEntry{}, "ID", "At")); diff != "" {
		t.Error(diff)
	}
	if elsewhere := auditLog(t, s.Org(globex), models.AuditFilter{}); len(elsewhere) != 0 {
		t.Errorf("the other organization's log: %v", elsewhere)
	}
	if err := s.RawMirror(t.Context(), func(db *gorm.DB) error { return db.Exec("SELECT id FROM audit_entries").Error }); err == nil {
		t.Error("the mirror reads the log")
	}
}

// A page of the log is a range of an index, whatever it is filtered by: nothing is sorted, no table is scanned.
func TestAuditPlans(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	asOwner(t, dbtest.OwnerURL(config), "ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY", `
		INSERT INTO audit_entries SELECT 'org_' || CASE WHEN n % 4 = 0 THEN n % 100 || '' ELSE 'acme' END,
			'2026-01-01'::timestamptz + n * interval '1 minute', gen_random_uuid(), 'document.' || CASE WHEN n % 200 = 1 THEN 'delete' ELSE 'update' END,
			'applied', 'user_' || n % 300, NULL, 'Document', 'document_' || n % 5000, '[]', '[]', NULL FROM generate_series(1, 40000) AS n`,
		"ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY", "ANALYZE audit_entries")
	since, until := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	action, actor, target := pointer("document.delete"), pointer("user_7"), pointer("document_4711")
	after := &models.Position{At: until, ID: uuid.New()}
	for name, test := range map[string]struct {
		filter models.AuditFilter
		index  string
	}{
		"nothing":          {models.AuditFilter{}, "audit_entries_pkey"},
		"since and until":  {models.AuditFilter{Since: &since, Until: &until}, "audit_entries_pkey"},
		"action":           {models.AuditFilter{Action: action}, "audit_entries_by_action"},
		"action and since": {models.AuditFilter{Action: action, Since: &since}, "audit_entries_by_action"},
		"actor":            {models.AuditFilter{ActorID: actor, Until: &until}, "audit_entries_by_actor"},
		"target":           {models.AuditFilter{TargetID: target}, "audit_entries_by_target"},
		"target and more":  {models.AuditFilter{TargetID: target, Action: action, ActorID: actor, Since: &since}, "audit_entries_by_target"},
	} {
		for _, page := range []models.Page{{Limit: 25}, {Limit: 25, After: after}, {Limit: 25, Backwards: true, Before: after}} {
			plan, err := s.ExplainAuditLog(t.Context(), acme, test.filter, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"Seq Scan", "Bitmap", "Sort"} {
				if strings.Contains(plan, bad) {
					t.Errorf("%s:\n%s", name, plan)
				}
			}
			if !strings.Contains(plan, "using "+test.index) {
				t.Errorf("%s does not use %s:\n%s", name, test.index, plan)
			}
		}
	}
}
