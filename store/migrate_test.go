package store_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// Several servers start at once on an empty database: one migrates, the others wait, all go on.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	var servers sync.WaitGroup
	var applied atomic.Int64
	for range 4 {
		servers.Go(func() {
			schema, err := store.Migrate(t.Context(), url)
			if err != nil || schema.Version == 0 {
				t.Error(schema, err)
			}
			applied.Add(int64(len(schema.Applied)))
		})
	}
	servers.Wait()
	files, err := os.ReadDir("migrations")
	if err != nil || applied.Load() != int64(len(files)) {
		t.Errorf("%d migrations were applied, %v", applied.Load(), err)
	}
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// A migration does not wait for long behind a transaction that holds its table, and can be run again.
func TestMigrateBehindALock(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	if err := store.MigrateTo(t.Context(), url, 8); err != nil { // the next one changes members
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "BEGIN; SELECT FROM members"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), url); err == nil || !strings.Contains(err.Error(), "start again") {
		t.Errorf("got %v", err)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("again: %v", err)
	}
}

// Policies that exist get the comparison, those of an app's tables as well, and keep their own
// condition, command, kind and roles.
func TestMigratePolicies(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	if err := store.MigrateTo(t.Context(), url, 14); err != nil {
		t.Fatal(err)
	}
	asOwner(t, url, testNotes, `CREATE POLICY "Narrow" ON test_notes AS RESTRICTIVE FOR UPDATE TO {request} USING (body <> 'x' OR document_id IS NULL)`,
		"CREATE POLICY first ON test_notes FOR INSERT TO {request}, {mirror} WITH CHECK (body <> 'x')", "CREATE POLICY empty ON test_notes AS RESTRICTIVE FOR DELETE",
		"CREATE POLICY known ON test_notes USING (EXISTS (SELECT FROM members m WHERE m.organization_id = test_notes.organization_id)) WITH CHECK (true)",
		"CREATE TABLE test_free (body text)", "ALTER TABLE test_free ENABLE ROW LEVEL SECURITY", "CREATE POLICY free ON test_free USING (true)")
	describe := func() []string {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		return rows(t, conn, `SELECT concat_ws(' ', tablename, policyname, permissive, cmd, array_length(roles, 1), roles = '{public}',
				replace(qual, $1, 'comparison'), '/', replace(with_check, $1, 'comparison'))
			FROM pg_policies WHERE tablename IN ('test_notes', 'test_free', 'members') ORDER BY tablename, policyname COLLATE "C"`,
			"(organization_id = NULLIF(current_setting('tenantry.organization'::text, true), ''::text))")
	}
	before := describe()
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	known := "(EXISTS ( SELECT\n   FROM members m\n  WHERE (m.organization_id = test_notes.organization_id)))"
	if diff := cmp.Diff([]string{
		"members organization_only RESTRICTIVE ALL 1 t comparison / comparison",
		"members organization_rows PERMISSIVE ALL 1 t true / true",
		"members provisional_only RESTRICTIVE DELETE 1 f provisional /",
		"test_free free PERMISSIVE ALL 1 t true /",
		"test_notes Narrow RESTRICTIVE UPDATE 1 f ((body <> 'x'::text) OR (document_id IS NULL)) /",
		"test_notes empty RESTRICTIVE DELETE 1 t /",
		"test_notes first PERMISSIVE INSERT 2 f / (body <> 'x'::text)",
		"test_notes known PERMISSIVE ALL 1 t " + known + " / true",
		"test_notes organization_only RESTRICTIVE ALL 1 t comparison / comparison",
		"test_notes organization_rows PERMISSIVE ALL 1 t true / true",
	}, before); diff != "" {
		t.Errorf("before: %s", diff)
	}
	if diff := cmp.Diff([]string{
		"members organization_only RESTRICTIVE ALL 1 t comparison / comparison",
		"members organization_rows PERMISSIVE ALL 1 t comparison / comparison",
		"members provisional_only RESTRICTIVE DELETE 1 f (comparison AND provisional) /",
		"test_free free PERMISSIVE ALL 1 t true /",
		"test_notes Narrow RESTRICTIVE UPDATE 1 f (comparison AND ((body <> 'x'::text) OR (document_id IS NULL))) /",
		"test_notes empty RESTRICTIVE DELETE 1 t /",
		"test_notes first PERMISSIVE INSERT 2 f / (comparison AND (body <> 'x'::text))",
		"test_notes known PERMISSIVE ALL 1 t (comparison AND " + known + ") / comparison",
		"test_notes organization_only RESTRICTIVE ALL 1 t comparison / comparison",
		"test_notes organization_rows PERMISSIVE ALL 1 t comparison / comparison",
	}, describe()); diff != "" {
		t.Errorf("after: %s", diff)
	}
	if err := examine(t, store.Config{URL: url}).Err(); err != nil {
		t.Error(err)
	}
}
