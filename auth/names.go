package auth

import "strings"

const orgPrefix = "org:"

// bare returns a role or permission name without any "org:" in front. Clerk compares names with all their prefixes
// folded into one (replace(/^(org:)*/, 'org:')), so two names are equal exactly if their bare names are.
func bare(name string) string {
	for strings.HasPrefix(name, orgPrefix) {
		name = name[len(orgPrefix):]
	}
	return name
}

// normal returns a name with exactly one "org:" in front, or "" for a name that has nothing else.
func normal(name string) string {
	rest := bare(name)
	switch {
	case rest == "":
		return ""
	case len(rest)+len(orgPrefix) == len(name):
		return name
	}
	return orgPrefix + rest
}

// system tells whether a normalized permission is one of Clerk's own, org:sys_*, which no token carries.
func system(permission string) bool {
	return strings.HasPrefix(permission, orgPrefix+"sys_")
}

// featureOf returns the feature of a normalized custom permission, org:<feature>:<permission>, or "".
func featureOf(permission string) string {
	feature, _, found := strings.Cut(bare(permission), ":")
	if !found {
		return ""
	}
	return feature
}
