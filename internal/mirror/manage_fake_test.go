package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenantry/tenantry/internal/spectest"
)

// fault is how a fake Clerk treats one change.
type fault string

const (
	faultCut        fault = "the answer is cut off"            // done, and the connection ends
	faultCutBefore  fault = "the request is cut off"           // not done, and the connection ends
	faultSlow       fault = "the answer takes 10 s"            // done at once
	faultHTML       fault = "the answer is HTML"               // done
	faultHTML500    fault = "the answer is HTML with a 500"    // done
	fault500        fault = "the answer is a 500"              // done
	fault500Before  fault = "the request fails with a 500"     // not done
	faultLimit      fault = "limited, once"                    // not done, 429 and Retry-After
	faultLimitLong  fault = "limited for a minute"             // not done
	faultGateway    fault = "the gateway's patience ends"      // done, 504
	faultGatewayOff fault = "the gateway ends before anything" // not done, 504
)

var (
	faultsDone    = []fault{faultCut, faultSlow, faultHTML, faultHTML500, fault500, faultGateway}
	faultsNotDone = []fault{faultCutBefore, fault500Before, faultLimitLong, faultGatewayOff}
)

// did is a change that the fake has made.
type did struct {
	method, path string
	body         []byte
}

// manageClerk is the half of a Backend API that changes organizations, memberships and invitations, with its state, its
// rules and the events that it sends.
type manageClerk struct {
	*fakeClerk
	faults []fault // of the next changes, in order
	deaf   bool    // reads but of users fail, too
	made   []did   // changes that were made
	asked  []did   // requests for changes, those that were not taken as well
	events [][]byte
	serial int
	limits struct{ members, organizations int }
}

func newManageClerk(t testing.TB) *manageClerk {
	t.Helper()
	c := &manageClerk{fakeClerk: newFakeClerk(t)}
	c.limits.members, c.limits.organizations = 20, 100
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/v1"
	for _, name := range []string{"nora", "max", "gus", "ada"} {
		c.lists["users"] = append(c.lists["users"], object{
			"object": "user", "id": "user_" + name, "first_name": strings.ToUpper(name[:1]) + name[1:], "last_name": nil, "username": nil,
			"image_url": nil, "primary_email_address_id": "idn_" + name, "create_organization_enabled": true,
			"email_addresses": []object{{"id": "idn_" + name, "email_address": name + "@example.com"}},
			"created_at":      c.now - 1000, "updated_at": c.now - 1000,
		})
	}
	return c
}

// manager is one over the fake, with little patience and no budget.
func (c *manageClerk) manager(f *fixture, config ManagerConfig) *Manager {
	config.Backend = BackendConfig{URL: c.url, SecretKey: fakeKey, AttemptTimeout: 150 * time.Millisecond, Logger: quiet}
	m := newManager(f.Mirror, newClientWith(config.Backend, rate.NewLimiter(rate.Inf, 1), nil), config)
	m.margin = 0
	return m
}

func (c *manageClerk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(spectest.HeaderStandIn, "it shows what the mirror reads, and may be broken on purpose")
	if r.Method == http.MethodGet {
		c.read(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	answer, now := httptest.NewRecorder(), c.take(did{r.Method, strings.TrimPrefix(r.URL.Path, "/v1"), body})
	undone := now == faultLimit || slices.Contains(faultsNotDone, now)
	if !undone {
		c.set(func() { c.change(answer, r.Method, strings.TrimPrefix(r.URL.Path, "/v1"), body) })
	}
	w.Header().Set("Date", time.UnixMilli(c.time()).UTC().Format(http.TimeFormat))
	switch now {
	case faultCut, faultCutBefore:
		panic(http.ErrAbortHandler)
	case faultSlow:
		select {
		case <-time.After(10 * time.Second):
		case <-r.Context().Done():
		}
	case faultHTML, faultHTML500:
		w.Header().Set("Content-Type", "text/html")
		if now == faultHTML500 {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write([]byte("<html>secret words"))
		return
	case fault500, fault500Before:
		c.refuse(w, http.StatusInternalServerError)
		return
	case faultLimit, faultLimitLong:
		w.Header().Set("Retry-After", map[fault]string{faultLimit: "1", faultLimitLong: "60"}[now])
		c.refuse(w, http.StatusTooManyRequests)
		return
	case faultGateway, faultGatewayOff:
		c.refuse(w, http.StatusGatewayTimeout)
		return
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (c *manageClerk) time() (now int64) {
	c.set(func() { now = c.now })
	return now
}

func (c *manageClerk) take(request did) (now fault) {
	c.set(func() {
		c.asked = append(c.asked, request)
		if len(c.faults) > 0 {
			now, c.faults = c.faults[0], c.faults[1:]
		}
	})
	return now
}

// read answers the lists that changes are looked for in; the rest is the fakeClerk's.
func (c *manageClerk) read(w http.ResponseWriter, r *http.Request) {
	path, query := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/"), r.URL.Query()
	var list string
	var belongs func(object) bool
	switch {
	case path[0] != "users" && c.isDeaf():
		http.Error(w, "<html>", http.StatusServiceUnavailable)
		return
	case len(path) == 1 && path[0] == "organizations" && query.Has("user_id"):
		list, belongs = "organizations", func(o object) bool { return c.member(o["id"].(string), query.Get("user_id")) >= 0 }
	case len(path) == 3 && path[2] == "invitations":
		list, belongs = "organization_invitations", func(o object) bool {
			return o["organization_id"] == path[1] && o["email_address"] == query.Get("email_address")
		}
	default:
		c.fakeClerk.ServeHTTP(w, r)
		return
	}
	c.set(func() {
		w.Header().Set("Date", time.UnixMilli(c.now).UTC().Format(http.TimeFormat))
		found := []object{}
		for _, o := range c.lists[list] {
			if belongs(o) {
				found = append(found, o)
			}
		}
		slices.Reverse(found)
		answerJSON(w, object{"data": found, "total_count": len(found)})
	})
}

func (c *manageClerk) isDeaf() (deaf bool) {
	c.set(func() { deaf = c.deaf })
	return deaf
}

func (c *manageClerk) tick() int64 { c.now += 7; return c.now }

func (c *manageClerk) id(prefix string) string {
	c.serial++
	return fmt.Sprintf("%s_%027d", prefix, c.serial)
}

func (c *manageClerk) emit(kind string, data object) {
	body, err := json.Marshal(object{"type": kind, "object": "event", "instance_id": "ins_1", "timestamp": c.now, "data": data})
	if err != nil {
		panic(err)
	}
	c.events = append(c.events, body)
}

func (c *manageClerk) member(organizationID, userID string) int {
	return slices.IndexFunc(c.lists["organization_memberships"], func(m object) bool {
		return m["organization"].(object)["id"] == organizationID && m["public_user_data"].(object)["user_id"] == userID
	})
}

// refuseAs is Clerk's refusal by its code.
func refuseAs(w http.ResponseWriter, status int, code, parameter string) {
	w.WriteHeader(status)
	refusal := object{"code": code, "message": "secret words", "long_message": "secret words"}
	if parameter != "" {
		refusal["meta"] = object{"param_name": parameter}
	}
	answerJSON(w, object{"errors": []object{refusal}, "clerk_trace_id": "0"})
}

// deliver hands the events of all changes to the mirror.
func (c *manageClerk) deliver(t testing.TB, f *fixture) {
	t.Helper()
	for i, body := range c.events {
		f.receive(t, fmt.Sprintf("msg_%d_%d", c.serial, i), body)
	}
	c.events = nil
}

func decodeBody(body []byte) object {
	into := object{}
	if len(bytes.TrimSpace(body)) > 0 && string(body) != "null" {
		if err := json.Unmarshal(body, &into); err != nil {
			panic(err)
		}
	}
	return into
}
