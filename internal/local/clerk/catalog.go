package clerk

import (
	"cmp"
	"slices"
	"time"
)

// catalog is a state sorted and indexed for reading: everything newest first,
// as the Backend API lists it, and by id where of one age. It is made once for
// each state, because an instance may have many thousand memberships.
type catalog struct {
	state *state

	permissions   []permission
	roles         []role
	users         []user
	organizations []organization
	memberships   []membership
	invitations   []invitation

	userByID         map[string]user
	organizationByID map[string]organization
	roleByKey        map[string]role

	ofOrganization map[string][]membership
	ofUser         map[string][]membership
	invitationsOf  map[string][]invitation // by organization
	now            func() time.Time        // by which invitations expire
}

// newestCatalog gives the catalog of the newest state.
func (c *Clerk) newestCatalog() *catalog {
	newest := c.current.Load()
	if made := c.reading.Load(); made != nil && made.state == newest {
		return made
	}
	// Two readers may make one each, of the same state.
	made := newCatalog(newest, c.now)
	c.reading.Store(made)
	return made
}

func newCatalog(s *state, now func() time.Time) *catalog {
	k := &catalog{
		state:            s,
		permissions:      newestFirst(s.Permissions, func(p permission) (int64, string) { return p.CreatedAt, p.ID }),
		roles:            newestFirst(s.Roles, func(r role) (int64, string) { return r.CreatedAt, r.ID }),
		users:            newestFirst(s.Users, func(u user) (int64, string) { return u.CreatedAt, u.ID }),
		organizations:    newestFirst(s.Organizations, func(o organization) (int64, string) { return o.CreatedAt, o.ID }),
		memberships:      newestFirst(s.Memberships, func(m membership) (int64, string) { return m.CreatedAt, m.ID }),
		invitations:      newestFirst(s.Invitations, func(i invitation) (int64, string) { return i.CreatedAt, i.ID }),
		userByID:         make(map[string]user, len(s.Users)),
		organizationByID: make(map[string]organization, len(s.Organizations)),
		roleByKey:        make(map[string]role, len(s.Roles)),
		ofOrganization:   make(map[string][]membership, len(s.Organizations)),
		ofUser:           make(map[string][]membership, len(s.Users)),
		invitationsOf:    map[string][]invitation{},
		now:              now,
	}
	for _, u := range s.Users {
		k.userByID[u.ID] = u
	}
	for _, o := range s.Organizations {
		k.organizationByID[o.ID] = o
	}
	for _, r := range s.Roles {
		k.roleByKey[r.Key] = r
	}
	for _, m := range k.memberships {
		k.ofOrganization[m.OrganizationID] = append(k.ofOrganization[m.OrganizationID], m)
		k.ofUser[m.UserID] = append(k.ofUser[m.UserID], m)
	}
	for _, i := range k.invitations {
		k.invitationsOf[i.OrganizationID] = append(k.invitationsOf[i.OrganizationID], i)
	}
	return k
}

// counts are those that objects here show of an organization.
func (k *catalog) counts(organizationID string) counts {
	return counts{len(k.ofOrganization[organizationID]), pending(k.invitationsOf[organizationID], k.now())}
}

func newestFirst[T any](all []T, age func(T) (createdAt int64, id string)) []T {
	return slices.SortedFunc(slices.Values(all), func(a, b T) int {
		createdA, idA := age(a)
		createdB, idB := age(b)
		return cmp.Or(cmp.Compare(createdB, createdA), cmp.Compare(idA, idB))
	})
}
