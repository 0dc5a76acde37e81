package probe

import (
	"context"
	"math/rand/v2"
	"strings"
)

// sweep attacks each position of Query in each form: with something of each kind of each type.
func (r *run) sweep(ctx context.Context) error {
	d := &drawer{schema: r.Schema, own: &r.own, texts: r.Texts}
	for _, p := range r.positions {
		if p.mutation || p.beyond {
			continue
		}
		for _, f := range forms {
			o := &operation{}
			d.to(o, p, f, none)
			for _, typeName := range r.typesFor(p.kind) {
				if err := r.attack(ctx, o, []string{typeName}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// typesFor are the types whose ids a position is attacked with.
func (r *run) typesFor(k kind) []string {
	if types := r.foreign.types(); len(types) > 0 && (k == id || k == ids) {
		return types
	}
	return []string{""}
}

// attack sends an operation with each kind of value in its slots, of the given types, and compares what should be the same.
func (r *run) attack(ctx context.Context, o *operation, types []string) error {
	for _, w := range []which{own, deleted, malformed} {
		if values, ok := r.fill(o, types, w); ok {
			if _, err := r.send(ctx, o, values, repeated(w, len(values))); err != nil {
				return err
			}
		}
	}
	return r.pair(ctx, o, types)
}

func repeated(w which, n int) []which {
	all := make([]which, n)
	for i := range all {
		all[i] = w
	}
	return all
}

// fill chooses a value of a kind for each slot. ok is false where there is none.
func (r *run) fill(o *operation, types []string, w which) (values []any, ok bool) {
	for i, p := range o.slots {
		value := r.value(p.kind, types[i], w)
		if value == "" {
			return nil, false
		}
		if p.kind == ids {
			value = []any{r.value(id, types[i], own), value, r.value(id, types[i], malformed), value}
		}
		values = append(values, value)
	}
	return values, true
}

// pair sends an operation twice: with something of B's, and with what never existed.
func (r *run) pair(ctx context.Context, o *operation, types []string) error {
	theirs, ok := r.fill(o, types, foreign)
	if !ok {
		return nil
	}
	never := make([]any, len(theirs))
	swapped := map[string]string{} // the same for the same: an operation may give a value twice
	for i, value := range theirs {
		never[i] = r.never(value, swapped)
	}
	a, err := r.send(ctx, o, theirs, repeated(foreign, len(theirs)))
	if err != nil {
		return err
	}
	b, err := r.send(ctx, o, never, repeated(absent, len(never)))
	if err != nil {
		return err
	}
	for range again {
		if r.same(a, b) {
			break
		}
		// What the organization has may have changed between the two.
		if a, err = r.send(ctx, o, theirs, repeated(foreign, len(theirs))); err != nil {
			return err
		}
		if b, err = r.send(ctx, o, never, repeated(absent, len(never))); err != nil {
			return err
		}
	}
	r.compare(a, b)
	return nil
}

// again is how often a difference is looked at once more.
const again = 2

// never is a value with what never existed in place of what is B's.
func (r *run) never(value any, swapped map[string]string) any {
	switch value := value.(type) {
	case string:
		if !r.foreign.seen[value] {
			return value
		}
		if swapped[value] == "" {
			swapped[value] = neverWas(value, r.rng)
		}
		return swapped[value]
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = r.never(inner, swapped)
		}
		return list
	}
	return value
}

// neverWas is a text of the same form and length. Letters that ids do not use, and the last ones, of which an id's encoding
// leaves some bits unused, stay as they are.
func neverWas(text string, rng *rand.Rand) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	raw := []byte(text)
	from := 0
	if at := strings.IndexByte(text, '_'); at >= 0 && at < len(text)-fewest {
		from = at + 1
	}
	changed := 0
	for i := len(raw) - 2; i >= from && changed < 12; i-- {
		if c := raw[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' {
			raw[i] = letters[rng.IntN(len(letters))]
			changed++
		}
	}
	return string(raw)
}

// value is one of a kind; "" where there is none.
func (r *run) value(k kind, typeName string, w which) any {
	switch w {
	case own:
		return r.among(r.of(&r.own, k, typeName), map[kind]string{cursor: "", text: "probe"}[k])
	case foreign:
		return r.among(r.of(&r.foreign, k, typeName), "")
	case deleted:
		if k == id || k == ids {
			return r.among(r.deleted[typeName], "")
		}
	case malformed:
		return r.malformed(r.of(&r.foreign, k, typeName), r.rng.IntN(ways))
	}
	return ""
}

func (r *run) of(s *holdings, k kind, typeName string) []string {
	switch k {
	case id, ids:
		return s.ids[typeName]
	case cursor:
		return s.cursors
	case text:
		return s.texts
	}
	return nil
}

func (r *run) among(values []string, otherwise string) any {
	if len(values) == 0 {
		return otherwise
	}
	return values[r.rng.IntN(len(values))]
}

// malformed is a text that no id or cursor is, made of one of B's where there is one.
func (r *run) malformed(theirs []string, way int) any {
	base, _ := r.among(theirs, "probe_0").(string)
	_, key, _ := strings.Cut(base, "_")
	return []string{
		base[:len(base)/2+1], base + "x", "' OR 1=1 --", "member_" + key, "document_" + key, "org_" + key, strings.ToUpper(base), "%", "\\", "é\u202e\x01",
		" " + base, strings.Repeat("a", 3000), "null", "0", base + "\x00",
	}[way]
}

// ways is how many malformed texts are made of one.
const ways = 15

// chance makes operations of several positions until as many fields were answered as are wanted.
func (r *run) chance(ctx context.Context) error {
	var positions []*position
	for _, p := range r.positions {
		if !p.mutation && !p.beyond {
			positions = append(positions, p)
		}
	}
	for r.report.Probes < r.Probes {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, types := r.draw(positions)
		var err error
		if r.rng.IntN(4) > 0 {
			err = r.pair(ctx, o, types)
		} else {
			w := which(r.rng.IntN(int(whiches)))
			if values, ok := r.fill(o, types, w); ok {
				_, err = r.send(ctx, o, values, repeated(w, len(values)))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// draw makes an operation of one to three positions.
func (r *run) draw(positions []*position) (*operation, []string) {
	d := &drawer{schema: r.Schema, own: &r.own, texts: r.Texts, rng: r.rng}
	o, types := &operation{}, []string{}
	for range 1 + r.rng.IntN(3) {
		p := positions[r.rng.IntN(len(positions))]
		given := none
		if r.rng.IntN(3) == 0 {
			given = func(string) bool { return r.rng.IntN(3) == 0 }
		}
		d.to(o, p, forms[r.rng.IntN(len(forms))], given)
		choices := r.typesFor(p.kind)
		types = append(types, choices[r.rng.IntN(len(choices))])
	}
	return o, types
}
