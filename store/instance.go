package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Instance is what a database says of itself.
type Instance struct {
	// RequestRole and MirrorRole are the database roles that requests and the mirror run as.
	RequestRole string
	MirrorRole  string
	// ClerkIssuer is the Clerk instance whose organizations it holds; empty until the first start.
	ClerkIssuer string
}

var errNotMigrated = errors.New("the database has no Tenantry tables yet: run the migrations first (starting the server does it)")

// connectInstance connects as the login of url and reads what the database says of itself. The caller closes the connection.
func connectInstance(ctx context.Context, url string) (*pgx.Conn, Instance, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, Instance{}, err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // a pooler may stand in between
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, Instance{}, translate(err)
	}
	instance, err := readInstance(ctx, conn)
	if err != nil {
		conn.Close(ctx)
		return nil, Instance{}, err
	}
	return conn, instance, nil
}

func readInstance(ctx context.Context, conn *pgx.Conn) (Instance, error) {
	var instance Instance
	err := conn.QueryRow(ctx, "SELECT request_role, mirror_role, coalesce(clerk_issuer, '') FROM tenantry.instance").
		Scan(&instance.RequestRole, &instance.MirrorRole, &instance.ClerkIssuer)
	var pg *pgconn.PgError
	if errors.Is(err, pgx.ErrNoRows) || errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000") {
		return Instance{}, errNotMigrated
	}
	if errors.As(err, &pg) && pg.Code == "42501" {
		return Instance{}, fmt.Errorf("the login %q of DATABASE_URL may not use this database: %w", conn.Config().User, errGrant(ctx, conn))
	}
	return instance, translate(err)
}

func errGrant(ctx context.Context, conn *pgx.Conn) error {
	var name, login string
	if err := conn.QueryRow(ctx, "SELECT left(current_database(), 40), current_user").Scan(&name, &login); err != nil {
		return translate(err)
	}
	return fmt.Errorf("let the owner run: GRANT %s, %s TO %s", pgx.Identifier{name + "_request"}.Sanitize(),
		pgx.Identifier{name + "_mirror"}.Sanitize(), pgx.Identifier{login}.Sanitize())
}

// parseURL reads the URL of a database for a single connection. It takes what a URL may say of a pool, and leaves it out.
func parseURL(url string) (*pgx.ConnConfig, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errBadURL
	}
	return config.ConnConfig, nil
}

// Claim stamps the database with the Clerk instance whose organizations it holds, at its first use, as the owner's login
// of url; first says that this was it. Every login of a server may find the stamp to be right. It returns an error where
// the database holds another instance's, and where there is no stamp and the login may not make one.
func Claim(ctx context.Context, url, issuer string) (first bool, err error) {
	conn, instance, err := connectInstance(ctx, url)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	if instance.ClerkIssuer == "" {
		tag, err := conn.Exec(ctx, "UPDATE tenantry.instance SET clerk_issuer = $1 WHERE clerk_issuer IS NULL", issuer)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "42501" {
			return false, fmt.Errorf("the database belongs to no Clerk instance yet, and the login %q may not give it to one: run `tenantry migrate` "+
				"with CLERK_PUBLISHABLE_KEY and with DATABASE_MIGRATE_URL for the login that owns the tables", conn.Config().User)
		}
		if err != nil {
			return false, translate(err)
		}
		first = tag.RowsAffected() > 0
		if instance, err = readInstance(ctx, conn); err != nil {
			return false, err
		}
	}
	if instance.ClerkIssuer != issuer {
		return false, errOtherIssuer(instance.ClerkIssuer, issuer)
	}
	return first, nil
}

// CheckIssuer returns an error where the database holds another Clerk instance's organizations, or nobody's yet.
func (s *Store) CheckIssuer(issuer string) error {
	switch s.instance.ClerkIssuer {
	case issuer:
		return nil
	case "":
		return errors.New("this database belongs to no Clerk instance yet: start the server with it once")
	}
	return errOtherIssuer(s.instance.ClerkIssuer, issuer)
}

func errOtherIssuer(stamped, issuer string) error {
	return fmt.Errorf("this database holds the organizations of %s, but the configured Clerk instance is %s: "+
		"use another database, or the keys of that instance", stamped, issuer)
}
