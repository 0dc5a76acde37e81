package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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

// outcast is somebody whose token still lives and whose rights are gone.
type outcast struct{ name, userID, sessionID string }

var outcasts = []outcast{
	{"removed member", "user_removed", "sess_removed"},
	{"revoked session", "user_revoked", "sess_revoked"},
	{"deleted user", "user_deleted", "sess_deleted"},
	{"role taken away", "user_demoted", "sess_demoted"},
	{"banned user", "user_banned", "sess_banned"},
}

// outage is a server whose PostgreSQL is restarted and whose connections are terminated while requests come.
type outage struct {
	t        *testing.T
	database *crashDatabase
	copied   *copied
	parts    parts
	clerk    *instance
	tokens   map[string]string
	mintedAt time.Time
	mu       sync.Mutex
}

const outageCanary, outageLoot = "Canary of Acme", "Loot"

func newOutage(t *testing.T) *outage {
	t.Helper()
	o := &outage{t: t, database: newCrashDatabase(t), clerk: newInstance(t, "https://clerk.app.example")}
	url := o.database.url
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Claim(t.Context(), url, o.clerk.iss); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	scope := store.ScopeConnection
	if os.Getenv(dbtest.ScopeVariable) != "" { // without a pooler between, which would be a third thing to stop
		scope = store.ScopeTransaction
	}
	db, err := store.Open(t.Context(), store.Config{URL: url, MigrateURL: url, Scope: scope, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	o.parts = parts{store: db, mirror: mirror.New(db, mirror.Config{Logger: logger}), logger: logger}
	if o.parts.verifier, err = auth.NewVerifier(auth.Config{Issuer: o.clerk.iss, PEM: o.clerk.pem()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = o.parts.mirror.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; db.Close() })
	o.copied = &copied{t: t, store: db, mirror: o.parts.mirror}
	o.populate()
	return o
}

// populate has a live member and the outcasts join Acme, and takes the outcasts' rights away, an hour from now by Clerk's
// clock, so that no token of theirs is newer.
func (o *outage) populate() {
	o.t.Helper()
	c := o.copied
	c.organization("org_Acme", 0)
	for i, permissions := range [][]variables{{{"key": "org:documents:read"}, {"key": "org:documents:create"}}, {}} {
		c.receive("role.created", 0, variables{
			"id": fmt.Sprint("role_", i), "key": []string{"org:admin", "org:guest"}[i], "permissions": permissions,
			"created_at": at(0), "updated_at": at(0),
		})
	}
	title := outageCanary
	if _, err := c.store.Org("org_Acme").CreateDocument(o.t.Context(), models.Actor{UserID: "user_live"}, store.DocumentInput{Title: &title, Content: &title}); err != nil {
		o.t.Fatal(err)
	}
	everybody := append([]outcast{{"live member", "user_live", "sess_live"}}, outcasts...)
	for _, who := range everybody {
		c.user(who.userID, 0)
		c.member("created", "orgmem_"+who.userID, "org_Acme", who.userID, 1, 1)
	}
	handler := o.handler()
	for _, who := range everybody {
		if body := o.ask(handler, who, outageRead); !reached(body) {
			o.t.Fatalf("before: %s does not get through: %s", who.name, body)
		}
	}
	later := int(time.Since(began).Seconds()) + 3600
	c.member("deleted", "orgmem_user_removed", "org_Acme", "user_removed", 1, later)
	c.receive("session.revoked", later, variables{"id": "sess_revoked", "user_id": "user_revoked"})
	c.deleted("user", "user_deleted", later)
	c.receive("user.updated", later, variables{"id": "user_banned", "created_at": at(0), "updated_at": at(0), "banned": true})
	c.receive("organizationMembership.updated", later, variables{
		"id": "orgmem_user_demoted", "role": "org:guest", "created_at": at(1), "updated_at": at(later),
		"organization":     variables{"id": "org_Acme", "name": "org_Acme", "created_at": at(0), "updated_at": at(0)},
		"public_user_data": variables{"user_id": "user_demoted"},
	})
}

// handler is the server's own.
func (o *outage) handler() http.Handler {
	o.t.Helper()
	handler, err := graphql(cli.Config{}, o.parts)
	if err != nil {
		o.t.Fatal(err)
	}
	return handler
}

// tokenAlone is the rule that this replaced: where the facts cannot be had the token alone decides.
type tokenAlone struct{ facts }

func (f tokenAlone) Facts(ctx context.Context, organizationID, userID, sessionID, role string) (auth.Facts, error) {
	var known auth.Facts
	var err error
	for range 2 {
		if known, err = f.facts.Facts(ctx, organizationID, userID, sessionID, role); !errors.Is(err, auth.ErrNoFacts) {
			return known, err
		}
	}
	return auth.Facts{}, nil
}

// oldHandler does by the old rule what the requests of this test ask for.
func (o *outage) oldHandler() http.Handler {
	authenticator := auth.NewAuthenticator(o.parts.verifier, tokenAlone{facts{o.parts.mirror}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		var request struct{ Query string }
		_ = json.NewDecoder(r.Body).Decode(&request)
		viewer, err := authenticator.Viewer(ctx, r.Header["Authorization"])
		switch {
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasPrefix(request.Query, "mutation") && viewer.Has(auth.Requirement{Permission: "org:documents:create"}):
			title := outageLoot
			if _, err := o.parts.store.Org(viewer.OrganizationID()).CreateDocument(ctx, models.Actor{UserID: viewer.UserID}, store.DocumentInput{Title: &title, Content: &title}); err == nil {
				_, _ = fmt.Fprint(w, outageLoot)
			}
		case viewer.Has(auth.Requirement{Permission: "org:documents:read"}):
			if n, err := o.parts.store.Org(viewer.OrganizationID()).CountDocuments(ctx); err == nil && n > 0 {
				_, _ = fmt.Fprint(w, outageCanary)
			}
		}
	})
}

const (
	outageRead  = `{ organization { documents(first: 1) { nodes { title } } } }`
	outageWrite = `mutation { createDocument(input: {title: "` + outageLoot + `", content: "x"}) { document { title } } }`
)

// reached says whether an answer holds anything of the organization.
func reached(body string) bool {
	return strings.Contains(body, outageCanary) || strings.Contains(body, outageLoot)
}

// ask sends a request as somebody, with a token that lives.
func (o *outage) ask(handler http.Handler, who outcast, query string) string {
	body, err := json.Marshal(variables{"query": query})
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + o.token(who)}}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return fmt.Sprint(recorder.Code, " ", recorder.Body)
}

func (o *outage) token(who outcast) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.mintedAt) > 20*time.Second {
		o.tokens, o.mintedAt = map[string]string{}, time.Now()
	}
	if o.tokens[who.userID] == "" {
		o.tokens[who.userID] = o.clerk.tokenIn(who.sessionID, who.userID, "org_Acme", "")
	}
	return o.tokens[who.userID]
}

// outageTally is what became of the requests of a storm.
type outageTally struct {
	requests, through [5]atomic.Int64 // by outcast
	unavailable       atomic.Int64
	restarts          int
	slowest           time.Duration // from the database's return to the live member's answer
}

// storm has the outcasts ask until the first of them has asked so often, while all connections are terminated every 200 ms
// and PostgreSQL is restarted so often.
func (o *outage) storm(handler http.Handler, requests int64, restarts int, n *outageTally, meanwhile func() func()) {
	o.t.Helper()
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for worker := range 8 {
		asking.Go(func() {
			for turn := worker; ; turn++ {
				select {
				case <-stop:
					return
				case <-time.After(rand.N(4 * time.Millisecond)):
				}
				which := 0
				if turn%4 == 3 { // the removed member asks most
					which = 1 + turn/4%(len(outcasts)-1)
				}
				query := outageRead
				if rand.N(2) == 0 {
					query = outageWrite
				}
				body := o.ask(handler, outcasts[which], query)
				n.requests[which].Add(1)
				switch {
				case reached(body):
					n.through[which].Add(1)
				case strings.HasPrefix(body, "503"):
					n.unavailable.Add(1)
				}
			}
		})
	}
	for n.restarts < restarts || n.requests[0].Load() < requests {
		for range 10 {
			o.terminate()
			time.Sleep(200 * time.Millisecond)
		}
		if n.restarts < restarts {
			o.restart(n.restarts%2 == 1, meanwhile)
			n.restarts++
		}
	}
	close(stop)
	asking.Wait()
}

// terminate ends all connections but its own.
func (o *outage) terminate() {
	conn, err := pgx.Connect(o.t.Context(), o.database.url)
	if err != nil {
		o.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(o.t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		o.t.Fatal(err)
	}
}

// restart stops PostgreSQL and starts it again. meanwhile is called while it is away and returns what to do when it is back.
func (o *outage) restart(immediately bool, meanwhile func() func()) {
	o.t.Helper()
	if immediately {
		o.database.stopImmediately()
	} else if err := o.database.server.Stop(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
	after := meanwhile()
	o.database.start()
	after()
}

// waits has a live member ask while the database is away, who must not be answered before it is back, and then at once.
func (o *outage) waits(handler http.Handler, n *outageTally) func() func() {
	live := outcast{"live member", "user_live", "sess_live"}
	return func() func() {
		time.Sleep(time.Second) // until nothing is answered from memory any more
		answered := make(chan string, 1)
		go func() { answered <- o.ask(handler, live, `{ viewer { can(permission: "org:documents:read") } }`) }()
		time.Sleep(rand.N(500 * time.Millisecond))
		select {
		case body := <-answered:
			o.t.Errorf("the live member was answered without a database: %s", body)
		default:
		}
		return func() {
			back := time.Now()
			if body := <-answered; !strings.Contains(body, `"can":true`) {
				o.t.Errorf("the live member who waited is not let in: %s", body)
			}
			for body := ""; !reached(body); {
				if body = o.ask(handler, live, outageRead); time.Since(back) > 20*time.Second {
					o.t.Fatalf("the live member reaches nothing any more: %s", body)
				}
			}
			n.slowest = max(n.slowest, time.Since(back))
		}
	}
}

// Whose rights are gone gets nothing while the database is away, comes back, or cuts its connections, and who has rights
// is answered as soon as it is back. By the rule that the token decides where the facts are out of reach some get through.
func TestRemovedMemberWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	requests, restarts, within := int64(400), 2, 5*time.Second
	if os.Getenv("TENANTRY_PROVE") != "" {
		requests, restarts, within = 5000, 10, time.Second
	}
	o := newOutage(t)
	n, handler := new(outageTally), o.handler()
	o.storm(handler, requests, restarts, n, o.waits(handler, n))
	for i, who := range outcasts {
		t.Logf("%s: %d requests, %d through", who.name, n.requests[i].Load(), n.through[i].Load())
		if n.through[i].Load() > 0 {
			t.Errorf("%s got through", who.name)
		}
	}
	t.Logf("%d answers 503, %d restarts, a live member answered within %v of the database's return", n.unavailable.Load(), n.restarts, n.slowest)
	if n.slowest > within {
		t.Error("a live member waited too long")
	}
	conn := o.database.connect()
	if written := count(t, conn, "SELECT count(*) FROM documents"); written != 1 {
		t.Errorf("%d documents were written", written-1)
	}
	for _, who := range outcasts {
		for _, query := range []string{outageRead, outageWrite} {
			if body := o.ask(handler, who, query); reached(body) || strings.HasPrefix(body, "503") {
				t.Errorf("afterwards: %s: %s", who.name, body)
			}
		}
	}

	through := int64(0)
	for try := 0; try < 5 && through == 0; try++ {
		old := new(outageTally)
		o.storm(o.oldHandler(), requests, restarts, old, func() func() { return func() {} })
		for i, who := range outcasts {
			t.Logf("by the old rule %s: %d requests, %d through", who.name, old.requests[i].Load(), old.through[i].Load())
			through += old.through[i].Load()
		}
	}
	if through == 0 {
		t.Error("by the old rule nobody got through, so that the test shows nothing")
	}
}
