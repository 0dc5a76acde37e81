package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// errBadURL stands for the driver's own error, which repeats the URL and with it the password.
var errBadURL = errors.New("DATABASE_URL is not a PostgreSQL URL (postgres://user:password@host:5432/database)")

// translate turns what gorm and PostgreSQL say into the nouns' errors. Here their errors end: what is returned for
// anything unknown keeps the cause for the log, and is an internal error to clients.
func translate(err error) error {
	var pg *pgconn.PgError
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return models.ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &pg) && pg.Code == "57014": // query_canceled, which statement_timeout raises, too
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	case errors.As(err, &pg) && unavailable[pg.Code], errors.As(err, &network), pgconn.SafeToRetry(err), broken(err):
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	return err
}

// broken reports whether the connection ended in the middle of an exchange, without a word from the server.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}

// The server is going down, starting, or full: the same call may work later.
var unavailable = map[string]bool{"57P01": true, "57P02": true, "57P03": true, "53300": true, "08006": true, "08P01": true}

// again says whether a transaction was a victim of concurrency only: serialization_failure, deadlock_detected.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
