package graph_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/models"
)

// cost is what one operation took.
type cost struct {
	took time.Duration
	// peak is how much more memory was in use than before, at most.
	peak uint64
}

// measure sends an operation and measures it. It must not run beside other tests.
func (a *api) measure(query string, variables variables) (gqltest.Answer, cost) {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		a.t.Fatal(err)
	}
	runtime.GC()
	heap := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before, done, peaks := heap(), make(chan struct{}), make(chan uint64)
	go func() {
		var peak uint64
		for {
			select {
			case <-done:
				peaks <- peak
				return
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	began := time.Now()
	recorder := a.post(ada, body)
	took := time.Since(began)
	close(done)
	spent := cost{took, max(<-peaks, before) - before}
	return gqltest.Read(a.t, recorder.Code, recorder.Body.Bytes()), spent
}

// largest makes n aliases of a field.
func largest(n int, name, field string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, " %s%d:%s", name, i, field)
	}
	return text.String()
}

// A hundred documents of control characters, each of which is six bytes in JSON, are the most that
// one list can hold: 20 MB for each alias of their content.
func TestTheLargestAnswer(t *testing.T) {
	a := newAPI(t)
	var ids []string
	for range 100 {
		document := dbtest.Document(t, a.store.Org(acme), models.Document{Content: strings.Repeat("\x01", 32768)})
		ids = append(ids, document.GlobalID())
	}

	list := "documents(first: 100) { nodes {%s } }"
	refused, _ := a.measure("{ organization { "+fmt.Sprintf(list, largest(300, "c", "content"))+" } }", nil)
	if refused.Code() != "QUERY_TOO_COMPLEX" {
		t.Errorf("300 aliases: %.300s", refused.Body)
	}
	all := strings.Join([]string{
		largest(29, "a", "id"), largest(29, "b", "title"), largest(29, "c", "impersonatorId"),
		largest(29, "d", "version"), largest(29, "e", "createdAt"), largest(29, "f", "updatedAt"), largest(29, "g", "__typename"),
	}, "")
	for name, test := range map[string]struct {
		query     string
		variables variables
		code      graph.Code
	}{
		"one list":     {"{ organization { " + fmt.Sprintf(list, largest(30, "c", "content")) + " } }", nil, "RESPONSE_TOO_LARGE"},
		"thirty lists": {"{ organization { " + largest(30, "l", fmt.Sprintf(list, "content")) + " } }", nil, "RESPONSE_TOO_LARGE"},
		"nodes": {
			"query($ids: [ID!]!) {" + largest(30, "l", "nodes(ids: $ids) { ... on Document { content } }") + " }",
			variables{"ids": ids},
			"RESPONSE_TOO_LARGE",
		},
		"fields": {"{ organization { " + fmt.Sprintf(list, all) + " } }", nil, ""},
		"lists in a list": {
			"query($ids: [ID!]!) { nodes(ids: $ids) { ... on Organization { " + fmt.Sprintf(list, all) + " } } }",
			variables{"ids": strings.Split(strings.Repeat(acme+" ", 99)+acme, " ")},
			"RESPONSE_TOO_LARGE",
		},
	} {
		got, cost := a.measure(test.query, test.variables)
		t.Logf("%-16s %-20s %8d bytes, %7v, %4d MiB", name, got.Code(), len(got.Body), cost.took.Round(time.Millisecond), cost.peak>>20)
		if cost.peak > 200<<20 || cost.took > 5*time.Second {
			t.Errorf("%s: it took %v and %d MiB", name, cost.took, cost.peak>>20)
		}
		if got.Code() != string(test.code) {
			t.Errorf("%s: %.300s", name, got.Body)
		}
	}
}
