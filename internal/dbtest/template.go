package dbtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// preparing is the advisory lock under which templates are made: on a server of yours several test binaries may want the
// same one at once.
const preparing = 7_306_085_293

// prepare makes sure that the server has the migrated database name to copy from. It is marked as a template when it is
// whole, and nobody may connect to it then, as a database in use cannot be copied.
func prepare(ctx context.Context, server, name string, migrate func(ctx context.Context, url string) error) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // gives the lock back too
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", preparing); err != nil {
		return err
	}
	var whole bool
	err = conn.QueryRow(ctx, "SELECT datistemplate FROM pg_database WHERE datname = $1", name).Scan(&whole)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) || whole {
		return err
	}
	quoted := pgx.Identifier{name}.Sanitize()
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)", "CREATE DATABASE " + quoted} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := migrate(ctx, database(server, name)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s WITH IS_TEMPLATE true ALLOW_CONNECTIONS false", quoted))
	return err
}
