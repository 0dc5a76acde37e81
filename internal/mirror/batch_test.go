package mirror

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/store"
)

// A backfill sends few statements for each membership, and one that cannot be merged holds none of the others up.
func TestBackfillMergesMembershipsInBatches(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	members := scale(400, 50_000)
	clerk.crowd(members)
	// One id is another user's already, which is refused for good.
	f.exec(t, "INSERT INTO clerk.memberships (id, organization_id, user_id) VALUES ('orgmem_000007', 'org_1', 'user_other')")
	before := time.Now()
	ctx, statements := store.WithStatementCount(t.Context())
	report, err := f.Sweep(ctx, SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := report.Kinds["memberships"]
	if m.Changed != members-1 || m.Unreadable != 1 {
		t.Errorf("one is refused:\n%s", describe(report))
	}
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE name = 'U' AND left_at IS NULL"); n != fmt.Sprint(members-1) {
		t.Errorf("%s members", n)
	}
	t.Logf("%d members: %d statements, %v", members, statements(), time.Since(before))
}
