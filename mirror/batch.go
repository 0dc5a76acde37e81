package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// batchSize is how many memberships one transaction merges: it holds as many users.
const batchSize = 100

// errNotInBatch says that a change needs a lock that would come too late.
var errNotInBatch = errors.New("mirror: not to be merged in a batch")

// batch is the ledger of many memberships at once: it locks all their users, then all of them, each in the order of their
// ids, has the changes applied to what it read, and writes what they made. A few statements stand for many, and what is
// decided is decided by the same code.
type batch struct {
	*store.MirrorTx
	organizations map[string]store.MirrorOrganization
	users         map[string]store.MirrorUser
	memberships   map[string]store.MirrorMembership
	written       map[string]bool
	members       map[string]map[string]models.Member // by organization and user
}

// applyMemberships merges in one transaction, or not at all.
func (m *Mirror) applyMemberships(ctx context.Context, readings []reading) error {
	return m.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		b, err := newBatch(tx, readings)
		if err != nil {
			return err
		}
		for _, r := range readings {
			if err := r.change.apply(b); err != nil {
				return err
			}
		}
		return b.flush()
	})
}

func newBatch(tx *store.MirrorTx, readings []reading) (*batch, error) {
	b := &batch{MirrorTx: tx, written: map[string]bool{}, members: map[string]map[string]models.Member{}}
	var ids, users, organizations []string
	var pairs [][2]string
	for _, r := range readings {
		c := r.change.(membershipChange)
		ids, users, organizations = append(ids, c.id), append(users, c.userID), append(organizations, c.organizationID)
		pairs = append(pairs, [2]string{c.organizationID, c.userID})
	}
	var err error
	if b.organizations, err = tx.OrganizationsByID(organizations); err != nil {
		return nil, err
	}
	if b.users, err = tx.LockUsers(users); err != nil {
		return nil, err
	}
	if b.memberships, err = tx.LockMemberships(ids); err != nil {
		return nil, err
	}
	others, err := tx.IncarnationsOf(pairs)
	for _, m := range others {
		b.memberships[m.ID] = m
	}
	return b, err
}

func (b *batch) flush() error {
	rows := make([]store.MirrorMembership, 0, len(b.written))
	for id := range b.written {
		rows = append(rows, b.memberships[id])
	}
	if err := b.WriteMemberships(rows); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(b.members)) {
		members := slices.Collect(maps.Values(b.members[id]))
		if err := b.MirrorTx.InOrganization(id, func() error { return b.PutMembers(members) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) Organization(id string) (store.MirrorOrganization, bool, error) {
	o, found := b.organizations[id]
	return o, found, nil
}

func (b *batch) LockOrganization(string) (store.MirrorOrganization, error) {
	return store.MirrorOrganization{}, errNotInBatch // it comes before the users
}

func (b *batch) LockUser(id string) (store.MirrorUser, error) { return b.users[id], nil }

func (b *batch) LockMembership(id string) (store.MirrorMembership, error) {
	return b.memberships[id], nil
}

func (b *batch) WriteMembership(m store.MirrorMembership) error {
	b.memberships[m.ID], b.written[m.ID] = m, true
	return nil
}

func (b *batch) Incarnations(organizationID, userID string) (found []store.MirrorMembership, err error) {
	for _, m := range b.memberships {
		if m.OrganizationID == organizationID && m.UserID == userID {
			found = append(found, m)
		}
	}
	return found, nil
}

// PutMember is left to flush, which names each organization once.
func (b *batch) PutMember(_ string, m models.Member) error {
	if b.members[m.OrganizationID] == nil {
		b.members[m.OrganizationID] = map[string]models.Member{}
	}
	b.members[m.OrganizationID][m.UserID] = m
	return nil
}
