package webhooks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/tenantry/tenantry/internal/mirror"
)

// The known-answer vector of Svix: what it says was made by another implementation.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTimestamp = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

	otherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

var vectorTime = time.Unix(vectorTimestamp, 0)

// receiver notes what it was given.
type receiver struct {
	outcome  mirror.Outcome
	err      error
	received []mirror.Message
}

func (r *receiver) Receive(_ context.Context, message mirror.Message) (mirror.Outcome, error) {
	r.received = append(r.received, message)
	return r.outcome, r.err
}

// vector is the delivery of the vector, which tests change.
func vector() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/clerk", strings.NewReader(vectorBody))
	r.Header.Set("svix-id", vectorID)
	r.Header.Set("svix-timestamp", strconv.Itoa(vectorTimestamp))
	r.Header.Set("svix-signature", vectorSignature)
	return r
}

func sign(t *testing.T, secret, id string, at time.Time, body string) string {
	t.Helper()
	signer, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// signed is a delivery of the given body at the given time.
func signed(t *testing.T, secret string, at time.Time, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/webhooks/clerk", strings.NewReader(body))
	r.Header.Set("svix-id", "msg_1")
	r.Header.Set("svix-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("svix-signature", sign(t, secret, "msg_1", at, body))
	return r
}

// rename moves the signature's headers to the other family.
func rename(r *http.Request) *http.Request {
	for _, name := range []string{"id", "timestamp", "signature"} {
		r.Header.Set("webhook-"+name, r.Header.Get("svix-"+name))
		r.Header.Del("svix-" + name)
	}
	return r
}

func with(r *http.Request, header, value string) *http.Request {
	r.Header.Set(header, value)
	return r
}

func TestEveryCaseHasItsAnswer(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1<<20)
	for name, test := range map[string]struct {
		request *http.Request
		outcome mirror.Outcome
		err     error
		drain   bool
		status  int
		stored  bool
	}{
		"stored and applied":       {request: vector(), outcome: mirror.Outcome{Result: mirror.Applied}, status: 204, stored: true},
		"stored for later":         {request: vector(), outcome: mirror.Outcome{Result: mirror.Stored}, status: 204, stored: true},
		"duplicate":                {request: vector(), outcome: mirror.Outcome{Result: mirror.Duplicate}, status: 204, stored: true},
		"ignored type":             {request: vector(), outcome: mirror.Outcome{Result: mirror.Ignored}, status: 204, stored: true},
		"signed but unreadable":    {request: vector(), outcome: mirror.Outcome{Result: mirror.Dead}, status: 204, stored: true},
		"another body":             {request: vector(), outcome: mirror.Outcome{Result: mirror.Conflict}, status: 204, stored: true},
		"headers of the standard":  {request: rename(vector()), status: 204, stored: true},
		"second secret":            {request: signed(t, otherSecret, vectorTime, "{}"), status: 204, stored: true},
		"several signatures":       {request: with(vector(), "svix-signature", "v1,bm9uZQ== v2,x "+vectorSignature), status: 204, stored: true},
		"4:59 early":               {request: signed(t, vectorSecret, vectorTime.Add(299*time.Second), "{}"), status: 204, stored: true},
		"4:59 late":                {request: signed(t, vectorSecret, vectorTime.Add(-299*time.Second), "{}"), status: 204, stored: true},
		"as large as it may be":    {request: signed(t, vectorSecret, vectorTime, large), status: 204, stored: true},
		"no signature":             {request: httptest.NewRequest(http.MethodPost, "/", strings.NewReader(vectorBody)), status: 401},
		"wrong secret":             {request: signed(t, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", vectorTime, "{}"), status: 401},
		"changed body":             {request: altered(vector(), `{"test": 2432232315}`), status: 401},
		"changed id":               {request: with(vector(), "svix-id", "msg_other"), status: 401},
		"changed time":             {request: with(vector(), "svix-timestamp", "1614265331"), status: 401},
		"time that is no number":   {request: with(vector(), "svix-timestamp", "now"), status: 401},
		"time out of range":        {request: with(vector(), "svix-timestamp", "9223372036854775807"), status: 401},
		"other version only":       {request: with(vector(), "svix-signature", strings.Replace(vectorSignature, "v1", "v2", 1)), status: 401},
		"empty signature":          {request: with(vector(), "svix-signature", "v1,"), status: 401},
		"stale, with a large body": {request: unread(signed(t, vectorSecret, vectorTime.Add(-301*time.Second), large)), status: 401},
		"no signature, large body": {request: unread(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(large))), status: 401},
		"other version, not read":  {request: unread(with(vector(), "svix-signature", "v1a,x v2,y")), status: 401},
		"draining, large body":     {request: unread(signed(t, vectorSecret, vectorTime, large)), drain: true, status: 503},
		"stale":                    {request: signed(t, vectorSecret, vectorTime.Add(-301*time.Second), "{}"), status: 401},
		"from the future":          {request: signed(t, vectorSecret, vectorTime.Add(301*time.Second), "{}"), status: 401},
		"id of the other family":   {request: with(rename(vector()), "svix-id", "msg_chosen"), status: 204, stored: true},
		"families mixed":           {request: mixed(vector()), status: 401},
		"endless id":               {request: longID(t), status: 401},
		"body too large":           {request: signed(t, vectorSecret, vectorTime, large+"x"), status: 413},
		"body that breaks off":     {request: broken(vector()), status: 400},
		"database down":            {request: vector(), err: errors.New("down"), status: 503, stored: true},
		"draining":                 {request: vector(), drain: true, status: 503},
		"GET":                      {request: method(vector(), http.MethodGet), status: 405},
		"PUT":                      {request: method(vector(), http.MethodPut), status: 405},
		"OPTIONS":                  {request: method(vector(), http.MethodOptions), status: 405},
		"a header that would harm": {request: with(with(vector(), "webhook-delivery", "disable"), "Location", "https://x.example"), status: 204, stored: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := &receiver{outcome: test.outcome, err: test.err}
			var logs bytes.Buffer
			h, err := New(to, Config{
				Secrets: []string{vectorSecret, otherSecret}, Draining: func() bool { return test.drain },
				Now: func() time.Time { return vectorTime }, Logger: slog.New(slog.NewTextHandler(&logs, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, test.request)
			if answer.Code != test.status {
				t.Errorf("status %d, want %d", answer.Code, test.status)
			}
			if stored := len(to.received) == 1; stored != test.stored {
				t.Errorf("handed over: %t, want %t", stored, test.stored)
			}
			checkHeaders(t, answer)
			for _, secret := range []string{vectorSecret[len("whsec_"):], vectorBody, vectorSignature, "msg_chosen"} {
				if strings.Contains(logs.String(), secret) || strings.Contains(answer.Body.String(), secret) {
					t.Errorf("%q turns up in %q or %q", secret, logs.String(), answer.Body.String())
				}
			}
		})
	}
}

// checkHeaders holds for every answer: nothing that stops deliveries, nothing of the request.
func checkHeaders(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	for name := range answer.Header() {
		switch name {
		case "Content-Type", "X-Content-Type-Options", "Retry-After", "Allow":
		case "Connection":
			if answer.Header().Get(name) != "close" || answer.Code == http.StatusNoContent {
				t.Errorf("status %d with Connection: %s", answer.Code, answer.Header().Get(name))
			}
		default:
			t.Errorf("header %s: %s", name, answer.Header().Get(name))
		}
	}
	if wait := answer.Header().Get("Retry-After"); (wait != "") != (answer.Code == http.StatusServiceUnavailable) {
		t.Errorf("status %d with Retry-After %q", answer.Code, wait)
	}
	if allow := answer.Header().Get("Allow"); (allow == "POST") != (answer.Code == http.StatusMethodNotAllowed) {
		t.Errorf("status %d with Allow %q", answer.Code, allow)
	}
	if answer.Code == http.StatusNoContent && answer.Body.Len() > 0 {
		t.Errorf("204 with the body %q", answer.Body)
	}
}

func altered(r *http.Request, body string) *http.Request {
	r.Body = io.NopCloser(strings.NewReader(body))
	return r
}

func broken(r *http.Request) *http.Request {
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(vectorBody[:5]), failing{}))
	return r
}

// unread is a request whose body may not be read.
func unread(r *http.Request) *http.Request {
	r.Body = io.NopCloser(forbidden{})
	return r
}

type forbidden struct{}

func (forbidden) Read([]byte) (int, error) { panic("the body was read") }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func method(r *http.Request, name string) *http.Request {
	r.Method = name
	return r
}

// mixed has one header of one family and two of the other.
func mixed(r *http.Request) *http.Request {
	r.Header.Set("webhook-signature", r.Header.Get("svix-signature"))
	r.Header.Del("svix-signature")
	return r
}

// longID is signed, but too long to be a key.
func longID(t *testing.T) *http.Request {
	t.Helper()
	id := strings.Repeat("x", longestID+1)
	return with(with(vector(), "svix-id", id), "svix-signature", sign(t, vectorSecret, id, vectorTime, vectorBody))
}

// TestWhatIsVerifiedIsWhatIsUsed: an id that was not signed never reaches the inbox.
func TestWhatIsVerifiedIsWhatIsUsed(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]*http.Request{
		"svix":               vector(),
		"webhook":            rename(vector()),
		"webhook, svix-id":   with(rename(vector()), "svix-id", "msg_chosen"),
		"svix, webhook-id":   with(vector(), "webhook-id", "msg_chosen"),
		"twice the same key": twice(vector()),
	} {
		to := &receiver{}
		h, err := New(to, Config{Secrets: []string{vectorSecret}, Now: func() time.Time { return vectorTime }})
		if err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(httptest.NewRecorder(), request)
		if len(to.received) != 1 || to.received[0].ID != vectorID || string(to.received[0].Body) != vectorBody || !to.received[0].Received.Equal(vectorTime) {
			t.Errorf("%s: handed over %v", name, to.received)
		}
	}
}

func twice(r *http.Request) *http.Request {
	r.Header.Add("svix-id", "msg_chosen")
	return r
}

func TestOneLinePerDelivery(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	h, err := New(&receiver{outcome: mirror.Outcome{Result: mirror.Applied, Type: "user.created"}}, Config{
		Secrets: []string{vectorSecret}, Now: func() time.Time { return vectorTime }, Logger: slog.New(slog.NewTextHandler(&logs, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(httptest.NewRecorder(), vector())
	_, line, _ := strings.Cut(logs.String(), "level=")
	if want := "INFO msg=webhook svix_id=" + vectorID + " type=user.created outcome=applied\n"; line != want {
		t.Errorf("logged %q, want %q", line, want)
	}
}

func TestUnusableSecretsAreRefused(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]string{
		"none": nil, "empty": {""}, "spaces": {"  "}, "prefix only": {"whsec_"}, "one of two empty": {vectorSecret, ""},
		"prefix and spaces": {" whsec_ "}, "not base64": {"whsec_not*base64*SECRET"}, "padding only": {"whsec_===="},
	} {
		h, err := New(&receiver{}, Config{Secrets: secrets})
		if err == nil || h != nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
	if _, err := New(&receiver{}, Config{Secrets: []string{" " + vectorSecret + " "}}); err != nil {
		t.Errorf("a secret between spaces: %v", err)
	}
}
