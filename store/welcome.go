package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// Welcome is run once for each organization, in the transaction in which the copy of Clerk first shows it by name. org is
// that organization's handle: what is done with it is done as requests do it, under row level security, and committed
// together with the organization or not at all. org must not be used after Welcome returned.
//
// A Welcome that fails, panics or takes longer than welcomeTime leaves nothing behind, and is run again later, after 1 s,
// 2 s, 4 s, up to 1 h, until it succeeds. As a transaction may also be repeated, it should do nothing that cannot be undone.
type Welcome func(ctx context.Context, org Org, organization models.Organization) error

// welcomeTime bounds a Welcome, and each of its statements, so that the copy of Clerk never waits for long.
const welcomeTime = 2 * time.Second

var (
	errWelcomeEnded = errors.New("store: the handle was used after the welcome ended")
	errWelcomePanic = errors.New("store: the welcome panicked")
)

// Welcome runs the configured Welcome for those of the organizations that had none yet. Their rows are locked and written.
// What fails is put off and is no error here: the copy of Clerk does not depend on it.
func (tx *MirrorTx) Welcome(organizations ...models.Organization) error {
	if tx.store.config.Welcome == nil || len(organizations) == 0 {
		return nil
	}
	ids := make([]string, len(organizations))
	for i, o := range organizations {
		ids[i] = o.OrganizationID
	}
	fresh, err := tx.strings(`INSERT INTO clerk.welcomes (organization_id, done_at)
		SELECT i, ?::timestamptz FROM json_array_elements_text(?::json) AS i ORDER BY i COLLATE "C"
		ON CONFLICT DO NOTHING RETURNING organization_id`, tx.store.now(), list(ids))
	if err != nil {
		return err
	}
	isFresh := make(map[string]bool, len(fresh))
	for _, id := range fresh {
		isFresh[id] = true
	}
	var failure error
	for _, o := range organizations {
		if !isFresh[o.OrganizationID] {
			continue
		}
		// Where one took all its time the others wait for another transaction, so that this one does not last.
		if !errors.Is(failure, context.DeadlineExceeded) {
			if failure, err = tx.welcome(o); err != nil {
				return err
			}
		}
		if failure != nil {
			if err := tx.putOffWelcome(o.OrganizationID, 0, failure); err != nil {
				return err
			}
		}
	}
	return nil
}

// DueWelcomes returns organizations whose Welcome failed and should be run again by now, the longest due first.
func (s *Store) DueWelcomes(ctx context.Context, limit int) (organizationIDs []string, err error) {
	if s.config.Welcome == nil {
		return nil, nil
	}
	err = s.Mirror(ctx, func(tx *MirrorTx) (err error) {
		organizationIDs, err = tx.strings("SELECT organization_id FROM clerk.welcomes WHERE done_at IS NULL AND next_at <= ? ORDER BY next_at LIMIT ?",
			s.now(), limit)
		return err
	})
	return organizationIDs, err
}

// WelcomeAgain runs a Welcome that is due, and does nothing where it no longer is. The organization's row is locked.
func (tx *MirrorTx) WelcomeAgain(organization models.Organization) error {
	var attempts []int
	err := tx.tx.db.Raw("SELECT attempts FROM clerk.welcomes WHERE organization_id = ? AND done_at IS NULL AND next_at <= ?",
		organization.OrganizationID, tx.store.now()).Scan(&attempts).Error
	if err != nil || len(attempts) == 0 {
		return err
	}
	failure, err := tx.welcome(organization)
	switch {
	case err != nil:
		return err
	case failure != nil:
		return tx.putOffWelcome(organization.OrganizationID, attempts[0], failure)
	}
	return tx.EndWelcome(organization.OrganizationID)
}

// EndWelcome notes that nothing is left to be run for an organization. Its row is locked.
func (tx *MirrorTx) EndWelcome(organizationID string) error {
	return tx.exec("UPDATE clerk.welcomes SET done_at = ? WHERE organization_id = ? AND done_at IS NULL", tx.store.now(), organizationID)
}

func (tx *MirrorTx) putOffWelcome(organizationID string, attempts int, failure error) error {
	const most, doublings = time.Hour, 12
	wait := min(time.Second<<min(attempts, doublings), most)
	tx.store.config.Logger.Error("store: the welcome of an organization failed; trying again",
		"organization_id", organizationID, "attempts", attempts+1, "wait", wait, "error", failure)
	return tx.exec("UPDATE clerk.welcomes SET done_at = NULL, attempts = ?, next_at = ? WHERE organization_id = ?",
		attempts+1, tx.store.now().Add(wait), organizationID)
}

// welcome runs the Welcome as the request role with the organization set, behind a savepoint. failure is the Welcome's and
// leaves the transaction as it was; after err it cannot go on.
func (tx *MirrorTx) welcome(organization models.Organization) (failure, err error) {
	s := tx.store
	if !organizationID.MatchString(organization.OrganizationID) {
		return nil, models.ErrNoOrganization
	}
	err = tx.exec("SAVEPOINT welcome; " + s.requests.local(organization.OrganizationID) +
		"; SET LOCAL statement_timeout = " + fmt.Sprint(welcomeTime.Milliseconds()))
	if err != nil {
		return nil, err
	}
	if failure = tx.callWelcome(organization); failure == nil {
		// What constraints put off to the commit would fail there, where it is the whole transaction that is undone.
		failure = tx.exec("SET CONSTRAINTS ALL IMMEDIATE; RELEASE SAVEPOINT welcome; " + s.mirror.local(""))
	}
	if failure != nil {
		// The role, the organization and the timeout come back as they were, too.
		err = tx.exec("ROLLBACK TO SAVEPOINT welcome; RELEASE SAVEPOINT welcome")
	}
	return failure, err
}

// callWelcome returns when the Welcome does or its time is over; one that does not heed its context is left to itself,
// without the handle.
func (tx *MirrorTx) callWelcome(organization models.Organization) error {
	ctx, cancel := context.WithTimeout(tx.tx.ctx, welcomeTime)
	defer cancel()
	inside := &within{ctx: tx.tx.ctx, db: tx.tx.db}
	defer inside.end()
	returned := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				tx.store.config.Logger.Error("store: a panic in a welcome", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
				returned <- errWelcomePanic
			}
		}()
		returned <- tx.store.config.Welcome(ctx, Org{store: tx.store, id: organization.OrganizationID, within: inside}, organization)
	}()
	select {
	case err := <-returned:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// within is the way of a handle that is bound to a transaction under way, whose role and organization are set.
type within struct {
	mu    sync.Mutex
	ctx   context.Context
	db    *gorm.DB
	ended bool
}

// one runs fn in the transaction. ctx is asked before, and not given to the statements: one that is cut off breaks the
// connection, and with it the transaction of others.
func (w *within) one(ctx context.Context, _ string, fn func(ctx context.Context, db *gorm.DB) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errWelcomeEnded
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return translate(fn(w.ctx, w.db))
}

// read is one: after a broken connection nothing of the transaction is left to go on with.
func (w *within) read(ctx context.Context, organizationID string, fn func(ctx context.Context, db *gorm.DB) error) error {
	return w.one(ctx, organizationID, fn)
}

// transaction is one, behind a savepoint: what fn did is undone where it returns an error.
func (w *within) transaction(ctx context.Context, organizationID string, fn func(ctx context.Context, tx *gorm.DB) error) error {
	return w.one(ctx, organizationID, func(ctx context.Context, db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error { return fn(ctx, tx) })
	})
}

// end waits for the statement under way and lets no other one begin.
func (w *within) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}
