package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// Whatever was answered 2xx has taken effect after kill -9 and a restart.
func TestKilledAmidDeliveries(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	p := start(t, dir)
	secret, instanceID := p.clerkSecrets()

	var mu sync.Mutex
	var acknowledged []string
	var senders sync.WaitGroup
	stop := make(chan struct{})
	for sender := range 8 {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("user_Killed%dx%d", sender, n)
				body := membershipCreated(instanceID, id, time.Now())
				header := delivery(t, secret, "msg_"+id, time.Now(), body)
				request, _ := http.NewRequest(http.MethodPost, p.url+webhookPath, strings.NewReader(string(body)))
				request.Header = header
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					return // killed
				}
				response.Body.Close()
				if response.StatusCode/100 == 2 {
					mu.Lock()
					acknowledged = append(acknowledged, id)
					mu.Unlock()
				}
			}
		})
	}
	enough := 30 + rand.N(100)
	for reached := false; !reached; time.Sleep(time.Millisecond) {
		mu.Lock()
		reached = len(acknowledged) >= enough
		mu.Unlock()
	}
	p.stop(syscall.SIGKILL)
	close(stop)
	senders.Wait()

	p = start(t, dir)
	ada := p.token("ada", "acme")
	present := func() map[string]bool {
		names := map[string]bool{}
		for after := any(nil); ; {
			page := p.ask(ada, `query($after: String) { organization { members(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } }`, variables{"after": after})
			nodes, ok := page.At("organization", "members", "nodes").([]any)
			if !ok {
				t.Fatalf("the members: %s", page)
			}
			for _, node := range nodes {
				name, _ := node.(map[string]any)["name"].(string)
				names[name] = true
			}
			if page.At("organization", "members", "pageInfo", "hasNextPage") != true {
				return names
			}
			after = page.At("organization", "members", "pageInfo", "endCursor")
		}
	}
	var missing int
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		names := present()
		missing = 0
		for _, id := range acknowledged {
			if !names[id] {
				missing++
			}
		}
		if missing == 0 || time.Now().After(deadline) {
			break
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged deliveries have not taken effect", missing, len(acknowledged))
	}
	t.Logf("%d acknowledged deliveries, %d missing", len(acknowledged), missing)
	if other := p.ask(p.token("gus", "globex"), `{ organization { members(first: 100) { totalCount } } }`, nil); other.At("organization", "members", "totalCount") != 2.0 {
		t.Errorf("Globex has other members: %s", other)
	}
}

// membershipCreated is Clerk's event for somebody who joined Acme; the first name is the user's id.
func membershipCreated(instanceID, userID string, at time.Time) []byte {
	ms := at.UnixMilli()
	data := map[string]any{
		"object": "organization_membership", "id": "orgmem_" + strings.TrimPrefix(userID, "user_"), "role": "org:member",
		"created_at": ms, "updated_at": ms,
		"organization":     map[string]any{"object": "organization", "id": "org_2LocalAcme000000000000000000", "name": "Acme", "slug": "acme", "created_at": 1, "updated_at": 1},
		"public_user_data": map[string]any{"user_id": userID, "first_name": userID, "last_name": nil, "identifier": "x@acme.example", "image_url": ""},
	}
	body, _ := json.Marshal(map[string]any{
		"object": "event", "type": "organizationMembership.created", "timestamp": ms, "instance_id": instanceID, "data": data,
	})
	return body
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	p := start(t, dir)

	// The note by which start knows the program comes before its greeting.
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.stdout.String(), "curl") && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if lines := strings.Count(strings.TrimSpace(p.stdout.String()), "\n") + 1; lines >= 12 {
		t.Errorf("the greeting has %d lines:\n%s", lines, p.stdout)
	}
	for _, said := range []string{p.url + "/graphql", "ada", "max", "gus", "nora", "org:admin", "curl", "token --as", "--reset"} {
		if !strings.Contains(p.stdout.String(), said) {
			t.Errorf("the greeting does not say %q:\n%s", said, p.stdout)
		}
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if status, _, body := p.do(http.MethodGet, path, nil, nil); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	created := p.ask(p.token("ada", "acme"), `mutation { createDocument(input: {title: "Survives", content: ""}) { document { id } } }`, nil)

	second := launch(t, dir)
	select {
	case <-second.exited:
		if said := second.stderr.String(); !strings.Contains(said, "already running") {
			t.Errorf("a second start says:\n%s", said)
		}
	case <-time.After(20 * time.Second):
		t.Error("a second start does not end")
	}

	if took := p.stop(syscall.SIGINT); took > 5*time.Second {
		t.Errorf("Ctrl-C took %s", took)
	}
	nothingLeft(t, dir)

	p = start(t, dir)
	kept := p.ask(p.token("ada", "acme"), `query($id: ID!) { document(id: $id) { title } organization { documents { totalCount } } }`,
		variables{"id": created.At("createDocument", "document", "id")})
	if kept.At("document", "title") != "Survives" || kept.At("organization", "documents", "totalCount") != 32.0 {
		t.Errorf("after a restart: %s", kept)
	}
	p.stop(syscall.SIGTERM)

	if os.Getenv(dbtest.ScopeVariable) != "" {
		return // a database of yours is not emptied
	}
	p = start(t, dir, "--reset")
	emptied := p.ask(p.token("ada", "acme"), `{ organization { documents { totalCount } members { totalCount } } }`, nil)
	if emptied.At("organization", "documents", "totalCount") != 31.0 || emptied.At("organization", "members", "totalCount") != 2.0 {
		t.Errorf("after --reset: %s", emptied)
	}
}

// A start that fails half-way leaves nothing running.
func TestStartFailsHalfWay(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := dbtest.Dir(t)
	p := launch(t, dir, "TENANTRY_ADDR="+taken.Addr().String())
	<-p.exited
	if said := p.stderr.String(); !strings.Contains(said, "is in use by another program") {
		t.Errorf("with its address taken it says:\n%s", said)
	}
	nothingLeft(t, dir)

	for range 3 {
		p = launch(t, dir)
		time.Sleep(rand.N(time.Second))
		if took := p.stop(syscall.SIGINT); took > 5*time.Second {
			t.Errorf("Ctrl-C during the start took %s", took)
		}
		nothingLeft(t, dir)
	}

	p = launch(t, dir)
	time.Sleep(500 * time.Millisecond)
	p.stop(syscall.SIGKILL)
	start(t, dir)
}

// nothingLeft fails where a PostgreSQL of this folder still runs a moment later.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	pidFile := filepath.Join(dir, ".tenantry", "postgres", "postmaster.pid")
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(pidFile)
		if err != nil {
			return
		}
		var pid int
		if _, err := fmt.Sscan(string(text), &pid); err == nil && syscall.Kill(pid, 0) != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("PostgreSQL %d still runs", pid)
			return
		}
	}
}
