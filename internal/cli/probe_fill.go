package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/internal/probe"
)

// filler makes objects as long as the server lets it, and remembers what it refused.
type filler struct {
	*probe.Maker
	refused map[string]string
}

// newFiller makes objects of an organization with the mark in their texts. other is probe.NewMaker's.
func newFiller(schema *probe.Schema, voice probe.Voice, mark string, texts map[string]string, other func(context.Context, string) (string, error)) filler {
	return filler{probe.NewMaker(schema, voice, mark, texts, other), map[string]string{}}
}

// make is probe.Attack.Fresh.
func (f filler) make(ctx context.Context, typeName string) (string, error) {
	if f.refused[typeName] != "" {
		return "", nil
	}
	id, err := f.Make(ctx, typeName)
	if errors.Is(err, probe.ErrNotMade) {
		f.refused[typeName] = err.Error()
		return "", nil
	}
	return id, err
}

// fill makes objects of each type that there is a mutation for.
func (f filler) fill(ctx context.Context, ofEach int) error {
	for _, typeName := range f.Types() {
		for range ofEach {
			if _, err := f.make(ctx, typeName); err != nil {
				return err
			}
		}
	}
	return nil
}

// refusals are what could not be made, each with what the server said.
func (f filler) refusals() []string {
	var all []string
	for _, typeName := range slices.Sorted(maps.Keys(f.refused)) {
		refused := f.refused[typeName]
		if strings.Contains(refused, "(input ") {
			refused += ": --text gives an input a fitting text"
		}
		all = append(all, refused)
	}
	return all
}

// fittingTexts are what inputs are given where not every text will do; those of --text win.
func fittingTexts(given map[string]string) map[string]string {
	texts := map[string]string{"role": "org:member", "slug": "*", "email": "*@probe.example"}
	maps.Copy(texts, given)
	return texts
}

// newMark is in every text that an attack writes, and in no other.
func newMark(of string) string { return "canary" + of + strings.ToLower(rand.Text()[:10]) }
