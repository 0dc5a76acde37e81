package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// Every list says how many it has up to 10,000, and whether there are more, and both take one count.
func TestTotalCount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const insert = `INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at)
		SELECT '%s', gen_random_uuid(), 'Title', '', 'user_ada', 1, now(), now() FROM generate_series(1, %d)`
	a.exec(fmt.Sprintf(insert, acme, models.MaxCount+1), fmt.Sprintf(insert, globex, models.MaxCount))
	lists := map[string]struct {
		query    string
		path     []any
		total    float64
		isCapped bool
	}{
		"documents":   {`{ organization { documents(first: 1) { %s } } }`, []any{"organization", "documents"}, models.MaxCount, true},
		"members":     {`{ organization { members { %s } } }`, []any{"organization", "members"}, 2, false},
		"search":      {`{ organization { members(search: "name") { %s } } }`, []any{"organization", "members"}, 2, false},
		"invitations": {`{ organization { invitations(status: null) { %s } } }`, []any{"organization", "invitations"}, 1, false},
		"auditLog":    {`{ organization { auditLog { %s } } }`, []any{"organization", "auditLog"}, 0, false},
		"memberships": {`{ viewer { memberships { %s } } }`, []any{"viewer", "memberships"}, 0, false},
	}
	for name, list := range lists {
		statements := map[string]int{}
		for _, fields := range []string{"nodes { __typename }", "totalCount", "totalCountIsCapped", "totalCount totalCountIsCapped"} {
			a.ask(ada, fmt.Sprintf(list.query, fields), nil) // takes the connections from other organizations
			got := a.ask(ada, fmt.Sprintf(list.query, fields), nil)
			statements[fields] = a.statements
			if got.Code() != "" {
				t.Errorf("%s: %s", name, got.Body)
			}
			if total := got.At(append(list.path, "totalCount")...); strings.Contains(fields, "totalCount ") && total != list.total {
				t.Errorf("%s: totalCount is %v, want %v", name, total, list.total)
			}
			if capped := got.At(append(list.path, "totalCountIsCapped")...); strings.Contains(fields, "IsCapped") && capped != list.isCapped {
				t.Errorf("%s: totalCountIsCapped is %v, want %v", name, capped, list.isCapped)
			}
		}
		both, one, none := statements["totalCount totalCountIsCapped"], statements["totalCount"], statements["nodes { __typename }"]
		if both != one || one != statements["totalCountIsCapped"] || one <= none {
			t.Errorf("%s: statements %v", name, statements)
		}
	}
	exact := a.ask(gus, `{ organization { documents(first: 1) { totalCount totalCountIsCapped } } }`, nil)
	if exact.At("organization", "documents", "totalCount") != float64(models.MaxCount) || exact.At("organization", "documents", "totalCountIsCapped") != false {
		t.Errorf("exactly as many as are counted: %s", exact.Body)
	}
}

// What one request reads is bounded, however many lists it asks for and however small its answer is.
func TestRequestReadsTooMuch(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxRead = 1 << 20
	a := newAPIOver(t, config, graph.NewSchema)
	content := strings.Repeat("x", models.MaxDocumentContent)
	for range 5 {
		dbtest.Document(t, a.store.Org(acme), models.Document{Content: content})
	}
	const list = `{ organization { %s } }`
	var aliases strings.Builder
	for i := range 30 {
		fmt.Fprintf(&aliases, "a%d: documents { nodes { title } } ", i)
	}
	got := a.ask(ada, fmt.Sprintf(list, aliases.String()), nil)
	if got.Code() != "RESPONSE_TOO_LARGE" || strings.Contains(got.Body, "data") {
		t.Errorf("30 lists: %.300s", got.Body)
	}
	if got := a.ask(ada, fmt.Sprintf(list, "documents { nodes { title } }"), nil); got.Code() != "" {
		t.Errorf("one list: %.300s", got.Body)
	}
}
