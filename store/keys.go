package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Keys keeps the key set of a Clerk instance, which only the mirror's role can read or write.
type Keys struct {
	store  *Store
	issuer string
}

// Keys returns those of an issuer.
func (s *Store) Keys(issuer string) Keys { return Keys{store: s, issuer: issuer} }

// KeptKeys returns the set that was kept last, nil where there is none.
func (k Keys) KeptKeys(ctx context.Context) (body []byte, fetched time.Time, err error) {
	err = k.store.Mirror(ctx, func(tx *MirrorTx) error {
		err := tx.row("SELECT body, fetched_at FROM clerk.key_sets WHERE issuer = ?", k.issuer).Scan(&body, &fetched)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return body, fetched, err
}

// KeepKeys puts a set in the place of an older one.
func (k Keys) KeepKeys(ctx context.Context, body []byte, fetched time.Time) error {
	return k.store.Mirror(ctx, func(tx *MirrorTx) error {
		return tx.exec(`INSERT INTO clerk.key_sets AS k (issuer, body, fetched_at) VALUES (?, ?, ?) ON CONFLICT (issuer) DO UPDATE
			SET body = excluded.body, fetched_at = excluded.fetched_at WHERE k.fetched_at < excluded.fetched_at OR k.fetched_at > now()`, k.issuer, body, fetched)
	})
}
