package probe

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// mutateOwn does every mutation with what is A's own, in each choice of optional inputs, so that what lies behind it is
// reached; what it destroys are the ids of things that were.
func (r *run) mutateOwn(ctx context.Context) error {
	if r.Fresh == nil || r.Schema.Mutation == nil {
		return nil
	}
	for _, field := range r.Schema.Mutation.Fields {
		if strings.HasPrefix(field.Name, "__") || r.Spared[field.Name] != "" {
			continue
		}
		for _, given := range choicesOf(r.Schema, field) {
			if err := r.mutateOnce(ctx, field, given); err != nil {
				return err
			}
		}
	}
	return r.findDeleted(ctx)
}

// choicesOf are the ways to give the optional inputs of a mutation: none, all, and each alone.
func choicesOf(schema *ast.Schema, field *ast.FieldDefinition) []optional {
	choices := []optional{none, every}
	for _, a := range field.Arguments {
		for _, inner := range schema.Types[a.Type.Name()].Fields {
			if !inner.Type.NonNull {
				choices = append(choices, only(inner.Name))
			}
		}
	}
	return choices
}

func (r *run) mutateOnce(ctx context.Context, field *ast.FieldDefinition, given optional) error {
	var failed error
	d := r.writer(ctx, &failed)
	o := &operation{mutation: true}
	b := &branch{field: field, on: r.Schema.Mutation, key: field.Name}
	for _, a := range field.Arguments {
		if required(a.Type, a.DefaultValue) {
			b.arguments = append(b.arguments, argumentOf(a, d.value(a.Name, a.Type, given, d.typeFor(field.Name, field))))
		}
	}
	if failed != nil {
		return failed
	}
	if back := r.Schema.Types[field.Type.Name()]; back.IsCompositeType() {
		budget := tourBudget
		b.children = (&drawer{schema: r.Schema, own: &r.own, texts: r.Texts}).selection(back, belowDepth+1, &budget)
	}
	o.roots = []*branch{b}
	_, err := r.send(ctx, o, nil, nil)
	return err
}

// writer draws with objects that are made for the occasion.
func (r *run) writer(ctx context.Context, failed *error) *drawer {
	return &drawer{schema: r.Schema, own: &r.own, texts: r.Texts, fresh: func(typeName string) string {
		made, err := r.Fresh(ctx, typeName)
		if err != nil {
			*failed = err
		}
		if made != "" && !slices.Contains(r.own.ids[typeName], made) {
			r.own.ids[typeName] = append(r.own.ids[typeName], made)
		}
		return made
	}}
}

// findDeleted moves what A does not have any more from its own to what was.
func (r *run) findDeleted(ctx context.Context) error {
	for _, typeName := range r.own.types() {
		if !slices.Contains(r.Schema.GetPossibleTypes(r.Schema.Types["Node"]), r.Schema.Types[typeName]) {
			continue
		}
		var kept []string
		for _, known := range r.own.ids[typeName] {
			answer, err := r.A(ctx, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": known})
			if err != nil {
				return err
			}
			got, err := read(answer.Body)
			if err == nil && got.Data["node"] == nil && len(got.Errors) == 0 {
				r.deleted[typeName] = append(r.deleted[typeName], known)
				continue
			}
			kept = append(kept, known)
		}
		r.own.ids[typeName] = kept
		if kept == nil {
			delete(r.own.ids, typeName)
		}
	}
	return nil
}

// mutateForeign attacks each position of Mutation, and holds that B has afterwards what it had.
func (r *run) mutateForeign(ctx context.Context) error {
	if r.Fresh == nil {
		return nil
	}
	var since []sent
	for i, p := range r.inwards() {
		for _, typeName := range r.typesFor(p.kind) {
			for _, given := range []optional{none, every} {
				attacked, err := r.mutateAt(ctx, p, typeName, given, forms[i%len(forms)])
				if err != nil {
					return err
				}
				since = append(since, attacked...)
			}
		}
		if len(since) >= 20 {
			if err := r.unchanged(ctx, since); err != nil {
				return err
			}
			since = nil
		}
	}
	return r.unchanged(ctx, since)
}

// inwards are the positions of Mutation, the arguments behind a mutation's answer first: what a mutation was refused for is
// in A's own audit log from then on, by the id that A gave.
func (r *run) inwards() []*position {
	var all []*position
	for _, p := range r.positions {
		if p.mutation && r.Spared[p.steps[0].field.Name] == "" {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b *position) int { return len(b.steps) - len(a.steps) })
	return all
}

// mutateAt attacks one position of Mutation with each kind of value.
func (r *run) mutateAt(ctx context.Context, p *position, typeName string, given optional, f form) ([]sent, error) {
	var all []sent
	ask := func(w which, values []any) (sent, error) {
		var failed error
		o := &operation{}
		r.writer(ctx, &failed).to(o, p, f, given)
		if failed != nil {
			return sent{}, failed
		}
		s, err := r.send(ctx, o, values, []which{w})
		all = append(all, s)
		return s, err
	}
	for _, w := range []which{own, deleted, malformed, foreign} {
		value := r.value(p.kind, typeName, w)
		if w == own && (p.kind == id || p.kind == ids) {
			made, err := r.Fresh(ctx, typeName)
			if err != nil {
				return all, err
			}
			if made != "" {
				value = made
			}
		}
		if w == malformed && p.kind == text { // A may write it, so it must not be made of what is B's
			value = r.malformed(nil, r.rng.IntN(ways))
		}
		if value == "" || w == foreign && r.Spared[p.name+" "+typeName] != "" {
			continue
		}
		if w == foreign && p.kind == text {
			value = r.decoy()
		}
		if p.kind == ids {
			value = []any{value}
		}
		theirs, err := ask(w, []any{value})
		if err != nil {
			return all, err
		}
		if w != foreign {
			continue
		}
		none, err := ask(absent, []any{r.never(value, map[string]string{})})
		if err != nil {
			return all, err
		}
		r.compare(theirs, none)
	}
	return all, nil
}

// decoy is the one text of B's that A is made to write: what holds it afterwards is A's own.
func (r *run) decoy() any {
	if len(r.foreign.texts) == 0 {
		return ""
	}
	text := r.foreign.texts[0]
	if r.planted == nil {
		r.planted = [][]byte{inJSON(text), []byte(notInSlugs.ReplaceAllString(strings.ToLower(text), "-"))}
	}
	return text
}

// notInSlugs is what a name in URLs that is made of a text has a dash for.
var notInSlugs = regexp.MustCompile(`[^a-z0-9]+`)
