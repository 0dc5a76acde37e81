package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// EnsureDatabase makes the database name if there is none of that name yet, and says whether it did.
func (s *Server) EnsureDatabase(ctx context.Context, name string) (created bool, err error) {
	// PostgreSQL cuts longer names silently, so that two of them may be one.
	if name == "" || len(name) > 63 {
		return false, fmt.Errorf("a database's name has 1 to 63 bytes, %q has %d", name, len(name))
	}
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return false, fmt.Errorf("connect to the private PostgreSQL: %w", err)
	}
	defer conn.Close(ctx)
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return false, err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	var duplicate *pgconn.PgError
	if errors.As(err, &duplicate) && duplicate.Code == "42P04" {
		return false, nil // somebody else made it in between
	}
	return err == nil, err
}
