package clerk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// seed makes a new instance with these rights, its first people and
// organizations, and queues the events by which a server learns of them.
func seed(rights Rights, now time.Time) (*state, error) {
	s := &state{
		Version:       stateVersion,
		InstanceID:    newID("ins"),
		SecretKey:     newSecretKey(),
		WebhookSecret: newWebhookSecret(),
		Rights:        rights.digest(),
		Settings:      settings{OrganizationsEach: clerksOrganizationsEach},
	}
	// A second back, because tick gives each fact its own millisecond and no
	// fact may lie in the future.
	now = now.Add(-time.Second)
	s.seedRoles(rights, now)
	s.seedUsers(now)
	s.seedOrganizations(now)
	if err := s.announce(now); err != nil {
		return nil, fmt.Errorf("announce what was seeded: %w", err)
	}
	return s, nil
}

func (s *state) seedRoles(rights Rights, now time.Time) {
	at := s.tick(now)
	for _, p := range slices.Concat(systemPermissions, rights.Permissions) {
		s.Permissions = append(s.Permissions, permission{
			ID: s.freeID("perm", camel(p.Key)), Key: p.Key, Name: p.Name,
			Description: p.Description, CreatedAt: at, UpdatedAt: at,
		})
	}
	for _, r := range rights.Roles {
		at := s.tick(now)
		s.Roles = append(s.Roles, role{
			ID: s.freeID("role", camel(r.Key)), Key: r.Key, Name: r.Name, Description: r.Description,
			CreatorEligible: elevated(r.Permissions), Permissions: s.ordered(r.Permissions), CreatedAt: at, UpdatedAt: at,
		})
	}
}

// freeID is the seeded id of a name, or another one where a name that reads the
// same has it, as those of org:a_b:c and org:a:b_c do.
func (s *state) freeID(prefix, name string) string {
	id := seededID(prefix, name)
	if slices.ContainsFunc(s.Permissions, func(p permission) bool { return p.ID == id }) ||
		slices.ContainsFunc(s.Roles, func(r role) bool { return r.ID == id }) {
		return newID(prefix)
	}
	return id
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

// announce queues a created event for everything there is. Of invitations that
// is what is pending: nothing follows from the others any more.
func (s *state) announce(now time.Time) error {
	for _, p := range s.Permissions {
		if _, err := s.emit("permission.created", describePermission(p), now); err != nil {
			return err
		}
	}
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
	for _, i := range s.Invitations {
		if i.statusAt(now) != statusPending {
			continue
		}
		if _, err := s.emit("organizationInvitation.created", s.tellInvitation(i, now), now); err != nil {
			return err
		}
	}
	for _, m := range s.Memberships {
		if _, err := s.emit("organizationMembership.created", s.membershipBody(m, now), now); err != nil {
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
