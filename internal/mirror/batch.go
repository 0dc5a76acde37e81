package mirror

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// batchSize is how many organizations, users or memberships one transaction merges. Of memberships it holds as many users, too.
const batchSize = 100

// errNotInBatch says that a change needs a lock that would come too late.
var errNotInBatch = errors.New("mirror: not to be merged in a batch")

// ledgerBatch is a ledger that locks all its rows at the start, in the order of their ids, has the changes applied to
// what it read, and writes what they made in flush. A few statements stand for many, and what is decided is decided by the
// same code.
type ledgerBatch interface {
	ledger
	flush() error
}

// batches has how rows of a kind are merged many at once; other kinds are few.
var batches = map[store.MirrorKind]func(tx *store.MirrorTx, readings []reading) (ledgerBatch, error){
	store.MirrorOrganizations: newOrganizationBatch,
	store.MirrorUsers:         newUserBatch,
	store.MirrorMemberships:   newMembershipBatch,
}

// applyBatch merges readings of a kind that batches has, in one transaction, or none of them.
func (m *Mirror) applyBatch(ctx context.Context, k kind, readings []reading) error {
	return m.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		b, err := batches[k.name](tx, readings)
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

func statedIDs(readings []reading) []string {
	ids := make([]string, len(readings))
	for i, r := range readings {
		ids[i] = r.statement.id
	}
	return ids
}

// memberPuts are what requests read of members, by organization and user, to be written when all is decided.
type memberPuts map[string]map[string]models.Member

func (p memberPuts) put(m models.Member) {
	if p[m.OrganizationID] == nil {
		p[m.OrganizationID] = map[string]models.Member{}
	}
	p[m.OrganizationID][m.UserID] = m
}

// flush names each organization once.
func (p memberPuts) flush(tx *store.MirrorTx) error {
	for _, id := range slices.Sorted(maps.Keys(p)) {
		members := slices.Collect(maps.Values(p[id]))
		var err error
		if len(members) == 1 { // which is one statement in the place of three
			err = tx.PutMember(id, members[0])
		} else {
			err = tx.InOrganization(id, func() error { return tx.PutMembers(members) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batch is the ledger of many memberships at once: it locks all their users, then all of them.
type batch struct {
	*store.MirrorTx
	organizations map[string]store.MirrorOrganization
	users         map[string]store.MirrorUser
	memberships   map[string]store.MirrorMembership
	written       map[string]bool
	members       memberPuts
}

func newMembershipBatch(tx *store.MirrorTx, readings []reading) (ledgerBatch, error) {
	b := &batch{MirrorTx: tx, written: map[string]bool{}, members: memberPuts{}}
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
	return b.members.flush(b.MirrorTx)
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

// PutMember is left to flush.
func (b *batch) PutMember(_ string, m models.Member) error {
	b.members.put(m)
	return nil
}
