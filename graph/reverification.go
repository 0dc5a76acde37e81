package graph

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/auth"
)

// reverificationConfig is a reverification as Clerk's libraries write it: the name of a preset, or an object.
func reverificationConfig(r auth.Reverification) any {
	if name := r.Name(); name != "" {
		return name
	}
	return map[string]any{"level": r.Level, "afterMinutes": r.AfterMinutes}
}

// describeReverification says it in a few words.
func describeReverification(r auth.Reverification) string {
	if name := r.Name(); name != "" {
		return name
	}
	return fmt.Sprintf("%s within %d minutes", r.Level, r.AfterMinutes)
}

// clerkError is what Clerk's useReverification looks for, with its names and its nesting (@clerk/shared,
// authorization-errors.ts). A client finds it in extensions.clerk_error.
func clerkError(r auth.Reverification) map[string]any {
	return map[string]any{
		"type": "forbidden", "reason": "reverification-error",
		"metadata": map[string]any{"reverification": reverificationConfig(r)},
	}
}

// MarshalReverification writes a preset's name, or an object.
func MarshalReverification(r auth.Reverification) graphql.Marshaler {
	return graphql.MarshalAny(reverificationConfig(r))
}

var errReverification = errors.New("must be strict_mfa, strict, moderate, lax, or an object with level (first_factor, " +
	"second_factor, multi_factor) and afterMinutes (1 or more)")

// UnmarshalReverification reads what MarshalReverification writes.
func UnmarshalReverification(v any) (auth.Reverification, error) {
	switch v := v.(type) {
	case string:
		if r, found := auth.ReverificationNamed(v); found {
			return r, nil
		}
	case map[string]any:
		level, _ := v["level"].(string)
		r := auth.Reverification{Level: level, AfterMinutes: wholeNumber(v["afterMinutes"])}
		known := level == auth.LevelFirstFactor || level == auth.LevelSecondFactor || level == auth.LevelMultiFactor
		if known && r.AfterMinutes > 0 && len(v) == 2 {
			return r, nil
		}
	}
	return auth.Reverification{}, errReverification
}

// wholeNumber reads a number as gqlparser or JSON gives it, 0 for anything else.
func wholeNumber(v any) int {
	switch v := v.(type) {
	case int64:
		return int(v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return int(i)
		}
	}
	return 0
}
