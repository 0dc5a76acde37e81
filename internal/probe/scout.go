package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// scout walks over all that A and B may read, each for themselves: what only B has are the secrets.
func (r *run) scout(ctx context.Context) error {
	mine, err := r.walk(ctx, r.A)
	if err != nil {
		return err
	}
	theirs, err := r.walk(ctx, r.B)
	if err != nil {
		return err
	}
	r.disown(&mine, &theirs)
	r.own, r.foreign = mine.without(&theirs), theirs.without(&mine)
	if len(r.foreign.seen) == 0 {
		return errNothing
	}
	for text := range r.foreign.seen {
		r.secrets = append(r.secrets, inJSON(text))
	}
	for _, canary := range r.Canaries {
		r.secrets = append(r.secrets, inJSON(canary))
	}
	if r.fingerprint, err = r.takeFingerprint(ctx); err != nil {
		return err
	}
	// What A reads of its own counts as reached.
	for _, o := range r.tour(&r.own) {
		if _, err := r.send(ctx, o, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// disown takes from what A was shown what is B's: it does not become A's own by being seen.
func (r *run) disown(mine, theirs *holdings) {
	for _, canary := range r.Canaries {
		mine.forget(func(text string) bool { return strings.Contains(text, canary) })
	}
	if !r.Disjoint {
		return
	}
	ids := map[string]bool{}
	for _, known := range theirs.ids {
		for _, id := range known {
			ids[id] = true
		}
	}
	mine.forget(func(text string) bool { return ids[text] })
}

// walk asks for everything from Query: first what takes no id, then the objects that were found.
func (r *run) walk(ctx context.Context, voice Voice) (holdings, error) {
	found := newHoldings()
	for range 2 {
		for _, o := range r.tour(&found) {
			text, variables := o.write(r.Schema, nil)
			answer, err := voice(ctx, text, variables)
			if err != nil {
				return found, fmt.Errorf("no answer to %s: %w", text, err)
			}
			got, err := read(answer.Body)
			if err != nil || got.Data == nil {
				return found, fmt.Errorf("%w: status %d: %s", ErrRefused, answer.Status, short(answer.Body))
			}
			found.harvest(o.roots, got.Data)
		}
	}
	return found, nil
}

// tour are operations that ask for every field to some depth: each field of Query, and each of theirs, by itself.
func (r *run) tour(known *holdings) []*operation {
	d := &drawer{schema: r.Schema, own: known, texts: r.Texts}
	var all []*operation
	for _, field := range r.Schema.Query.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		back := r.Schema.Types[field.Type.Name()]
		for _, arguments := range d.rootArguments(field) {
			root := branch{field: field, on: r.Schema.Query, key: field.Name, arguments: arguments}
			if !back.IsCompositeType() {
				all = append(all, &operation{roots: []*branch{&root}})
				continue
			}
			for _, child := range d.selection(back, tourDepth, nil) {
				one := root
				one.children = []*branch{child}
				if !r.Schema.Types[child.field.Type.Name()].IsCompositeType() {
					one.children = d.leaves(back)
				}
				all = append(all, &operation{roots: []*branch{&one}})
			}
		}
	}
	return all
}

// tourBudget bounds the fields of one tour's operation, tourDepth their nesting.
const tourBudget, tourDepth = 220, 5

// leaves are the fields of a type that have none themselves.
func (d *drawer) leaves(on *ast.Definition) (leaves []*branch) {
	budget := tourBudget
	for _, b := range d.selection(on, 1, &budget) {
		if !d.schema.Types[b.field.Type.Name()].IsCompositeType() {
			leaves = append(leaves, b)
		}
	}
	return leaves
}

// rootArguments are the arguments of a field of Query: one set for each type of object that its id could be of, none where
// no such object is known.
func (d *drawer) rootArguments(field *ast.FieldDefinition) (sets [][]argument) {
	types := []string{""}
	for _, a := range field.Arguments {
		if a.Type.Name() == "ID" && a.Type.NonNull {
			types = d.typesBehind(field)
		}
	}
	for _, typeName := range types {
		var set []argument
		for _, a := range field.Arguments {
			if required(a.Type, a.DefaultValue) {
				set = append(set, argumentOf(a, d.value(a.Name, a.Type, none, typeName)))
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// typesBehind are the types with known objects that a field can return.
func (d *drawer) typesBehind(field *ast.FieldDefinition) (types []string) {
	back := d.schema.Types[field.Type.Name()]
	for _, possible := range d.schema.GetPossibleTypes(back) {
		if len(d.own.ids[possible.Name]) > 0 {
			types = append(types, possible.Name)
		}
	}
	return types
}

func (r *run) takeFingerprint(ctx context.Context) (string, error) {
	if r.Fingerprint != nil {
		return r.Fingerprint(ctx)
	}
	var all strings.Builder
	known := r.foreign
	for _, o := range r.tour(&known) {
		text, variables := o.write(r.Schema, nil)
		answer, err := r.B(ctx, text, variables)
		if err != nil {
			return "", fmt.Errorf("no answer to %s: %w", text, err)
		}
		all.Write(requestID.ReplaceAll(answer.Body, nil))
	}
	return all.String(), nil
}

// unchanged holds that B has what it had.
func (r *run) unchanged(ctx context.Context, since []sent) error {
	now, err := r.takeFingerprint(ctx)
	if err != nil || now == r.fingerprint {
		return err
	}
	r.fingerprint = now
	for _, s := range since {
		r.find("change", s, fmt.Sprintf("B has not what it had before one of %d operations", len(since)))
	}
	return nil
}
