package clerk

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// seededEvents tell of 14 permissions, 3 roles, 4 users, 2 organizations and 4 memberships.
const seededEvents = 27

// sharedKey saves each test the making of an RSA key.
var sharedKey = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "clerk-key")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "key.pem")
	if _, err := makeKey(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// newDir is a folder for local state that holds a key and nothing else.
func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	key, err := sharedKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "clerk"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "clerk", "key.pem"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openIn(t *testing.T, dir string) *Clerk {
	t.Helper()
	c, err := Open(Config{Rights: ours(t), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c.backoff = []time.Duration{10 * time.Millisecond}
	return c
}

func openNew(t *testing.T) *Clerk {
	t.Helper()
	return openIn(t, newDir(t))
}

// api is the local Clerk behind real HTTP.
type api struct {
	t    *testing.T
	base string
}

func serve(t *testing.T, c *Clerk) api {
	t.Helper()
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	return api{t, server.URL}
}

func (a api) request(method, path string, body any) *http.Request {
	a.t.Helper()
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.base+path, reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (a api) send(r *http.Request) (*http.Response, []byte) {
	a.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response, data
}

// ok makes a request that must be answered 200 and decodes the answer.
func (a api) ok(method, path string, body, into any) {
	a.t.Helper()
	response, data := a.send(a.request(method, path, body))
	if response.StatusCode != http.StatusOK {
		a.t.Fatalf("%s %s %v: %d %s", method, path, body, response.StatusCode, data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		a.t.Fatal(err)
	}
}

// refused makes a request that must be answered with this status and code, and
// returns the long message.
func (a api) refused(r *http.Request, status int, code string) string {
	a.t.Helper()
	response, data := a.send(r)
	var body errorBody
	if err := json.Unmarshal(data, &body); err != nil {
		a.t.Fatalf("%s %s: %d %q is not a Clerk error: %v", r.Method, r.URL.Path, response.StatusCode, data, err)
	}
	if response.StatusCode != status || len(body.Errors) != 1 || body.Errors[0].Code != code {
		a.t.Fatalf("%s %s: %d %s, want %d %s", r.Method, r.URL.Path, response.StatusCode, data, status, code)
	}
	item := body.Errors[0]
	if item.Message == "" || item.LongMessage == "" || item.Meta == nil || body.TraceID == "" {
		a.t.Errorf("incomplete error %s", data)
	}
	return item.LongMessage
}

type object = map[string]any

const (
	statePath       = "/__clerk/control/v1/state"
	tokensPath      = "/__clerk/control/v1/tokens"
	membershipsPath = "/__clerk/control/v1/memberships"
	publicKeysPath  = "/__clerk/.well-known/jwks.json"
	backendKeysPath = "/__clerk/backend/v1/jwks"
)

// delivery is a webhook that arrived with a good signature.
type delivery struct {
	id   string
	body []byte
}

func (d delivery) event(t *testing.T) (event struct {
	Type       string          `json:"type"`
	InstanceID string          `json:"instance_id"`
	Timestamp  int64           `json:"timestamp"`
	Data       json.RawMessage `json:"data"`
},
) {
	t.Helper()
	if err := json.Unmarshal(d.body, &event); err != nil {
		t.Fatal(err)
	}
	return event
}

// receiver is the server's webhook endpoint. answer gives the status for a
// delivery, told how many times its id was seen before; nil: always 204.
type receiver struct {
	url    string
	t      *testing.T
	hook   *svix.Webhook
	answer func(d delivery, before int) int

	mu   sync.Mutex
	all  []delivery
	seen map[string]int
}

func newReceiver(t *testing.T, secret string, answer func(delivery, int) int) *receiver {
	t.Helper()
	hook, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{t: t, hook: hook, seen: map[string]int{}, answer: answer}
}

// receive starts a receiver.
func receive(t *testing.T, secret string, answer func(delivery, int) int) *receiver {
	t.Helper()
	r := newReceiver(t, secret, answer)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/webhooks/clerk"
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	if err := r.hook.Verify(body, request.Header); err != nil {
		r.t.Errorf("signature: %v", err)
	}
	if request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("%s with content type %q", request.Method, request.Header.Get("Content-Type"))
	}
	w.WriteHeader(r.note(delivery{request.Header.Get("svix-id"), body}))
}

func (r *receiver) note(d delivery) int {
	r.mu.Lock()
	before := r.seen[d.id]
	r.seen[d.id]++
	r.all = append(r.all, d)
	r.mu.Unlock()
	if r.answer == nil {
		return http.StatusNoContent
	}
	return r.answer(d, before)
}

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.all...)
}

// run delivers until stop is called or the test ends.
func run(t *testing.T, c *Clerk, url string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, url) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func settle(t *testing.T, c *Clerk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Settled(ctx); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}
