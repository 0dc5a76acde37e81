package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// errBadURL stands for the driver's own error, which repeats the URL and with it the password.
var errBadURL = errors.New("DATABASE_URL is not a PostgreSQL URL (postgres://user:password@host:5432/database)")

// translate turns what gorm and PostgreSQL say into the nouns' errors. Here their errors end: what is returned for
// anything unknown keeps the cause for the log, and is an internal error to clients.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return models.ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, models.ErrUnavailable):
		return err
	case sqlState(err) == "57014": // query_canceled, which statement_timeout raises, too
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	case unavailable(err):
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	return err
}

// sqlState returns the code of PostgreSQL's error, "" for an error that is not PostgreSQL's.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// unavailable reports whether the same call may work later: no connection can be made or it broke,
// or the server is stopping or starting, lacks a resource such as disk space or connections (class
// 53), only reads, as it does after a failover (25006), or waited too long for a lock (55P03).
func unavailable(err error) bool {
	code := sqlState(err)
	switch code {
	case "57P01", "57P02", "57P03", "08006", "08P01", "25006", "55P03":
		return true
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return strings.HasPrefix(code, "53") || errors.As(err, &network) || errors.As(err, &connect) && code == "" ||
		pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// away says whether an error means that the database cannot be reached, or is stopping or starting. That it, or a pooler
// before it, is full is another thing: then it would answer somebody else.
func away(err error) bool {
	if code := sqlState(err); code != "" {
		return code == "57P01" || code == "57P02" || code == "57P03"
	}
	return errors.Is(err, models.ErrUnavailable)
}

// broke reports whether a connection, the pooler's included, ended before the answer was there.
func broke(err error) bool { return away(err) || strings.HasPrefix(sqlState(err), "08") }

// again says whether a transaction was a victim of concurrency only: serialization_failure, deadlock_detected.
func again(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}
