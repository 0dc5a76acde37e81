// Package probe attacks the isolation of organizations. It makes up operations from a schema, so that a type that is added
// later is attacked, too; asks them as one organization, A, with the ids, cursors and texts of another one, B; and judges
// the answers. It knows neither resolvers nor how operations travel, and a test or a command hands it two voices.
package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Schema is what an attack is made up from.
type Schema = ast.Schema

// Answer is what came back for an operation.
type Answer struct {
	Status int
	Body   []byte
}

// Voice sends one operation as somebody. Its error says that there was no answer.
type Voice func(ctx context.Context, operation string, variables map[string]any) (Answer, error)

// Attack is what is attacked, and how far. A and B need every right in their organization, or fields stay out of reach.
type Attack struct {
	Schema *ast.Schema
	A, B   Voice
	// Depth is how many fields may lead to an argument that is attacked, itself included.
	Depth int
	// Seed chooses what is left to chance.
	Seed uint64
	// Probes is how many answered fields are wanted: what is enumerated comes in any case, and chance makes up the rest.
	Probes int
	// Canaries are parts of texts that B has and A must never see.
	Canaries []string
	// Disjoint says that A and B have nothing and nobody in common, so that whatever id B has is B's alone. Otherwise what both
	// are shown counts as common.
	Disjoint bool
	// Fresh makes one more object of A of a type, for a mutation that may destroy it; "" where there is no way. Nil if
	// nothing may be changed: then there are no mutations.
	Fresh func(ctx context.Context, typeName string) (id string, err error)
	// Fingerprint is of all that B has. What B is answered stands in where it is nil.
	Fingerprint func(ctx context.Context) (string, error)
	// Texts stand where a string is wanted under their name in a mutation and not every text will do.
	Texts map[string]string
	// Excused are positions and fields that are out of reach or whose answers tell of others by design, each with the
	// reason.
	Excused map[string]string
	// Spared are the mutations that are not done at all, by name, and "position Type", the positions that are not given an
	// id of B's of that type, each with the reason. What lies behind a spared mutation is excused.
	Spared map[string]string
	// Elsewhere are voices for the mutations after which A would be no more: each in an organization of its own. It may be nil.
	Elsewhere map[string]Voice
	// Settle waits until what A did is done everywhere. It may be nil.
	Settle func(ctx context.Context) error
	// Progress hears how many of the wanted fields were answered. It may be nil.
	Progress func(answered, wanted int)
}

// Finding is an answer that should not have been.
type Finding struct {
	// What is leak, difference, change or fault.
	What string `json:"what"`
	// Position is the argument that was attacked, Detail what showed it.
	Position  string `json:"position"`
	Detail    string `json:"detail"`
	Operation string `json:"operation"`
	Variables string `json:"variables,omitempty"`
}

// String is one line for people.
func (f Finding) String() string {
	return fmt.Sprintf("%s at %s: %s\n  %s %s", f.What, f.Position, f.Detail, f.Operation, f.Variables)
}

// Report is what an attack came to.
type Report struct {
	Seed uint64 `json:"seed"`
	// Operations were sent, and Probes fields answered in them.
	Operations int `json:"operations"`
	Probes     int `json:"probes"`
	// Pairs is how many answers for something of B's were compared with that for something that never existed.
	Pairs int `json:"pairs"`
	// Fields and Positions say how much of the schema was reached.
	Fields    Coverage `json:"fields"`
	Positions Coverage `json:"positions"`
	// Findings are at most the first 100.
	Findings []Finding `json:"findings"`
	// Denied are the fields that were not reached for want of a right, with the code of the refusal.
	Denied map[string]string `json:"denied,omitempty"`
	// Leaks are answers that held something of B's, told of it or changed it, Faults those that should not be for another
	// reason, such as an internal error.
	Leaks  int `json:"leaks"`
	Faults int `json:"faults"`
	// Kinds is how many there were of each kind of finding.
	Kinds map[string]int `json:"kinds"`
}

// Coverage is how much of something was reached.
type Coverage struct {
	Of      int `json:"of"`
	Reached int `json:"reached"`
	// Missed are what was not reached and has no excuse, Excused what was not and has one.
	Missed  []string          `json:"missed,omitempty"`
	Excused map[string]string `json:"excused,omitempty"`
}

// Whole says whether all was reached that has no excuse.
func (c Coverage) Whole() bool { return len(c.Missed) == 0 }

// String is the line that an attack ends with.
func (r Report) String() string {
	percent := 100
	if of := r.Fields.Of + r.Positions.Of; of > 0 {
		percent = 100 * (of - len(r.Fields.Missed) - len(r.Positions.Missed)) / of
	}
	return fmt.Sprintf("%d leaks, %d %% of %d fields and %d id positions", r.Leaks, percent, r.Fields.Of, r.Positions.Of)
}

// Good says whether nothing was found and everything reached.
func (r Report) Good() bool {
	return r.Leaks == 0 && r.Faults == 0 && r.Fields.Whole() && r.Positions.Whole()
}

// errNothing says that an attack could not be made.
var errNothing = errors.New("probe: the answers of B hold nothing that A's do not: there is nothing to find")

// run is one attack under way.
type run struct {
	*Attack
	rng       *rand.Rand
	positions []*position
	reached   *reach
	report    Report
	own       holdings
	foreign   holdings
	secrets   [][]byte
	// planted are texts of B's that A was made to write somewhere, and may read since.
	planted [][]byte
	// fingerprint is of all that B had when the attack began.
	fingerprint string
	// deleted are A's own objects that are gone, by type.
	deleted map[string][]string
}

// Run makes the attack. It returns an error where it could not be made; what it found is in the report.
func (a *Attack) Run(ctx context.Context) (Report, error) {
	r := &run{
		Attack: a, rng: rand.New(rand.NewPCG(a.Seed, 1)),
		positions: positionsOf(a.Schema, a.Depth), deleted: map[string][]string{},
	}
	r.reached = newReach(a.Schema, r.positions)
	r.report.Seed, r.report.Kinds = a.Seed, map[string]int{}
	for _, step := range []func(context.Context) error{r.scout, r.mutateOwn, r.settle, r.sweep, r.chance, r.mutateForeign} {
		if err := step(ctx); err != nil {
			return r.report, err
		}
	}
	r.report.Fields, r.report.Positions = r.reached.coverage(r.excuses(), a.Fresh != nil)
	r.report.Denied = r.reached.unreached(r.report.Fields.Missed)
	return r.report, nil
}

func (r *run) settle(ctx context.Context) error {
	if r.Settle == nil || r.Fresh == nil {
		return nil
	}
	return r.Settle(ctx)
}

// excuses are what is excused, and what lies behind the mutations that are spared and behind nothing else.
func (r *run) excuses() map[string]string {
	excuses := maps.Clone(r.Excused)
	if excuses == nil {
		excuses = map[string]string{}
	}
	reached := fieldsOf(r.Schema, r.Spared)
	for name := range r.reached.fields {
		if !reached[name] {
			excuses[name] = "behind a mutation that is not tried"
		}
	}
	for name, reason := range r.Spared {
		if strings.Contains(name, " ") {
			continue
		}
		excuses["Mutation."+name] = reason
		for _, p := range r.positions {
			if p.mutation && p.steps[0].field.Name == name {
				excuses[p.name] = reason
			}
		}
	}
	return excuses
}
