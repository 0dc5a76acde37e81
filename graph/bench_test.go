package graph

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/auth"
)

// manyRights is a member with 20 permissions, of which the one asked for is the last.
func manyRights() *auth.Viewer {
	return member(func(v *auth.Viewer) {
		v.Organization.Permissions = nil
		for _, feature := range []string{"billing", "documents", "notes", "reports", "sys_memberships"} {
			for _, permission := range []string{"create", "delete", "read", "update"} {
				v.Organization.Permissions = append(v.Organization.Permissions, "org:"+feature+":"+permission)
			}
		}
		slices.Sort(v.Organization.Permissions)
	})
}

type decisionsKey struct{}

// BenchmarkDecision is what a guarded field asks, against looking up what was decided before in this request. Fields are
// resolved side by side, so that a memory needs a lock.
func BenchmarkDecision(b *testing.B) {
	viewer := manyRights()
	asked := auth.Requirement{Permission: "org:sys_memberships:update"}
	denied := auth.Requirement{Permission: "org:sys_memberships:drop"}
	b.Run("allowed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if has(viewer, asked) != nil {
				b.Fatal("denied")
			}
		}
	})
	b.Run("denied", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if has(viewer, denied) == nil {
				b.Fatal("allowed")
			}
		}
	})
	b.Run("remembered", func(b *testing.B) {
		var mu sync.RWMutex
		ctx := auth.NewContext(context.WithValue(b.Context(), decisionsKey{}, map[auth.Requirement]error{asked: nil, denied: nil}), viewer)
		b.ReportAllocs()
		for b.Loop() {
			decided := ctx.Value(decisionsKey{}).(map[auth.Requirement]error)
			mu.RLock()
			_, found := decided[asked]
			mu.RUnlock()
			if !found {
				b.Fatal("forgotten")
			}
		}
	})
}

// BenchmarkGuard is the directive around a resolver that does nothing, and the resolver alone.
func BenchmarkGuard(b *testing.B) {
	ctx := auth.NewContext(b.Context(), manyRights())
	permission := "org:sys_memberships:update"
	next := func(context.Context) (any, error) { return &permission, nil }
	directive := (&Resolver{}).directives().HasPermission
	b.Run("guarded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := directive(ctx, nil, next, &permission, nil, nil, nil, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unguarded", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := next(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}
