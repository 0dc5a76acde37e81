package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/spectest"
)

const (
	// behindClerk names the address that Clerk's client is led over in a program that a test starts, in place of Clerk's.
	behindClerk = "TENANTRY_TEST_BEHIND_CLERK"
	// headerTarget says where a request led so was to go.
	headerTarget = "Tenantry-Target"
)

// leadOver does that. Everything but Clerk's client goes on as before.
func leadOver() error {
	address := os.Getenv(behindClerk)
	if address == "" {
		return nil
	}
	over, err := url.Parse(address)
	http.DefaultTransport = &led{next: http.DefaultTransport, over: over}
	return err
}

type led struct {
	next http.RoundTripper
	over *url.URL
}

func (l *led) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Clerk-SDK") == "" {
		return l.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set(headerTarget, r.URL.Scheme+"://"+r.URL.Host)
	r.URL.Host, r.Host = l.over.Host, ""
	return l.next.RoundTrip(r)
}

// trouble is what becomes of a request on its way to Clerk and back.
type trouble string

const (
	none          trouble = "none"
	cut           trouble = "cut"                    // done, then the connection ends
	cutBefore     trouble = "cut before"             // not done, and the connection ends
	slow          trouble = "10 s late"              // done at once
	limited       trouble = "limited"                // not done, 429 for a second
	limitedLong   trouble = "limited for long"       // not done, 429 for longer than a change has
	failed        trouble = "500"                    // done
	failedBefore  trouble = "500 before"             // not done
	webpage       trouble = "HTML"                   // done
	failedPage    trouble = "HTML with a 500"        // done
	gateway       trouble = "HTML with a 502"        // done
	gatewayBefore trouble = "HTML with a 502 before" // not done
)

// lateness is how late a slow answer is, and longLimit is longer than a change has left.
const (
	lateness  = 10 * time.Second
	longLimit = 9
)

func (k trouble) done() bool {
	return k != cutBefore && k != limited && k != limitedLong && k != failedBefore && k != gatewayBefore
}

// plan says what becomes of the request of this number for a change, and of any read.
type plan interface {
	change(number int) trouble
	read() trouble
}

// steady is one trouble of changes, where it is wanted.
type steady struct {
	trouble
	where func(number int) bool
}

func (s steady) change(number int) trouble {
	if s.where(number) {
		return s.trouble
	}
	return none
}

func (s steady) read() trouble { return none }

// dice are troubles of any requests, the same for the same seed as far as the requests are.
type dice struct {
	random *rand.Rand
	kinds  []trouble
}

func newDice(seed int, kinds []trouble) dice {
	return dice{rand.New(rand.NewPCG(uint64(seed), 5)), kinds}
}

func (d dice) change(int) trouble {
	if d.random.Float64() < 0.5 {
		return none
	}
	return d.kinds[d.random.IntN(len(d.kinds))]
}

func (d dice) read() trouble {
	if d.random.Float64() < 0.85 {
		return none
	}
	return []trouble{cut, failed, webpage, limited, gateway}[d.random.IntN(5)]
}

// troubledClerk is the way to the local Clerk of one program, over real connections. It knows what Clerk did.
type troubledClerk struct {
	url string

	mu    sync.Mutex
	plan  plan
	calm  bool
	asked int
	did   map[string]int // changes that Clerk made, without the marks in them
	total int
	met   map[trouble]int
}

// newTroubledClerk is one without any trouble yet.
func newTroubledClerk(t *testing.T) *troubledClerk {
	t.Helper()
	c := &troubledClerk{calm: true, did: map[string]int{}, met: map[trouble]int{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// begin forgets what was and has it go on by a plan.
func (c *troubledClerk) begin(p plan) {
	c.set(func() {
		c.plan, c.calm, c.asked, c.total = p, false, 0, 0
		c.did, c.met = map[string]int{}, map[trouble]int{}
	})
}

func (c *troubledClerk) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *troubledClerk) changes() (total int) {
	c.set(func() { total = c.total })
	return total
}

func (c *troubledClerk) next(r *http.Request) (now trouble) {
	c.set(func() {
		switch {
		case c.calm:
			now = none
		case r.Method == http.MethodGet:
			now = c.plan.read()
		default:
			now = c.plan.change(c.asked)
			c.asked++
		}
		c.met[now]++
	})
	return now
}

func (c *troubledClerk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, _ := io.ReadAll(r.Body)
	now, answer := c.next(r), &http.Response{}
	var body []byte
	if now.done() {
		var err error
		if answer, body, err = pass(r, sent); err != nil {
			panic(http.ErrAbortHandler)
		}
		if r.Method != http.MethodGet && answer.StatusCode/100 == 2 {
			c.set(func() { c.total++; c.did[named(r, sent)]++ })
		}
	}
	header := w.Header()
	if now != none && now != slow {
		header.Set(spectest.HeaderStandIn, "trouble on purpose")
	}
	switch now {
	case cut, cutBefore:
		panic(http.ErrAbortHandler)
	case slow:
		select {
		case <-time.After(lateness):
		case <-r.Context().Done():
			return
		}
	case limited, limitedLong:
		header.Set("Retry-After", fmt.Sprint(map[trouble]int{limited: 1, limitedLong: longLimit}[now]))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"errors":[{"code":"too_many_requests","message":"m","long_message":"m"}],"clerk_trace_id":"0"}`)
		return
	case failed, failedBefore:
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"errors":[{"code":"internal_clerk_error","message":"m","long_message":"m"}],"clerk_trace_id":"0"}`)
		return
	case webpage, failedPage, gateway, gatewayBefore:
		header.Set("Content-Type", "text/html")
		w.WriteHeader(map[trouble]int{webpage: 200, failedPage: 500, gateway: 502, gatewayBefore: 502}[now])
		_, _ = io.WriteString(w, "<html>Sorry")
		return
	}
	for name, values := range answer.Header {
		header[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body)
}

// pass hands a request on to where it was to go, and returns the whole answer.
func pass(r *http.Request, sent []byte) (*http.Response, []byte, error) {
	// What was sent reaches Clerk, whoever hangs up meanwhile.
	request, err := http.NewRequest(r.Method, r.Header.Get(headerTarget)+r.URL.RequestURI(), bytes.NewReader(sent))
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.Header.Clone()
	request.Header.Del("X-Clerk-SDK") // the program's process has recorded it
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// named is what a change is known by when it is made again: another mark makes no other change of it.
func named(r *http.Request, sent []byte) string {
	var fields map[string]any
	_ = json.Unmarshal(sent, &fields) // some have none
	delete(fields, "private_metadata")
	return fmt.Sprint(r.Method, " ", r.URL.Path, " ", fields)
}
