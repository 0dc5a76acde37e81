package graph_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/probe"
)

// Each way in which a server can tell of another organization is seen, and each fault that would make the attack blind.
func TestAttackOnIsolationSeesHoles(t *testing.T) {
	t.Parallel()
	theirs := func(p *probed) string { return p.theirDocument }
	for name, test := range map[string]struct {
		// spoil makes an answer to A worse.
		spoil func(p *probed, operation string, variables map[string]any, answer *probe.Answer)
		finds func(probe.Report) bool
	}{
		"a canary in an error": {func(_ *probed, operation string, _ map[string]any, answer *probe.Answer) {
			if strings.Contains(operation, "node(") {
				answer.Body = bytes.Replace(answer.Body, []byte("null"), []byte(`"of `+markB+`"`), 1)
			}
		}, found("leak")},
		"an id of B's where none was given": {func(p *probed, operation string, _ map[string]any, answer *probe.Answer) {
			if strings.Contains(operation, "nodes(") {
				answer.Body = bytes.Replace(answer.Body, []byte("null"), []byte(`"`+theirs(p)+`"`), 1)
			}
		}, found("leak")},
		"another answer for what is B's": {func(p *probed, operation string, variables map[string]any, answer *probe.Answer) {
			if given, _ := variables["v0"].(string); given == theirs(p) || strings.Contains(operation, theirs(p)) {
				answer.Body = bytes.Replace(answer.Body, []byte("null"), []byte("false"), 1)
			}
		}, found("difference")},
		"another status for what is B's": {func(p *probed, operation string, variables map[string]any, answer *probe.Answer) {
			if given, _ := variables["v0"].(string); given == theirs(p) || strings.Contains(operation, theirs(p)) {
				answer.Status = 203
			}
		}, found("difference")},
		"a mutation that reaches B": {func(p *probed, operation string, _ map[string]any, _ *probe.Answer) {
			if strings.Contains(operation, "deleteDocument") {
				dbtest.Factories["Document"](p.t, dbtest.World{Store: p.store, OwnerURL: p.ownerURL}, "org_"+markB, "reached")
			}
		}, found("change")},
		"an internal error": {func(_ *probed, operation string, _ map[string]any, answer *probe.Answer) {
			if strings.Contains(operation, "document(") {
				answer.Body = []byte(`{"errors":[{"message":"x","path":["document"],"extensions":{"code":"INTERNAL"}}],"data":{"document":null}}`)
			}
		}, func(r probe.Report) bool { return r.Faults > 0 && found("fault")(r) }},
		"a field that is denied to everybody": {func(_ *probed, operation string, _ map[string]any, answer *probe.Answer) {
			if strings.Contains(operation, "document(") {
				answer.Body = []byte(`{"errors":[{"message":"x","path":["document"],"extensions":{"code":"FORBIDDEN"}},{"message":"x","path":["pa_document"],"extensions":{"code":"FORBIDDEN"}}],"data":{"document":null,"pa_document":null}}`)
			}
		}, func(r probe.Report) bool { return strings.Join(r.Fields.Missed, " ") == "Query.document" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProbed(t)
			p.theirDocument = dbtest.Factories["Document"](t, dbtest.World{Store: p.store, OwnerURL: p.ownerURL}, "org_"+markB, markB+"target")
			attack := p.attack(0, 1)
			attack.Depth = 1
			honest := attack.A
			attack.A = func(ctx context.Context, operation string, variables map[string]any) (probe.Answer, error) {
				answer, err := honest(ctx, operation, variables)
				test.spoil(p, operation, variables, &answer)
				return answer, err
			}
			report, err := attack.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !test.finds(report) || report.Good() {
				t.Errorf("not seen: %s, %v, missed %q", report, report.Findings[:min(2, len(report.Findings))], report.Fields.Missed)
			}
		})
	}
}

func found(what string) func(probe.Report) bool {
	return func(r probe.Report) bool {
		for _, finding := range r.Findings {
			if finding.What == what {
				return true
			}
		}
		return false
	}
}
