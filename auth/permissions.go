package auth

import (
	"math/big"
	"slices"
	"strings"
)

// splitScoped splits a fea or pla claim, "o:pro,u:beta", into its entries. One entry without a colon spoils the claim
// and it counts as empty: Clerk's own reader fails on it.
func splitScoped(claim string) []string {
	if claim == "" {
		return nil
	}
	entries := splitList(claim)
	for _, entry := range entries {
		if !strings.Contains(entry, ":") {
			return nil
		}
	}
	return entries
}

// splitList splits a comma list. Empty entries stay: positions carry meaning.
func splitList(list string) []string {
	entries := strings.Split(list, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
	}
	return entries
}

func organizationScope(scope string) bool { return scope == "o" || scope == "ou" || scope == "uo" }
func userScope(scope string) bool         { return scope == "u" || scope == "ou" || scope == "uo" }

// decodePermissions reads the packed permissions of a version 2 token: features are the entries of fea, per lists the
// permission names and fpm has a number per feature whose bit i, counted from the least significant, grants name i.
//
// Clerk's documentation gives the number at a position to the feature at the same position among all features, Clerk's
// code counts the organization's features only. Where that differs, what both grant is granted and ambiguous is true.
func decodePermissions(features []string, per, fpm string) (permissions []string, ambiguous bool) {
	if per == "" || fpm == "" {
		return nil, false
	}
	names, masks := splitList(per), splitList(fpm)
	permissions = readPermissions(features, names, masks, false)
	documented := readPermissions(features, names, masks, true)
	if slices.Equal(permissions, documented) {
		return permissions, false
	}
	return intersection(permissions, documented), true
}

// readPermissions is one reading of fpm: with countAll, features of a user use up a position too. The result is sorted.
func readPermissions(features, names, masks []string, countAll bool) []string {
	var granted []string
	position := 0
	for _, entry := range features {
		scope, feature, _ := strings.Cut(entry, ":")
		if !organizationScope(scope) {
			if countAll {
				position++
			}
			continue
		}
		if position < len(masks) && feature != "" {
			granted = appendGranted(granted, feature, names, masks[position])
		}
		position++
	}
	return sorted(granted)
}

// appendGranted appends the permissions of one feature. What is no decimal number grants nothing, and neither does a
// bit without a name.
func appendGranted(granted []string, feature string, names []string, mask string) []string {
	if mask == "" || strings.Trim(mask, "0123456789") != "" {
		return granted
	}
	bits, ok := new(big.Int).SetString(mask, 10)
	if !ok {
		return granted
	}
	for i, name := range names {
		if name != "" && bits.Bit(i) == 1 {
			granted = append(granted, orgPrefix+feature+":"+name)
		}
	}
	return granted
}

// organizationFeatures returns the features that a token names as the organization's: in fea, and in permissions, which
// is where a version 1 token has them.
func organizationFeatures(c *Claims) []string {
	var features []string
	for _, entry := range c.Features {
		if scope, feature, _ := strings.Cut(entry, ":"); organizationScope(scope) && feature != "" {
			features = append(features, feature)
		}
	}
	for _, permission := range c.Organization.Permissions {
		if feature := featureOf(permission); feature != "" {
			features = append(features, feature)
		}
	}
	return features
}

// sorted sorts in place and drops what is there twice.
func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// intersection returns what is in both sorted lists.
func intersection(a, b []string) []string {
	var both []string
	for _, item := range a {
		if _, found := slices.BinarySearch(b, item); found {
			both = append(both, item)
		}
	}
	return both
}
