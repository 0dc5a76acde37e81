package dbtest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// bypassLogin returns the URL with a login that is no superuser but has BYPASSRLS, as some managed databases give it: what
// keeps its requests to an organization is the role that they run as.
func bypassLogin(t testing.TB, ownerURL string) string {
	t.Helper()
	return grantedLogin(t, ownerURL, "tenantry_bypass", "LOGIN BYPASSRLS")
}

// ServingLogin returns the URL with a login that owns nothing and may act as the two roles of a server, which is the
// strictest setup of docs/operations.md.
func ServingLogin(t testing.TB, ownerURL string) string {
	t.Helper()
	parsed, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	return grantedLogin(t, ownerURL, strings.TrimPrefix(parsed.Path, "/")+"_web", "LOGIN") // dropped with the database
}

// grantedLogin makes a login, if it is missing, and grants it the two roles of a server.
func grantedLogin(t testing.TB, ownerURL, name, options string) string {
	t.Helper()
	owner, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	var request, mirror string
	onConnection(t, owner, func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), "SELECT request_role, mirror_role FROM tenantry.instance").Scan(&request, &mirror)
	})
	// Roles belong to the cluster, advisory locks to a database: everybody meets in this one.
	cluster := *owner
	cluster.Path = "/postgres"
	quoted := pgx.Identifier{name}.Sanitize()
	onConnection(t, &cluster, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `SELECT pg_advisory_xact_lock(7390125);
			DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '`+name+`') THEN
				CREATE ROLE `+quoted+` `+options+`; END IF; END $$;
			GRANT `+pgx.Identifier{request}.Sanitize()+`, `+pgx.Identifier{mirror}.Sanitize()+` TO `+quoted)
		return err
	})
	login := *owner
	login.User = url.User(name)
	return login.String()
}

// onConnection runs fn on a connection of its own.
func onConnection(t testing.TB, url *url.URL, fn func(conn *pgx.Conn) error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := fn(conn); err != nil {
		t.Fatal(err)
	}
}
