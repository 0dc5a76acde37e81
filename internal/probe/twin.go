package probe

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
)

// Twin is one organization in two worlds: in one beside B, in the other alone. Where the worlds' ids, moments and request
// ids come from equal sources, no answer may differ in a byte, or A can tell that there is a B: by a count, an order, a
// cursor, the next page, a text of an error.
type Twin struct {
	Attack
	// Alone is A's voice in the world without B; Attack.A and Attack.B are those of the world with both.
	Alone Voice
	// Work is called between operations, for B to change what it has. It may be nil.
	Work func(ctx context.Context) error
}

// TwinReport is what a comparison of worlds came to.
type TwinReport struct {
	Seed                  uint64
	Operations, Mutations int
	// Differences is how many answers differed, Findings the first of them.
	Differences int
	Findings    []Finding
}

// workEvery is how many operations lie between B's changes, scoutEvery after how many A is asked anew for what it has.
const workEvery, scoutEvery = 7, 400

// Run sends operations to both worlds, one in three a mutation, with values of every kind.
func (t *Twin) Run(ctx context.Context, operations int) (TwinReport, error) {
	r := &run{
		Attack: &t.Attack, rng: rand.New(rand.NewPCG(t.Seed, 2)), positions: positionsOf(t.Schema, t.Depth), deleted: map[string][]string{},
	}
	report := TwinReport{Seed: t.Seed}
	theirs, err := r.walk(ctx, r.B)
	if err != nil {
		return report, err
	}
	var queries, mutations []*position
	for _, p := range r.positions {
		if p.mutation {
			mutations = append(mutations, p)
		} else {
			queries = append(queries, p)
		}
	}
	for report.Operations < operations {
		if report.Operations%scoutEvery == 0 {
			mine, err := t.scoutBoth(ctx, r)
			if err != nil {
				return report, err
			}
			r.remember(mine, &theirs)
		}
		if t.Work != nil && report.Operations%workEvery == 0 {
			if err := t.Work(ctx); err != nil {
				return report, err
			}
		}
		choices, mutation := queries, len(mutations) > 0 && r.rng.IntN(3) == 0
		if mutation {
			choices = mutations
			report.Mutations++
		}
		o, values := r.any(choices, mutation)
		if err := t.both(ctx, o, values, &report); err != nil {
			return report, err
		}
		report.Operations++
		if r.Progress != nil {
			r.Progress(report.Operations, operations)
		}
	}
	return report, nil
}

// scoutBoth walks in both worlds, as a walk's requests take ids, too; the answers must be the same.
func (t *Twin) scoutBoth(ctx context.Context, r *run) (holdings, error) {
	mine, err := r.walk(ctx, t.A)
	if err != nil {
		return mine, err
	}
	_, err = r.walk(ctx, t.Alone)
	return mine, err
}

// remember keeps what A has now, and of what it had what it has no more.
func (r *run) remember(mine holdings, theirs *holdings) {
	for typeName, known := range r.own.ids {
		for _, id := range known {
			if !mine.seen[id] {
				r.deleted[typeName] = append(r.deleted[typeName], id)
			}
		}
	}
	r.disown(&mine, theirs)
	r.own, r.foreign = mine.without(theirs), theirs.without(&mine)
}

// any is an operation of some positions with a value of any kind in each.
func (r *run) any(choices []*position, mutation bool) (*operation, []any) {
	d := &drawer{schema: r.Schema, own: &r.own, texts: r.Texts, rng: r.rng}
	o, n := &operation{}, 1
	if !mutation {
		n += r.rng.IntN(3)
	}
	var values []any
	for range n {
		p := choices[r.rng.IntN(len(choices))]
		d.to(o, p, forms[r.rng.IntN(len(forms))], func(string) bool { return r.rng.IntN(3) == 0 })
		types := r.typesFor(p.kind)
		value := r.value(p.kind, types[r.rng.IntN(len(types))], which(r.rng.IntN(int(whiches))))
		if p.kind == ids {
			value = []any{value}
		}
		values = append(values, value)
	}
	return o, values
}

func (t *Twin) both(ctx context.Context, o *operation, values []any, report *TwinReport) error {
	text, variables := o.write(t.Schema, values)
	beside, err := t.A(ctx, text, variables)
	if err != nil {
		return fmt.Errorf("no answer to %s: %w", text, err)
	}
	alone, err := t.Alone(ctx, text, variables)
	if err != nil {
		return fmt.Errorf("no answer to %s: %w", text, err)
	}
	a, b := inOrder(beside.Body), inOrder(alone.Body)
	if beside.Status == alone.Status && bytes.Equal(a, b) {
		return nil
	}
	report.Differences++
	if len(report.Findings) < mostFindings {
		s := sent{operation: o, text: text, variables: variables}
		report.Findings = append(report.Findings, s.finding("difference", fmt.Sprintf("beside B: %d %s\n  alone: %d %s", beside.Status, short(a), alone.Status, short(b))))
	}
	return nil
}
