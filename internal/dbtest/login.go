package dbtest

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
)

// bypassLogin returns the URL with a login that is no superuser but has BYPASSRLS, as some managed databases give it: what
// keeps its requests to an organization is the role that they run as.
func bypassLogin(t testing.TB, ownerURL string) string {
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
	onConnection(t, &cluster, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `SELECT pg_advisory_xact_lock(7390125);
			DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_bypass') THEN
				CREATE ROLE tenantry_bypass LOGIN BYPASSRLS; END IF; END $$;
			GRANT `+pgx.Identifier{request}.Sanitize()+`, `+pgx.Identifier{mirror}.Sanitize()+` TO tenantry_bypass`)
		return err
	})
	login := *owner
	login.User = url.User("tenantry_bypass")
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
