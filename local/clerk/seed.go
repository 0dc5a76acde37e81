package clerk

import (
	"fmt"
	"strings"
	"time"
)

// seededPermissions are Clerk's system permissions, which it gives to
// org:admin, and the custom ones of the documents feature.
var seededPermissions = []struct{ key, name, description string }{
	{"org:sys_profile:manage", "Manage organization", "Permission to manage an organization."},
	{"org:sys_profile:delete", "Delete organization", "Permission to delete an organization."},
	{"org:sys_memberships:read", "Read members", "Permission to read the members of an organization."},
	{"org:sys_memberships:manage", "Manage members", "Permission to manage the members of an organization."},
	{"org:sys_domains:read", "Read domains", "Permission to read the domains of an organization."},
	{"org:sys_domains:manage", "Manage domains", "Permission to manage the domains of an organization."},
	{"org:sys_billing:read", "Read billing", "Permission to read the billing of an organization."},
	{"org:sys_billing:manage", "Manage billing", "Permission to manage the billing of an organization."},
	{"org:sys_entconns:manage", "Manage enterprise connections", "Permission to manage the enterprise connections of an organization."},
	{"org:documents:read", "Read documents", "View documents"},
	{"org:documents:create", "Create documents", "Create documents"},
	{"org:documents:update", "Update documents", "Edit documents"},
	{"org:documents:delete", "Delete documents", "Delete documents"},
}

var seededRoles = []struct {
	key, name, description string
	permissions            []string // nil: every one
}{
	{"org:admin", "Admin", "Role with elevated permissions", nil},
	{"org:member", "Member", "Role with non-privileged permissions", []string{
		"org:sys_memberships:read", "org:sys_billing:read",
		"org:documents:read", "org:documents:create", "org:documents:update",
	}},
	{"org:guest", "Guest", "Role without permissions", []string{}},
}

var seededUsers = []struct{ first, last, email string }{
	{"Ada", "Lovelace", "ada@acme.example"},
	{"Max", "Planck", "max@acme.example"},
	{"Gus", "Grissom", "gus@globex.example"},
	{"Nora", "Noether", "nora@example.com"},
}

var seededOrganizations = []struct{ name, creator string }{
	{"Acme", "Ada"},
	{"Globex", "Gus"},
}

var seededMemberships = []struct{ organization, user, role string }{
	{"Acme", "Ada", "org:admin"},
	{"Acme", "Max", "org:member"},
	{"Globex", "Gus", "org:admin"},
	{"Globex", "Ada", "org:member"},
}

// seed makes a new instance with its first people, organizations and roles,
// and queues the events by which a server learns of them.
func seed(now time.Time) (*state, error) {
	s := &state{
		Version:       stateVersion,
		InstanceID:    newID("ins"),
		SecretKey:     newSecretKey(),
		WebhookSecret: newWebhookSecret(),
	}
	// A second back, because tick gives each fact its own millisecond and no
	// fact may lie in the future.
	now = now.Add(-time.Second)
	s.seedRoles(now)
	s.seedUsers(now)
	s.seedOrganizations(now)
	if err := s.announce(now); err != nil {
		return nil, fmt.Errorf("announce what was seeded: %w", err)
	}
	return s, nil
}

func (s *state) seedRoles(now time.Time) {
	at := s.tick(now)
	var every []string
	for _, p := range seededPermissions {
		s.Permissions = append(s.Permissions, permission{
			ID: seededID("perm", camel(p.key)), Key: p.key, Name: p.name,
			Description: p.description, CreatedAt: at, UpdatedAt: at,
		})
		every = append(every, p.key)
	}
	for _, r := range seededRoles {
		at := s.tick(now)
		keys := r.permissions
		if keys == nil {
			keys = every
		}
		s.Roles = append(s.Roles, role{
			ID: seededID("role", r.name), Key: r.key, Name: r.name, Description: r.description,
			CreatorEligible: elevated(keys), Permissions: keys, CreatedAt: at, UpdatedAt: at,
		})
	}
}

func (s *state) seedUsers(now time.Time) {
	for _, u := range seededUsers {
		at := s.tick(now)
		s.Users = append(s.Users, user{
			ID: seededID("user", u.first), Handle: strings.ToLower(u.first),
			FirstName: u.first, LastName: u.last,
			EmailID: seededID("idn", u.first), Email: u.email, CreatedAt: at, UpdatedAt: at,
		})
	}
}

func (s *state) seedOrganizations(now time.Time) {
	for _, o := range seededOrganizations {
		at := s.tick(now)
		s.Organizations = append(s.Organizations, organization{
			ID: seededID("org", o.name), Slug: strings.ToLower(o.name), Name: o.name,
			CreatedBy: seededID("user", o.creator), CreatedAt: at, UpdatedAt: at,
		})
	}
	for _, m := range seededMemberships {
		at := s.tick(now)
		s.Memberships = append(s.Memberships, membership{
			ID:             seededID("orgmem", m.user+m.organization),
			OrganizationID: seededID("org", m.organization), UserID: seededID("user", m.user),
			Role: m.role, CreatedAt: at, UpdatedAt: at,
		})
	}
}

// announce queues a created event for everything there is.
func (s *state) announce(now time.Time) error {
	for _, r := range s.Roles {
		if _, err := s.emit("role.created", s.roleBody(r), now); err != nil {
			return err
		}
	}
	for _, u := range s.Users {
		if _, err := s.emit("user.created", s.userBody(u), now); err != nil {
			return err
		}
	}
	for _, o := range s.Organizations {
		if _, err := s.emit("organization.created", s.organizationBody(o), now); err != nil {
			return err
		}
	}
	for _, m := range s.Memberships {
		if _, err := s.emit("organizationMembership.created", s.membershipBody(m), now); err != nil {
			return err
		}
	}
	return nil
}

// camel turns org:sys_profile:manage into SysProfileManage, for a seeded id.
func camel(key string) string {
	var name strings.Builder
	for part := range strings.FieldsFuncSeq(strings.TrimPrefix(key, "org:"), func(r rune) bool { return r == ':' || r == '_' }) {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return name.String()
}
