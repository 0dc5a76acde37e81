package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// stalled is how long a download may make no progress.
const stalled = 30 * time.Second

// relay stands between the downloading library and the repository. The library asks without a way to cancel, without a
// limit on silence, shows nothing, and takes a program whose checksum is missing; the relay adds all four.
type relay struct {
	url        string
	repository string
	progress   io.Writer
	server     *http.Server

	mu  sync.Mutex
	err error
}

func startRelay(ctx context.Context, repository string, progress io.Writer) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{url: "http://" + listener.Addr().String(), repository: repository, progress: progress}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: stalled, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *relay) close() { _ = r.server.Close() }

// failure is what went wrong on the way to the repository, which the library does not tell.
func (r *relay) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *relay) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	if err := r.pass(w, asked); err != nil {
		r.mu.Lock()
		r.err = errors.Join(r.err, err)
		r.mu.Unlock()
		// Not a status: the library goes on without a checksum that has not the status 200.
		panic(http.ErrAbortHandler)
	}
}

func (r *relay) pass(w http.ResponseWriter, asked *http.Request) error {
	ctx, cancel := context.WithCancelCause(asked.Context())
	defer cancel(nil)
	silence := time.AfterFunc(stalled, func() { cancel(fmt.Errorf("%s sent nothing for %v", r.repository, stalled)) })
	defer silence.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.repository+asked.URL.Path, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return explain(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL, answer.Status)
	}
	if answer.ContentLength >= 0 {
		w.Header().Set("Content-Length", fmt.Sprint(answer.ContentLength))
	}
	meter := &meter{total: answer.ContentLength, alive: func() { silence.Reset(stalled) }, report: r.progress}
	if strings.HasSuffix(asked.URL.Path, ".sha256") {
		meter.report = io.Discard
	}
	_, err = io.Copy(w, io.TeeReader(answer.Body, meter))
	return explain(ctx, err)
}

// explain prefers our reason for giving up to what it looks like from outside.
func explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// meter reports every tenth part of a download, or every 5 MB of one whose length is unknown.
type meter struct {
	total, read, reported int64
	alive                 func()
	report                io.Writer
}

func (m *meter) Write(part []byte) (int, error) {
	m.alive()
	m.read += int64(len(part))
	const mega = 1e6
	step := max(m.total/10, 1)
	if m.total <= 0 {
		step = 5 * mega
	}
	if m.read/step > m.reported {
		m.reported = m.read / step
		if m.total > 0 {
			fmt.Fprintf(m.report, "  %.1f of %.1f MB\n", float64(m.read)/mega, float64(m.total)/mega)
		} else {
			fmt.Fprintf(m.report, "  %.1f MB\n", float64(m.read)/mega)
		}
	}
	return len(part), nil
}
