package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"strings"

	"github.com/tenantry/tenantry/internal/probe"
)

// fittingTexts are what inputs are given where not every text will do; those of --text win.
func fittingTexts(given map[string]string) map[string]string {
	texts := map[string]string{"role": "org:member", "slug": "*", "email": "*@probe.example"}
	maps.Copy(texts, given)
	return texts
}

// fill makes objects of each type that there is a mutation for. What cannot be made is missed later, by its fields.
func fill(ctx context.Context, maker *probe.Maker, ofEach int) error {
	for _, typeName := range maker.Types() {
		for range ofEach {
			if _, err := maker.Make(ctx, typeName); errors.Is(err, errToken) || ctx.Err() != nil {
				return err
			} else if err != nil {
				break
			}
		}
	}
	return nil
}

// newMark is in every text that an attack writes, and in no other.
func newMark(of string) string { return "canary" + of + strings.ToLower(rand.Text()[:10]) }
