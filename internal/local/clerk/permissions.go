package clerk

import (
	"math/big"
	"slices"
	"strings"
)

// splitPermission takes the feature and the permission out of a custom key,
// org:<feature>:<permission>.
func splitPermission(key string) (feature, name string) {
	feature, name, _ = strings.Cut(strings.TrimPrefix(key, "org:"), ":")
	return feature, name
}

// features lists the features that custom permissions belong to, sorted. The
// local Clerk has no plans: every organization has every feature.
func (s *state) features() []string {
	var all []string
	for _, p := range s.Permissions {
		if !p.system() {
			feature, _ := splitPermission(p.Key)
			all = append(all, feature)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// customPermissions are those of a role that get into a token.
func (s *state) customPermissions(r role) []string {
	custom := make([]string, 0, len(r.Permissions))
	for _, key := range r.Permissions {
		if p, known := s.permissionByKey(key); known && !p.system() {
			custom = append(custom, key)
		}
	}
	return custom
}

// packPermissions writes permissions as version 2 tokens carry them: per names
// the permissions, fpm has one decimal mask per feature, and bit n of a mask,
// lowest first, grants the n-th name of per on that feature. All features must
// be the organization's, so that a mask's position is the same counted among
// all of fea or among the organization's only. Both are empty when nothing is
// granted.
func packPermissions(features, granted []string) (per, fpm string) {
	var names []string
	for _, key := range granted {
		_, name := splitPermission(key)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", ""
	}
	masks := make([]string, len(features))
	for i, feature := range features {
		mask := new(big.Int) // there may be more names than an integer has bits
		for bit, name := range names {
			if slices.Contains(granted, "org:"+feature+":"+name) {
				mask.SetBit(mask, bit, 1)
			}
		}
		masks[i] = mask.String()
	}
	return strings.Join(names, ","), strings.Join(masks, ",")
}
