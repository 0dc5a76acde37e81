package auth

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tokenVector is a set of claims and what Clerk's own reader makes of it, except where that reader fails or where fpm
// can be read in two ways.
type tokenVector struct {
	Name   string          `json:"name"`
	Claims json.RawMessage `json:"claims"`
	Want   struct {
		Organization          *ActiveOrganization `json:"organization"`
		FactorVerificationAge *[2]int             `json:"factorVerificationAge"`
	} `json:"want"`
	Ambiguous bool `json:"ambiguous"`
}

func TestTokenVectors(t *testing.T) {
	t.Parallel()
	var vectors []tokenVector
	if err := json.Unmarshal([]byte(readTestdata(t, "tokens.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 16 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	v := newVerifier(t, Config{Now: func() time.Time { return time.Unix(1767225600, 0) }})
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			t.Parallel()
			claims, err := v.Verify(t.Context(), sign(ourKey(), goodHeader().json(), string(vector.Claims)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(vector.Want.Organization, claims.Organization, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(vector.Want.FactorVerificationAge, claims.FactorVerificationAge); diff != "" {
				t.Error(diff)
			}
			if claims.ambiguous != vector.Ambiguous {
				t.Errorf("ambiguous is %t", claims.ambiguous)
			}
			if claims.Pending || claims.Actor != nil {
				t.Errorf("pending %t, actor %v", claims.Pending, claims.Actor)
			}
		})
	}
}

func TestDecodePermissions(t *testing.T) {
	t.Parallel()
	wide := make([]string, 300)
	for i := range wide {
		wide[i] = "p" + strings.Repeat("x", i)
	}
	top := new(big.Int).Lsh(big.NewInt(1), 299).String()
	for name, test := range map[string]struct {
		fea, per, fpm string
		want          []string
		ambiguous     bool
	}{
		"nothing":                          {},
		"no features":                      {per: "read", fpm: "1"},
		"no names":                         {fea: "o:a", fpm: "1"},
		"no masks":                         {fea: "o:a", per: "read"},
		"bit 299":                          {fea: "o:a", per: strings.Join(wide, ","), fpm: top, want: []string{"org:a:" + wide[299]}},
		"plus sign":                        {fea: "o:a", per: "read", fpm: "+1"},
		"hexadecimal":                      {fea: "o:a", per: "read", fpm: "0x1"},
		"underscore":                       {fea: "o:a", per: "read", fpm: "1_1"},
		"fraction":                         {fea: "o:a", per: "read", fpm: "1.0"},
		"digits of another script":         {fea: "o:a", per: "read", fpm: "١"},
		"leading zeros":                    {fea: "o:a", per: "read", fpm: "0001", want: []string{"org:a:read"}},
		"a bad mask keeps its place":       {fea: "o:a,o:b", per: "read", fpm: "x,1", want: []string{"org:b:read"}},
		"an empty mask keeps its place":    {fea: "o:a,o:b", per: "read", fpm: ",1", want: []string{"org:b:read"}},
		"an empty name keeps its place":    {fea: "o:a", per: ",read", fpm: "3", want: []string{"org:a:read"}},
		"an empty feature keeps its place": {fea: "o:,o:b", per: "read", fpm: "1,1", want: []string{"org:b:read"}},
		"a user's features last":           {fea: "o:a,u:x", per: "read", fpm: "1,1", want: []string{"org:a:read"}},
		"a user's feature first":           {fea: "u:x,o:a", per: "read,write", fpm: "1,3", want: []string{"org:a:read"}, ambiguous: true},
		"both readings grant the same":     {fea: "u:x,o:a", per: "read", fpm: "1,1", want: []string{"org:a:read"}},
		"a scope that only contains an o":  {fea: "foo:a,o:b", per: "read", fpm: "1", ambiguous: true},
		"a feature twice":                  {fea: "o:a,o:a", per: "read,write", fpm: "1,3", want: []string{"org:a:read", "org:a:write"}},
		"one entry without a colon":        {fea: "o:a,b", per: "read", fpm: "1,1"},
		"more masks than features":         {fea: "o:a", per: "read", fpm: "1,1,1", want: []string{"org:a:read"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ambiguous := decodePermissions(splitScoped(test.fea), test.per, test.fpm)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if ambiguous != test.ambiguous {
				t.Errorf("ambiguous is %t", ambiguous)
			}
		})
	}
}

// An age that is not known must never look like one of 0 minutes.
func TestFactorAges(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]*[2]int{
		``: nil, `null`: nil, `[]`: nil, `[3]`: nil, `[3,-1,0]`: nil, `["3",-1]`: nil, `[3,null]`: nil, `[null,null]`: nil,
		`[1.5,0]`: nil, `[-2,0]`: nil, `{"0":3,"1":-1}`: nil, `"3,-1"`: nil, `[true,0]`: nil, `[1e400,0]`: nil,
		`[3,-1]`: {3, -1}, `[0,0]`: {0, 0}, `[-1,-1]`: {-1, -1},
	} {
		if diff := cmp.Diff(want, factorAges([]byte(raw))); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

// What a customized token carries under the names of the other version is nobody's organization.
func TestVersionsDoNotMix(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, Config{})
	flat := object{"org_id": "org_2Evil", "org_role": "org:admin", "org_permissions": []string{"org:documents:read"}}
	for name, claims := range map[string]object{
		"version 2 with flat claims":           goodClaims(testNow).with(flat).with(object{"o": nil}),
		"version 2 with flat claims of no use": goodClaims(testNow).with(object{"o": nil, "org_id": 7, "org_role": []int{1}}),
		"version 1 with o":                     goodClaims(testNow).with(object{"v": nil}),
		"version 1 by number with o":           goodClaims(testNow).with(object{"v": 1}),
		"o without id":                         goodClaims(testNow).with(object{"o": object{"rol": "admin"}}),
		"o empty":                              goodClaims(testNow).with(object{"o": object{}}),
		"o null":                               goodClaims(testNow).with(object{"o": rawJSON("null")}),
		"org_id null":                          goodClaims(testNow).with(object{"v": nil, "o": nil, "org_id": rawJSON("null")}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := v.Verify(t.Context(), mint(claims))
			if err != nil {
				t.Fatal(err)
			}
			if got.Organization != nil {
				t.Errorf("an organization is active: %+v", got.Organization)
			}
		})
	}
}
