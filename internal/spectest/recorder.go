package spectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

// HeaderStandIn marks, in an answer, one that is not to be as Clerk's: broken on purpose, or of a fake that shows only
// what its test is about. Its request is held against the specification, the answer is not.
const HeaderStandIn = "Tenantry-Stand-In"

// headerWrong marks a request that is wrong on purpose.
const headerWrong = "Tenantry-Wrong"

// sdkHeader is what Clerk's client, and nobody else, sends with each request.
const sdkHeader = "X-Clerk-SDK"

// Wrong is a transport for requests that are wrong on purpose. Their answers are held against the specification.
func Wrong() http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set(headerWrong, "on purpose")
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// line is what is recorded: a request as it is sent, and under its number the answer, if it came whole.
type line struct {
	Number int         `json:"number"`
	Method string      `json:"method,omitempty"` // none: an answer
	URI    string      `json:"uri,omitempty"`
	Status int         `json:"status,omitempty"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body,omitempty"`
}

// recorder carries requests and records those of Clerk's client. Each line is on its way to the disk before the test goes
// on, as its process may be killed.
type recorder struct {
	next http.RoundTripper

	mu   sync.Mutex
	file *os.File
	sent int
}

func newRecorder(dir string, next http.RoundTripper) (*recorder, error) {
	file, err := os.CreateTemp(dir, "*.jsonl")
	return &recorder{next: next, file: file}, err
}

// CloseIdleConnections is what test servers ask for when they close.
func (r *recorder) CloseIdleConnections() {
	if next, can := r.next.(interface{ CloseIdleConnections() }); can {
		next.CloseIdleConnections()
	}
}

// RoundTrip carries a request.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get(sdkHeader) == "" {
		return r.next.RoundTrip(request)
	}
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body.Close()
		request = request.Clone(request.Context())
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	number := r.write(line{Method: request.Method, URI: request.URL.RequestURI(), Header: request.Header, Body: body})
	response, err := r.next.RoundTrip(request)
	if err == nil {
		response.Body = &tee{ReadCloser: response.Body, whole: func(body []byte) {
			r.write(line{Number: number, Status: response.StatusCode, Header: response.Header, Body: body})
		}}
	}
	return response, err
}

// write gives a request its number.
func (r *recorder) write(l line) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.Method != "" {
		r.sent++
		l.Number = r.sent
		l.Header = l.Header.Clone()
		l.Header.Del("Authorization")
	}
	text, err := json.Marshal(l)
	if err == nil {
		_, err = r.file.Write(append(text, '\n'))
	}
	if err != nil {
		panic(fmt.Errorf("spectest: record a request: %w", err))
	}
	return l.Number
}

// tee keeps a body while it is read, and hands it over at its end.
type tee struct {
	io.ReadCloser
	kept  bytes.Buffer
	whole func(body []byte)
	ended bool
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.kept.Write(p[:n])
	if errors.Is(err, io.EOF) && !t.ended {
		t.ended = true
		t.whole(t.kept.Bytes())
	}
	return n, err
}
