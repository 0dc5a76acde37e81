package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// replicas are two servers with live keys on one database, and the Clerk that they belong to.
type replicas struct {
	t       *testing.T
	clerk   *instance
	servers [2]*program
	serial  atomic.Int64
	// load counts the requests that were answered beside the test's own.
	load atomic.Int64
}

func startReplicas(t *testing.T) *replicas {
	t.Helper()
	r := &replicas{t: t, clerk: newInstance(t, "https://clerk.app.example")}
	env := append(databaseEnv(dbtest.Config(t)),
		"CLERK_SECRET_KEY=sk_live_secretcanary0123456789",
		"CLERK_PUBLISHABLE_KEY=pk_live_"+base64.RawStdEncoding.EncodeToString([]byte("clerk.app.example$")),
		"CLERK_WEBHOOK_SIGNING_SECRET="+liveSecret, "CLERK_JWT_KEY="+r.clerk.pem(), "CLERK_API_URL=http://127.0.0.1:1/v1",
		"CLERK_AUTHORIZED_PARTIES=https://app.example",
	)
	for i := range r.servers {
		r.servers[i] = start(t, dbtest.Dir(t), env...)
	}
	return r
}

// event delivers one of Clerk's events to the first server.
func (r *replicas) event(kind string, data variables) {
	r.t.Helper()
	now := time.Now()
	body, err := json.Marshal(variables{"object": "event", "type": kind, "timestamp": now.UnixMilli(), "instance_id": "ins_test", "data": data})
	if err != nil {
		r.t.Fatal(err)
	}
	id := fmt.Sprintf("msg_replicas%d", r.serial.Add(1))
	if status, _, text := r.servers[0].do(http.MethodPost, webhookPath, delivery(r.t, liveSecret, id, now, body), body); status != 204 {
		r.t.Fatalf("%s: %d %s", kind, status, text)
	}
}

// membership is the data of a membership of Acme's.
func membership(userID, role string, created, updated int64) variables {
	return variables{
		"object": "organization_membership", "id": "orgmem_" + strings.TrimPrefix(userID, "user_"), "role": role,
		"created_at": created, "updated_at": updated,
		"organization":     variables{"id": "org_Acme", "name": "Acme", "created_at": 1, "updated_at": 1},
		"public_user_data": variables{"user_id": userID},
	}
}

// permitted asks a server whether a token still has the rights that it was made with.
func (r *replicas) permitted(server int, token string) bool {
	got := r.servers[server].ask(token, `{ viewer { can(permission: "org:documents:create") } }`, nil)
	return got.At("viewer", "can") == true
}

// background has members of another organization ask both servers until the test ends.
func (r *replicas) background() {
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for i := range 4 {
		token := r.clerk.tokenOf(fmt.Sprintf("user_Busy%d", i), "org_Busy", "https://app.example")
		asking.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if n%500 == 499 {
					token = r.clerk.tokenOf(fmt.Sprintf("user_Busy%d", i), "org_Busy", "https://app.example")
				}
				r.servers[n%2].ask(token, `{ viewer { permissions } organization { documents(first: 10) { nodes { id } } } }`, nil)
				r.load.Add(1)
			}
		})
	}
	r.t.Cleanup(func() { close(stop); asking.Wait() })
}

// Removals and demotions hold on every server soon after their webhook, though the token lives on, and never lapse.
func TestRevocationOnEveryReplica(t *testing.T) {
	t.Parallel()
	r := startReplicas(t)
	rounds := 10
	if os.Getenv("TENANTRY_PROVE") != "" {
		rounds = 1000
	}
	r.event("role.created", variables{
		"id": "role_1", "key": "org:admin", "name": "Admin", "permissions": []variables{{"key": "org:documents:create"}, {"key": "org:documents:read"}},
		"created_at": 1, "updated_at": 1,
	})
	r.event("role.created", variables{"id": "role_2", "key": "org:guest", "name": "Guest", "permissions": []variables{}, "created_at": 1, "updated_at": 1})
	r.background()
	var took [2][]time.Duration
	began := time.Now()
	for n := range rounds {
		userID := fmt.Sprintf("user_Leaving%d", n)
		joined := time.Now().Add(-time.Hour).UnixMilli()
		r.event("organizationMembership.created", membership(userID, "org:admin", joined, joined))
		token := r.clerk.tokenOf(userID, "org_Acme", "https://app.example")
		time.Sleep(rand.N(20 * time.Millisecond)) // at any moment of a server's looking
		for server := range r.servers {
			if !r.permitted(server, token) {
				t.Fatalf("a member is refused by server %d", server)
			}
		}
		// Of the future, so that it is surely newer than the token.
		at := time.Now().Add(time.Minute).UnixMilli()
		sent := time.Now()
		if n%2 == 0 {
			r.event("organizationMembership.deleted", membership(userID, "org:admin", joined, joined))
		} else {
			r.event("organizationMembership.updated", membership(userID, "org:guest", joined, at))
		}
		var waiting sync.WaitGroup
		for server := range r.servers {
			waiting.Go(func() {
				for r.permitted(server, token) {
					if time.Since(sent) > 20*time.Second {
						t.Errorf("server %d still lets %s in", server, userID)
						return
					}
				}
				took[server] = append(took[server], time.Since(sent))
				for range 3 {
					if r.permitted(server, token) {
						t.Errorf("server %d lets %s in again", server, userID)
					}
				}
			})
		}
		waiting.Wait()
	}
	t.Logf("%d removals and demotions beside %.0f requests a second", rounds, float64(r.load.Load())/time.Since(began).Seconds())
	for server, name := range []string{"that got the webhook", "beside it"} {
		slices.Sort(took[server])
		at := func(share float64) time.Duration { return took[server][int(share*float64(len(took[server])-1))] }
		t.Logf("from the webhook's sending to the refusal, on the server %s: p50 %v, p90 %v, p99 %v, most %v", name,
			at(.5).Round(100*time.Microsecond), at(.9).Round(100*time.Microsecond), at(.99).Round(100*time.Microsecond), at(1).Round(100*time.Microsecond))
	}
}

// A role's row opens nothing of a feature that the token does not name, not even after a change to that role: on both
// servers, from the copy's facts.
func TestRoleRowOpensNoFeature(t *testing.T) {
	t.Parallel()
	r := startReplicas(t)
	for id, key := range map[string]string{"role_1": "org:admin", "role_2": "org:reporter"} {
		r.event("role.created", variables{
			"id": id, "key": key, "name": key, "created_at": 1, "updated_at": 1,
			"permissions": []variables{{"key": "org:documents:create"}, {"key": "org:reports:export"}, {"key": "org:sys_memberships:read"}},
		})
	}
	joined := time.Now().Add(-time.Hour).UnixMilli()
	r.event("organizationMembership.created", membership("user_Rita", "org:admin", joined, joined))
	token := r.clerk.tokenOf("user_Rita", "org_Acme", "https://app.example") // of an admin, with the feature documents
	const query = `{ viewer { membership { role } system: can(permission: "org:sys_memberships:read")
		create: can(permission: "org:documents:create") read: can(permission: "org:documents:read") export: can(permission: "org:reports:export") } }`
	hold := func(role string, read bool) {
		for server := range r.servers {
			var got map[string]any
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				answer := r.servers[server].ask(token, query, nil)
				got, _ = answer.At("viewer").(map[string]any)
				if got["export"] != false {
					t.Fatalf("server %d: the row opens a feature: %s", server, answer)
				}
				if answer.At("viewer", "membership", "role") == role {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("server %d does not know %s: %s", server, role, answer)
				}
			}
			if got["system"] != true || got["create"] != true || got["read"] != read {
				t.Errorf("server %d, %s: %v", server, role, got)
			}
		}
	}
	hold("org:admin", true) // the token is newer than the row, so its own list stands
	r.event("organizationMembership.updated", membership("user_Rita", "org:reporter", joined, time.Now().Add(time.Minute).UnixMilli()))
	hold("org:reporter", false)
}
