package clerk

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// unpack decodes permissions by both readings of fpm that are in use: masks by
// position among the organization's features, and among all of fea.
func unpack(fea, per, fpm string) (amongOrganizations, amongAll []string) {
	if per == "" || fpm == "" {
		return nil, nil
	}
	names, masks := strings.Split(per, ","), strings.Split(fpm, ",")
	grant := func(into *[]string, feature string, position int) {
		if position >= len(masks) {
			return
		}
		mask, ok := new(big.Int).SetString(masks[position], 10)
		if !ok {
			panic("not a decimal mask: " + masks[position])
		}
		for bit, name := range names {
			if mask.Bit(bit) == 1 {
				*into = append(*into, "org:"+feature+":"+name)
			}
		}
	}
	position := 0
	for i, entry := range strings.Split(fea, ",") {
		scope, feature, _ := strings.Cut(entry, ":")
		if scope == "o" || scope == "ou" || scope == "uo" {
			grant(&amongOrganizations, feature, position)
			grant(&amongAll, feature, i)
			position++
		}
	}
	slices.Sort(amongOrganizations)
	slices.Sort(amongAll)
	return amongOrganizations, amongAll
}

func TestPackedPermissions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		features, granted []string
		per, fpm          string
	}{
		"Clerk's example": {
			[]string{"dashboard", "teams"},
			[]string{"org:dashboard:manage", "org:dashboard:read", "org:teams:read"},
			"manage,read", "3,2",
		},
		"a feature without a grant keeps its place": {
			[]string{"a", "b", "c"}, []string{"org:a:read", "org:c:write"}, "read,write", "1,0,2",
		},
		"nothing granted": {[]string{"a"}, nil, "", ""},
		"no feature":      {nil, nil, "", ""},
	} {
		per, fpm := packPermissions(test.features, test.granted)
		if per != test.per || fpm != test.fpm {
			t.Errorf("%s: per %q fpm %q, want %q and %q", name, per, fpm, test.per, test.fpm)
		}
	}
}

func TestPackingLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Beyond 64 names a mask no longer fits an integer.
		var features, granted []string
		for f := range rapid.IntRange(1, 4).Draw(t, "features") {
			features = append(features, fmt.Sprintf("feature_%d", f))
			for p := range rapid.IntRange(0, 90).Draw(t, "permissions") {
				if rapid.Bool().Draw(t, "granted") {
					granted = append(granted, fmt.Sprintf("org:feature_%d:p%d", f, p))
				}
			}
		}
		granted = rapid.Permutation(granted).Draw(t, "order")
		per, fpm := packPermissions(features, granted)
		one, other := unpack(featureClaim(features), per, fpm)
		slices.Sort(granted)
		for _, got := range [][]string{one, other} {
			if !slices.Equal(granted, got) {
				t.Fatal(cmp.Diff(granted, got))
			}
		}
	})
}
