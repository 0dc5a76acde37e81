package mirror

import (
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// userBatch is the ledger of many users at once: it locks them in the order of their ids, and then reads all their
// memberships, which nobody else changes as long as it holds the users.
type userBatch struct {
	*store.MirrorTx
	users       map[string]store.MirrorUser
	memberships map[string][]store.MirrorMembership // by user
	written     map[string]bool
	members     memberPuts
}

func newUserBatch(tx *store.MirrorTx, readings []reading) (ledgerBatch, error) {
	b := &userBatch{MirrorTx: tx, memberships: map[string][]store.MirrorMembership{}, written: map[string]bool{}, members: memberPuts{}}
	ids := statedIDs(readings)
	var err error
	if b.users, err = tx.LockUsers(ids); err != nil {
		return nil, err
	}
	memberships, err := tx.MembershipsOf(ids)
	for _, m := range memberships {
		b.memberships[m.UserID] = append(b.memberships[m.UserID], m)
	}
	return b, err
}

func (b *userBatch) flush() error {
	rows := make([]store.MirrorUser, 0, len(b.written))
	for _, id := range slices.Sorted(maps.Keys(b.written)) {
		rows = append(rows, b.users[id])
	}
	if err := b.WriteUsers(rows); err != nil {
		return err
	}
	return b.members.flush(b.MirrorTx)
}

func (b *userBatch) LockUser(id string) (store.MirrorUser, error) {
	u, found := b.users[id]
	if !found {
		return u, errNotInBatch
	}
	return u, nil
}

func (b *userBatch) WriteUser(u store.MirrorUser) error {
	b.users[u.ID], b.written[u.ID] = u, true
	return nil
}

func (b *userBatch) UserMemberships(userID string) ([]store.MirrorMembership, error) {
	return b.memberships[userID], nil
}

// ForgetPerson is of deletions, which no list shows.
func (b *userBatch) ForgetPerson(string) error { return errNotInBatch }

// PutMember is left to flush.
func (b *userBatch) PutMember(_ string, m models.Member) error {
	b.members.put(m)
	return nil
}
