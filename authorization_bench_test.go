package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

const pageOf25 = `{ organization { documents { nodes { id title author { id name role } } edges { cursor node { id author { name } } } pageInfo { hasNextPage endCursor } } } }`

// BenchmarkAuthorization is what a request's authorization takes, from the header to the viewer, and the request for a
// page of 25 documents with their authors around it: with the facts in memory, and with those of the database.
func BenchmarkAuthorization(b *testing.B) {
	for _, source := range []string{"memory", "database"} {
		b.Run(source, func(b *testing.B) {
			parts, token := benchmarkParts(b, source == "memory")
			authenticator := auth.NewAuthenticator(parts.verifier, facts{parts.mirror})
			header := []string{"Bearer " + token}
			b.Run("viewer", func(b *testing.B) {
				ctx, statements := store.WithStatementCount(b.Context())
				b.ReportAllocs()
				for b.Loop() {
					if v, err := authenticator.Viewer(ctx, header); err != nil || !v.Has(auth.Requirement{Permission: "org:sys_memberships:read"}) {
						b.Fatal(v, err)
					}
				}
				b.ReportMetric(float64(statements())/float64(b.N), "statements/op")
			})
			handler, err := graphql(cli.Config{}, parts)
			if err != nil {
				b.Fatal(err)
			}
			body, err := json.Marshal(variables{"query": pageOf25})
			if err != nil {
				b.Fatal(err)
			}
			b.Run("page", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
					request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": header}
					recorder := httptest.NewRecorder()
					handler.ServeHTTP(recorder, request)
					if recorder.Code != 200 || strings.Contains(recorder.Body.String(), "errors") {
						b.Fatal(recorder.Body)
					}
				}
			})
		})
	}
}

// benchmarkParts are a server's, without the server: Acme with 30 documents of as many authors, an admin whose role the
// copy of Clerk knows, and a token of theirs. Facts come from memory where the copy hears of changes.
func benchmarkParts(b *testing.B, inMemory bool) (p parts, token string) {
	b.Helper()
	const acme = "org_Acme"
	config := dbtest.Config(b)
	owner := dbtest.OwnerURL(config)
	p = parts{store: dbtest.OpenWith(b, config), logger: slog.New(slog.DiscardHandler)}
	dbtest.Organization(b, owner, models.Organization{OrganizationID: acme, Name: "Acme"})
	for i := range 30 {
		author := fmt.Sprint("user_author", i)
		dbtest.Member(b, owner, models.Member{OrganizationID: acme, UserID: author})
		dbtest.Document(b, p.store.Org(acme), models.Document{AuthorID: author})
	}
	conn, err := pgx.Connect(b.Context(), owner)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if _, err := conn.Exec(b.Context(), `
		INSERT INTO clerk.organizations (id, name, created_at) VALUES ('org_Acme', 'Acme', 1);
		INSERT INTO clerk.users (id, created_at) VALUES ('user_Live', 1);
		INSERT INTO clerk.memberships (id, organization_id, user_id, role, created_at) VALUES ('orgmem_Live', 'org_Acme', 'user_Live', 'org:admin', 1);
		INSERT INTO clerk.roles (id, key, permissions, created_at) VALUES ('role_1', 'org:admin', '{org:documents:read,org:documents:create,org:sys_memberships:read}', 1)`); err != nil {
		b.Fatal(err)
	}
	const issuer = "https://clerk.app.example"
	clerk := newInstance(b, issuer)
	if p.verifier, err = auth.NewVerifier(auth.Config{Issuer: issuer, PEM: clerk.pem()}); err != nil {
		b.Fatal(err)
	}
	p.mirror = mirror.New(p.store, mirror.Config{Logger: p.logger})
	if inMemory {
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = p.mirror.Run(ctx) }()
		b.Cleanup(func() { cancel(); <-done })
		time.Sleep(time.Second) // until the copy has heard for the first time that nothing changed
	}
	return p, clerk.token(acme, "")
}
