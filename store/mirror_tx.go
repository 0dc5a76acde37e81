package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tenantry/tenantry/models"
)

// ErrUnstorable says that PostgreSQL refuses a value, and will however often it is asked.
var ErrUnstorable = errors.New("store: a value that PostgreSQL refuses")

// MirrorTx is one transaction of the copy of Clerk. It offers rows, locked, read and written; what is to become of them
// the mirror decides. Locks are taken in the order organization, user, membership.
type MirrorTx struct {
	tx    *mirrorTx
	store *Store
	// changes are the facts that it changed.
	changes []Change
}

// touch notes that facts changed, for whoever keeps them in memory in this process; triggers note it for the others.
func (tx *MirrorTx) touch(c Change) { tx.changes = append(tx.changes, c) }

// Mirror runs fn in one transaction and commits if fn returns nil. It may run fn more than once, so fn must be
// repeatable. Errors: models.ErrUnavailable, ErrUnstorable, and what fn returns.
func (s *Store) Mirror(ctx context.Context, fn func(tx *MirrorTx) error) error {
	var changes []Change
	err := s.asMirror(ctx, func(tx *mirrorTx) error {
		mirrored := &MirrorTx{tx: tx, store: s}
		err := fn(mirrored)
		changes = mirrored.changes
		return err
	})
	if len(changes) > 0 {
		// Also after an error, which can hide that the commit succeeded.
		s.tell(changes)
	}
	var pg *pgconn.PgError
	// Class 22 is about data, 54 about sizes. The text is left out, as it can quote the value.
	if errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "54")) {
		return fmt.Errorf("%w (SQLSTATE %s)", ErrUnstorable, pg.Code)
	}
	return err
}

// InOrganization runs fn with the organization named, so that its owned rows can be read, and no other's; afterwards
// none can. Returns models.ErrNoOrganization for what is no organization's id.
func (tx *MirrorTx) InOrganization(id string, fn func() error) error {
	if !organizationID.MatchString(id) {
		return models.ErrNoOrganization
	}
	const setting = "SET LOCAL tenantry.organization = "
	if err := tx.exec(setting + quote(id)); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	return tx.exec(setting + quote(""))
}

func (tx *MirrorTx) exec(query string, values ...any) error {
	return tx.tx.db.Exec(query, values...).Error
}

func (tx *MirrorTx) row(query string, values ...any) *sql.Row {
	return tx.tx.db.Raw(query, values...).Row()
}

// lock reads the columns of one of the mirror's rows and keeps others from changing it until the end of the
// transaction. Where there is no row it inserts a bare one, all in one round trip.
func (tx *MirrorTx) lock(table, columns, id string, targets ...any) error {
	query := "WITH made AS (INSERT INTO clerk." + table + " (id) VALUES (?) ON CONFLICT DO NOTHING RETURNING " + columns + ") " +
		"SELECT * FROM made UNION ALL SELECT * FROM (SELECT " + columns + " FROM clerk." + table + " WHERE id = ? FOR UPDATE) AS locked"
	for {
		err := tx.row(query, id, id).Scan(targets...)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		// Somebody else inserted it since the statement began, which sees neither row; theirs is committed now.
	}
}
