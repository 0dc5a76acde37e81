package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/mirror"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// copied is a mirror, the store behind it, and what a request of somebody would be told.
type copied struct {
	t      *testing.T
	store  *store.Store
	mirror *mirror.Mirror
	owner  *pgx.Conn
	sent   int
}

// began is when everything in these tests begins, by Clerk's clock; events name seconds after it.
var began = time.UnixMilli(1_782_900_000_000)

func at(seconds int) int64 { return began.Add(time.Duration(seconds) * time.Second).UnixMilli() }

// newCopy has Ada and Max in Acme and Ada in Globex, and a document of each organization.
func newCopy(t *testing.T) *copied {
	t.Helper()
	config := dbtest.Config(t)
	owner, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { owner.Close(context.Background()) })
	db := dbtest.OpenWith(t, config)
	c := &copied{t: t, store: db, mirror: mirror.New(db, mirror.Config{}), owner: owner}
	for _, organization := range []string{"org_acme", "org_globex"} {
		c.organization(organization, 0)
		title := "Plan of " + organization
		if _, err := db.Org(organization).CreateDocument(t.Context(), models.Actor{UserID: "user_ada"}, store.DocumentInput{Title: &title, Content: &title}); err != nil {
			t.Fatal(err)
		}
	}
	c.user("user_ada", 0)
	c.user("user_max", 0)
	c.member("created", "orgmem_1", "org_acme", "user_ada", 1, 1)
	c.member("created", "orgmem_2", "org_acme", "user_max", 1, 1)
	c.member("created", "orgmem_3", "org_globex", "user_ada", 1, 1)
	return c
}

func (c *copied) receive(kind string, seconds int, data variables) {
	c.t.Helper()
	c.sent++
	body, err := json.Marshal(variables{"type": kind, "timestamp": at(seconds), "data": data})
	if err != nil {
		c.t.Fatal(err)
	}
	outcome, err := c.mirror.Receive(c.t.Context(), mirror.Message{ID: fmt.Sprint("msg_", c.sent), Body: body, Received: time.Now()})
	if err != nil || outcome.Result != mirror.Applied {
		c.t.Fatalf("%s: %v, %v", kind, outcome, err)
	}
}

func (c *copied) organization(id string, created int) {
	c.t.Helper()
	c.receive("organization.created", created, variables{"id": id, "name": id, "created_at": at(created), "updated_at": at(created)})
}

func (c *copied) user(id string, created int) {
	c.t.Helper()
	c.receive("user.created", created, variables{"id": id, "first_name": id, "created_at": at(created), "updated_at": at(created)})
}

func (c *copied) deleted(noun, id string, seconds int) {
	c.t.Helper()
	c.receive(noun+".deleted", seconds, variables{"id": id, "deleted": true})
}

func (c *copied) member(what, id, organizationID, userID string, created, seconds int) {
	c.t.Helper()
	c.receive("organizationMembership."+what, seconds, variables{
		"id": id, "role": "org:admin", "created_at": at(created), "updated_at": at(created),
		"organization":     variables{"id": organizationID, "name": organizationID, "created_at": at(0), "updated_at": at(0)},
		"public_user_data": variables{"user_id": userID, "first_name": userID},
	})
}

// reaches is what a request with a token of that second gets: the titles of the organization's documents, or why none.
func (c *copied) reaches(organizationID, userID string, seconds int) string {
	c.t.Helper()
	claims := &auth.Claims{
		UserID: userID, SessionID: "sess_1", IssuedAt: time.UnixMilli(at(seconds)), ExpiresAt: time.UnixMilli(at(seconds + 60)), Version: 2,
		Organization: &auth.ActiveOrganization{ID: organizationID, Role: "org:admin", Permissions: []string{"org:documents:read"}},
	}
	known, err := facts{c.mirror}.Facts(c.t.Context(), organizationID, userID, claims.SessionID, "")
	if err != nil {
		c.t.Fatal(err)
	}
	viewer, err := auth.Correct(claims, known)
	var refusal *auth.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Reason
	case err != nil:
		c.t.Fatal(err)
	case viewer.Organization == nil:
		return viewer.NoOrganizationReason
	}
	count, err := c.store.Org(viewer.Organization.ID).CountDocuments(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprintf("%d documents of %s", count, viewer.Organization.ID)
}

// documents is every row of the table, byte by byte.
func (c *copied) documents() (rows string) {
	c.t.Helper()
	if err := c.owner.QueryRow(c.t.Context(), "SELECT string_agg(d::text || xmin || ctid, E'\\n' ORDER BY id) FROM documents AS d").Scan(&rows); err != nil {
		c.t.Fatal(err)
	}
	return rows
}

// expect compares what requests reach, and that no document was touched.
func (c *copied) expect(when, documents string, want map[string]string) {
	c.t.Helper()
	for who, want := range want {
		var organization, user string
		var seconds int
		if _, err := fmt.Sscan(who, &organization, &user, &seconds); err != nil {
			c.t.Fatal(err)
		}
		if got := c.reaches("org_"+organization, "user_"+user, seconds); got != want {
			c.t.Errorf("%s: %s gets %s, want %s", when, who, got, want)
		}
	}
	if now := c.documents(); now != documents || strings.Count(now, "Plan of") < 2 {
		c.t.Errorf("%s: the documents were\n%s\nand are\n%s", when, documents, now)
	}
}

const (
	ofAcme, ofGlobex = "1 documents of org_acme", "1 documents of org_globex"
)

func TestADeletedOrganizationIsUnreachableAndKeepsItsDocuments(t *testing.T) {
	t.Parallel()
	for _, cascades := range []bool{false, true} {
		t.Run(fmt.Sprint("Clerk deletes memberships with it: ", cascades), func(t *testing.T) {
			t.Parallel()
			c := newCopy(t)
			before := c.documents()
			c.expect("before", before, map[string]string{"acme ada 50": ofAcme, "acme max 50": ofAcme, "globex ada 50": ofGlobex})

			c.deleted("organization", "org_acme", 100)
			if cascades {
				c.member("deleted", "orgmem_1", "org_acme", "user_ada", 1, 100)
				c.member("deleted", "orgmem_2", "org_acme", "user_max", 1, 100)
			}
			// At once, however young the token is; the other organization of the same person is not touched.
			gone := map[string]string{
				"acme ada 99": auth.ReasonOrganizationDeleted, "acme max 101": auth.ReasonOrganizationDeleted,
				"acme ada 9000": auth.ReasonOrganizationDeleted, "globex ada 99": ofGlobex, "globex ada 101": ofGlobex,
			}
			c.expect("deleted", before, gone)
			// What happened before and arrives late brings nothing back.
			c.organization("org_acme", 0)
			c.receive("organization.updated", 99, variables{"id": "org_acme", "name": "Late", "created_at": at(0), "updated_at": at(99)})
			c.member("created", "orgmem_1", "org_acme", "user_ada", 1, 1)
			c.member("created", "orgmem_9", "org_acme", "user_ada", 98, 98)
			c.expect("late events", before, gone)

			// An organization under the same id that was made after the deletion is a restored one.
			c.organization("org_acme", 200)
			if !cascades {
				c.expect("restored", before, map[string]string{"acme ada 201": ofAcme, "acme max 201": ofAcme, "globex ada 201": ofGlobex})
				return
			}
			if got := c.reaches("org_acme", "user_max", 102); got != auth.ReasonMembershipEnded {
				t.Errorf("restored, but Max's membership is over: %s", got)
			}
			c.member("created", "orgmem_4", "org_acme", "user_max", 210, 210)
			c.expect("joined again", before, map[string]string{"acme max 211": ofAcme, "globex ada 211": ofGlobex})
		})
	}
}

func TestADeletedUserIsRefusedAndTheirDocumentsStay(t *testing.T) {
	t.Parallel()
	c := newCopy(t)
	before := c.documents()
	c.deleted("user", "user_ada", 100)
	gone := map[string]string{
		"acme ada 99": auth.ReasonUserDeleted, "globex ada 9000": auth.ReasonUserDeleted,
		"acme max 99": ofAcme, "acme max 101": ofAcme, // what she wrote is still read by others
	}
	c.expect("deleted", before, gone)
	c.user("user_ada", 0)
	c.member("created", "orgmem_1", "org_acme", "user_ada", 1, 1)
	c.member("created", "orgmem_9", "org_acme", "user_ada", 99, 99)
	c.expect("late events", before, gone)
	c.user("user_ada", 200)
	c.expect("restored", before, map[string]string{"acme ada 201": ofAcme, "globex ada 201": ofGlobex, "acme max 201": ofAcme})
}

func TestARemovedMemberReachesNothingUntilJoiningAgain(t *testing.T) {
	t.Parallel()
	c := newCopy(t)
	before := c.documents()
	c.member("deleted", "orgmem_1", "org_acme", "user_ada", 1, 100)
	c.expect("removed", before, map[string]string{"acme ada 99": auth.ReasonMembershipEnded, "acme max 99": ofAcme, "globex ada 99": ofGlobex})
	c.member("created", "orgmem_4", "org_acme", "user_ada", 200, 200)
	c.expect("joined again", before, map[string]string{"acme ada 201": ofAcme, "acme max 201": ofAcme, "globex ada 201": ofGlobex})
}

// The same through the doors of a running server, with tokens that live.
func TestDeletionsThroughTheDoors(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	secret, instanceID := p.clerkSecrets()
	send := func(kind string, data variables) {
		t.Helper()
		now := time.Now()
		body, err := json.Marshal(variables{"object": "event", "type": kind, "timestamp": now.UnixMilli(), "instance_id": instanceID, "data": data})
		if err != nil {
			t.Fatal(err)
		}
		if status, _, text := p.do(http.MethodPost, webhookPath, delivery(t, secret, "msg_"+kind, now, body), body); status != http.StatusNoContent {
			t.Fatalf("%s: %d %s", kind, status, text)
		}
	}
	const query = `{ organization { documents { totalCount } } }`
	ada, max, gus := p.token("ada", "acme"), p.token("max", "acme"), p.token("gus", "globex")
	answers := func(when, token string, status int, code, reason string) {
		t.Helper()
		got := p.ask(token, query, nil)
		var extension any
		if len(got.Errors) > 0 {
			extension = got.Errors[0].Extensions["reason"]
		}
		if got.Status != status || got.Code() != code || reason != "" && extension != reason {
			t.Errorf("%s: %d %s", when, got.Status, got)
		}
	}
	answers("before", ada, 200, "", "")
	send("session.revoked", variables{"id": sessionOf(t, ada), "status": "revoked", "user_id": "user_2LocalAda0000000000000000000"})
	answers("her session is over", ada, 401, "UNAUTHENTICATED", "")
	answers("his is not", max, 200, "", "")
	send("organization.deleted", variables{"id": "org_2LocalAcme000000000000000000", "deleted": true})
	answers("deleted", max, 200, "NO_ACTIVE_ORGANIZATION", "ORGANIZATION_DELETED")
	answers("another organization", gus, 200, "", "")
	send("user.deleted", variables{"id": "user_2LocalGus0000000000000000000", "deleted": true})
	answers("a deleted user", gus, 401, "UNAUTHENTICATED", "")
	var kept int
	if err := p.owner().QueryRow(t.Context(), "SELECT count(*) FROM documents").Scan(&kept); err != nil || kept != 35 {
		t.Errorf("%d of 35 documents are kept, %v", kept, err)
	}
}

// sessionOf is the session that a token names.
func sessionOf(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Sid string }
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Sid == "" {
		t.Fatalf("%v: %s", err, payload)
	}
	return claims.Sid
}
