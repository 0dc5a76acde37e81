package auth

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkVerify measures a token that is seen for the first time, one that is known, and one whose signature is bad.
func BenchmarkVerify(b *testing.B) {
	token := mint(goodClaims(testNow))
	b.Run("new", func(b *testing.B) {
		v := newVerifier(b, Config{})
		b.ReportAllocs()
		for b.Loop() {
			v.verified.Purge()
			if _, err := v.Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("known", func(b *testing.B) {
		v := newVerifier(b, Config{})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("forged", func(b *testing.B) {
		v := newVerifier(b, Config{})
		forged := sign(foreignKey(), goodHeader().json(), goodClaims(testNow).json())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(b.Context(), forged); err == nil {
				b.Fatal("accepted")
			}
		}
	})
}

// BenchmarkAuthenticate measures a request's whole way from the header to the viewer, with facts at hand.
func BenchmarkAuthenticate(b *testing.B) {
	facts := role(MembershipLive, "org:admin", adminRow, testNow.Add(-time.Hour))
	a := NewAuthenticator(newVerifier(b, Config{}), factsFunc(func(string, string, string) (Facts, error) { return facts, nil }))
	header := []string{"Bearer " + mint(goodClaims(testNow))}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Viewer(b.Context(), header); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkViewerHas asks an admin of 25 permissions, the last of them and one more.
func BenchmarkViewerHas(b *testing.B) {
	facts := role(MembershipLive, "org:admin", adminRow, testNow.Add(-time.Hour))
	for i := range 20 {
		facts.RolePermissions = append(facts.RolePermissions, fmt.Sprint("org:sys_a:", i))
	}
	claims := heldClaims()
	claims.FactorVerificationAge = &[2]int{0, 0}
	v, err := Correct(claims, facts)
	if err != nil {
		b.Fatal(err)
	}
	for name, test := range map[string]struct {
		asked Requirement
		want  bool
	}{
		"permission": {Requirement{Permission: "org:sys_memberships:read"}, true},
		"denied":     {Requirement{Permission: "org:sys_memberships:drop"}, false},
		"all":        {Requirement{Permission: "org:sys_memberships:read", Role: "org:admin", Feature: "beta", Plan: "org:pro", Reverification: ReverificationStrict}, true},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v.Has(test.asked) != test.want {
					b.Fatal(test.asked)
				}
			}
		})
	}
}
