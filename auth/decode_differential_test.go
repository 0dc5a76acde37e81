package auth

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// Two readers that know nothing of each other agree on what random tokens grant. TENANTRY_PROVE=1 asks 100,000 instead of
// 20,000; each hundredth goes the whole way through a signed token.
func TestTwoReadersAgree(t *testing.T) {
	t.Parallel()
	sets := 20_000
	if os.Getenv("TENANTRY_PROVE") != "" {
		sets = 100_000
	}
	const seed = 20261125
	random := rand.New(rand.NewPCG(seed, 1))
	verifier := newVerifier(t, Config{})
	var seen struct{ active, granted, empty, ambiguous, v1, refused int }
	for i := range sets {
		payload := randomClaims(random).json()
		got, err := readUnsigned(payload)
		if i%100 == 0 {
			got, err = verifier.Verify(t.Context(), sign(ourKey(), goodHeader().json(), payload))
		}
		var claims map[string]any
		if err := json.Unmarshal([]byte(payload), &claims); err != nil {
			t.Fatal(err)
		}
		want := referenceDecode(claims)
		if want != nil && !strings.HasPrefix(want.id, "org_") {
			wantRefusal(t, err, ReasonOrganization)
			seen.refused++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d, set %d: %v\n%s", seed, i, err, payload)
		}
		if difference := differs(want, got); difference != "" {
			t.Fatalf("seed %d, set %d: %s\n%s\nauth reads %+v, ambiguous %t\nthe reference %+v", seed, i, difference, payload, got.Organization, got.ambiguous, want)
		}
		if want == nil {
			continue
		}
		seen.active++
		seen.granted += len(want.permissions)
		if len(want.permissions) == 0 {
			seen.empty++
		}
		if want.ambiguous {
			seen.ambiguous++
		}
		if got.Version == 1 {
			seen.v1++
		}
	}
	t.Logf("%d sets: %+v", sets, seen)
	if seen.active < sets/2 || seen.granted < sets || seen.ambiguous < sets/50 || seen.v1 < sets/20 || seen.refused == 0 || seen.empty > sets*3/4 {
		t.Errorf("the sets are too much alike to prove anything: %+v", seen)
	}
}

// readUnsigned is what happens to a payload behind a valid signature.
func readUnsigned(payload string) (*Claims, error) {
	set, err := readClaimSet([]byte(payload))
	if err != nil {
		return nil, err
	}
	return set.claims()
}

func differs(want *referenceOrganization, got *Claims) string {
	o := got.Organization
	if (want == nil) != (o == nil) {
		return "one of them sees an organization"
	}
	if want == nil {
		return ""
	}
	if want.id != o.ID || want.slug != o.Slug || want.role != o.Role {
		return "organization, slug or role"
	}
	if want.ambiguous != got.ambiguous {
		return "whether it is ambiguous"
	}
	if len(want.permissions) != len(o.Permissions) {
		return "how many permissions"
	}
	for _, permission := range o.Permissions {
		if !want.permissions[permission] {
			return "permission " + permission
		}
	}
	return ""
}

// randomClaims are claims of either version, mostly as Clerk makes them and sometimes as nobody should.
func randomClaims(r *rand.Rand) object {
	claims := goodClaims(testNow).with(object{"fea": randomFeatures(r), "o": nil, "pla": oneOf(r, "o:pro", "u:free", "")})
	if r.IntN(10) < 8 {
		o := object{
			"id":  oneOf(r, "org_2Acme", "org_2Acme", "org_2Acme", "org_2Acme", "org_2Acme", "org_2Acme", "org_2Acme", "user_2Ada"),
			"rol": oneOf(r, "admin", "member", "org:admin", "", "Ádmin"), "slg": oneOf(r, "acme", ""), "per": randomNames(r), "fpm": randomMasks(r),
		}
		for _, name := range []string{"rol", "slg", "per", "fpm"} {
			if r.IntN(25) == 0 {
				delete(o, name)
			}
		}
		claims["o"] = o
	}
	if r.IntN(4) == 0 { // under the names of version 1, of which version 2 knows nothing
		claims["org_id"], claims["org_role"], claims["org_slug"] = "org_2Old", "org:member", "old"
		claims["org_permissions"] = strings.Split(randomNames(r), ",")
	}
	if r.IntN(8) == 0 {
		claims["v"] = 1
	} else if r.IntN(8) == 0 {
		delete(claims, "v")
	}
	return claims
}

func randomFeatures(r *rand.Rand) string {
	usersLast := r.IntN(2) == 0
	var entries []string
	for range few(r, 6) {
		scope := oneOf(r, "o", "o", "o", "o", "u", "ou", "uo")
		if r.IntN(12) == 0 {
			scope = oneOf(r, "", "O", "oo", "foo", "org", "o ", "öu", "uou")
		}
		if usersLast && scope == "u" {
			scope = "o"
		}
		entry := scope + ":" + oneOf(r, "documents", "reports", "a", "b", "c", "a", "sys_memberships", "")
		switch r.IntN(60) {
		case 0:
			entry = scope // no colon
		case 1:
			entry += ":again"
		case 2:
			entry = strings.Replace(entry, ":", ": ", 1)
		}
		entries = append(entries, pad(r, entry))
	}
	if usersLast && r.IntN(2) == 0 {
		entries = append(entries, "u:gold")
	}
	return strings.Join(entries, ",")
}

func randomNames(r *rand.Rand) string {
	count := few(r, 5)
	if r.IntN(12) == 0 {
		count = 60 + r.IntN(120) // beyond one machine word
	}
	names := make([]string, count)
	for i := range names {
		names[i] = pad(r, oneOf(r, "read", "write", "manage", "delete", fmt.Sprint("p", i), fmt.Sprint("p", i), fmt.Sprint("p", i), "", "x:y"))
	}
	return strings.Join(names, ",")
}

func randomMasks(r *rand.Rand) string {
	masks := make([]string, few(r, 7))
	for i := range masks {
		mask := new(big.Int)
		for range 1 + r.IntN(5) {
			mask.SetBit(mask, r.IntN(oneOf(r, 2, 3, 3, 4, 5, 8, 66, 200)), 1)
		}
		masks[i] = mask.String()
		switch r.IntN(25) {
		case 0:
			masks[i] = oneOf(r, "", "-1", "+1", "0x3", "1.0", "1e3", "1_1", "٣", "３", "3a", "a3", "1 1", "NaN", "0b1", "--1")
		case 1:
			masks[i] = "000" + masks[i]
		case 2:
			masks[i] = "0" // keeps the place of its feature
		}
		masks[i] = pad(r, masks[i])
	}
	return strings.Join(masks, ",")
}

// few is a number up to most, and seldom 0.
func few(r *rand.Rand, most int) int {
	if r.IntN(20) == 0 {
		return 0
	}
	return 1 + r.IntN(most)
}

// pad puts white space around some entries.
func pad(r *rand.Rand, entry string) string {
	if r.IntN(8) > 0 {
		return entry
	}
	return oneOf(r, "", " ", "\t", "  ") + entry + oneOf(r, "", " ", "\n", "  ")
}

func oneOf[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }
