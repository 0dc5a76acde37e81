package clerk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Population is how much Populate adds.
type Population struct {
	Organizations int
	Users         int
	// MembersEach is how many of the users each organization has. It must not
	// be more than there are.
	MembersEach int
}

// Populate adds an instance's worth of organizations, users and memberships
// that are an hour old and of which no event tells, as in an instance that was
// in use before anybody listened. The first member of each organization is its
// org:admin, the others are org:member. It may be called once for each
// instance; an error leaves everything as it was.
func (c *Clerk) Populate(p Population) error {
	if p.Organizations < 0 || p.Users < 0 || p.MembersEach < 0 || p.MembersEach > p.Users {
		return fmt.Errorf("local Clerk: %d members each of %d users cannot be", p.MembersEach, p.Users)
	}
	return c.update(func(s *state) error {
		if slices.ContainsFunc(s.Users, func(u user) bool { return strings.HasPrefix(u.Handle, populatedHandle) }) {
			return fmt.Errorf("local Clerk: it is populated already")
		}
		s.populate(p, c.now())
		return nil
	})
}

// populatedHandle begins the handles of users that Populate made.
const populatedHandle = "user-"

func (s *state) populate(p Population, now time.Time) {
	at := now.Add(-time.Hour).UnixMilli() - int64(p.Users+p.Organizations*(1+p.MembersEach))
	next := func() int64 { at++; return at }
	id := func(prefix string, i int) string { return seededID(prefix, fmt.Sprintf("Many%07d", i)) }
	for i := range p.Users {
		at := next()
		s.Users = append(s.Users, user{
			ID: id("user", i), Handle: fmt.Sprintf("%s%d", populatedHandle, i),
			FirstName: "User", LastName: fmt.Sprint(i),
			EmailID: id("idn", i), Email: fmt.Sprintf("user-%d@example.com", i), CreatedAt: at, UpdatedAt: at,
		})
	}
	for i := range p.Organizations {
		at := next()
		o := organization{
			ID: id("org", i), Slug: fmt.Sprintf("organization-%d", i), Name: fmt.Sprintf("Organization %d", i), CreatedAt: at, UpdatedAt: at,
		}
		role := "org:admin"
		for j := range p.MembersEach {
			// Users next to each other, from another one on in each.
			at, u := next(), id("user", (i*p.MembersEach+j)%p.Users)
			if j == 0 {
				o.CreatedBy = u
			}
			s.Memberships = append(s.Memberships, membership{
				ID: id("orgmem", i*p.MembersEach+j), OrganizationID: o.ID, UserID: u, Role: role, CreatedAt: at, UpdatedAt: at,
			})
			role = "org:member"
		}
		s.Organizations = append(s.Organizations, o)
	}
}
