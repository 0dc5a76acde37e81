package graph_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// BenchmarkForeignAndAbsent compares how long answers take for ids of another organization that exist and for ids that do
// not, from the body to the answer, each asked in turn: their medians, and by how much they differ.
func BenchmarkForeignAndAbsent(b *testing.B) {
	const samples = 10_000
	a := newAPI(b)
	for range 2_000 { // so that the index has some depth
		dbtest.Document(b, a.store.Org(acme), models.Document{})
	}
	theirs := a.document(globex, "of another organization").GlobalID()
	never := models.GlobalID(models.KindDocument, uuid.Must(uuid.NewV7()))
	a.document(acme, "later than both, as PostgreSQL has a shorter way to the end of an index")
	for name, query := range map[string]string{
		"document":       `query($id: ID!) { document(id: $id) { title } }`,
		"node":           `query($id: ID!) { node(id: $id) { id } }`,
		"updateDocument": `mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 1, title: "x"}) { document { id } } }`,
		"deleteDocument": `mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`,
	} {
		b.Run(name, func(b *testing.B) {
			bodies := make([][]byte, 2)
			for i, id := range []string{theirs, never} {
				body, err := json.Marshal(map[string]any{"query": query, "variables": variables{"id": id}})
				if err != nil {
					b.Fatal(err)
				}
				bodies[i] = body
			}
			for b.Loop() {
				took := make([][]time.Duration, 2)
				for i := range 2*samples + 200 {
					first := i / 2 % 2 // the order within a pair changes, too
					which := (i + first) % 2
					began := time.Now()
					a.post(ada, bodies[which])
					if i >= 200 {
						took[which] = append(took[which], time.Since(began))
					}
				}
				median := make([]float64, 2)
				for i := range took {
					slices.Sort(took[i])
					median[i] = float64(took[i][len(took[i])/2].Nanoseconds()) / 1000
				}
				b.ReportMetric(median[0], "foreign-p50-µs")
				b.ReportMetric(median[1], "absent-p50-µs")
				b.ReportMetric(median[0]-median[1], "difference-µs")
			}
		})
	}
}
