package auth

import "slices"

// Catalogue is what roles.yml says: the permissions of this product and the roles that hold them.
type Catalogue struct {
	Permissions []CataloguePermission // in the file's order; without Clerk's own
	Roles       []CatalogueRole       // in the file's order
}

// CataloguePermission is a custom permission.
type CataloguePermission struct {
	Key         string // org:<feature>:<permission>
	Name        string
	Description string
}

// CatalogueRole is a role.
type CatalogueRole struct {
	Key         string // org:<role>
	Name        string
	Description string
	// All says that the role holds every permission there is, also those that Clerk adds later.
	All bool
	// Permissions are the keys that it holds: Clerk's own first, then those of the file, each in their order. With All it
	// is everything known here.
	Permissions []string
}

// systemPermissions are Clerk's own, which it gives to org:admin.
var systemPermissions = []string{
	"org:sys_profile:manage", "org:sys_profile:delete",
	"org:sys_memberships:read", "org:sys_memberships:manage",
	"org:sys_domains:read", "org:sys_domains:manage",
	"org:sys_billing:read", "org:sys_billing:manage",
	"org:sys_entconns:manage",
}

// creatorPermissions are what Clerk wants the role of an organization's creator to hold.
var creatorPermissions = []string{"org:sys_memberships:read", "org:sys_memberships:manage", "org:sys_profile:delete"}

// SystemPermissions returns the keys of Clerk's own permissions, which every instance has.
func SystemPermissions() []string { return slices.Clone(systemPermissions) }

// HasPermission tells whether a permission, with "org:" in front, is in the catalogue or is one of Clerk's own.
func (c Catalogue) HasPermission(key string) bool {
	return slices.Contains(c.permissionKeys(), key)
}

// HasRole tells whether a role, with "org:" in front, is in the catalogue.
func (c Catalogue) HasRole(key string) bool {
	return slices.ContainsFunc(c.Roles, func(r CatalogueRole) bool { return r.Key == key })
}

// RolesWith returns the keys of the roles that hold a permission, in the file's order.
func (c Catalogue) RolesWith(permission string) []string {
	var keys []string
	for _, r := range c.Roles {
		if slices.Contains(r.Permissions, permission) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// NearestPermission returns the known permission that is most like a misspelt one, or "" where none is like it.
func (c Catalogue) NearestPermission(key string) string { return nearest(key, c.permissionKeys()) }

// NearestRole does the same for a role.
func (c Catalogue) NearestRole(key string) string {
	keys := make([]string, len(c.Roles))
	for i, r := range c.Roles {
		keys[i] = r.Key
	}
	return nearest(key, keys)
}

// permissionKeys are all known: Clerk's own, then those of the file.
func (c Catalogue) permissionKeys() []string {
	keys := SystemPermissions()
	for _, p := range c.Permissions {
		keys = append(keys, p.Key)
	}
	return keys
}

// nearest returns the name with the fewest letters that differ, if at most a third of them do.
func nearest(name string, known []string) string {
	best, least := "", len(name)/3+1
	for _, candidate := range known {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's: how many letters must be put in, taken out or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
