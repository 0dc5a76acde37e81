// Package body reads request bodies within bounds of size, time and memory. It does not know what
// is in them.
package body

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Within is the time that a body has to arrive.
const Within = 10 * time.Second

const (
	// smallest is the size that a buffer starts with.
	smallest = 512

	// A refused body of up to drainable bytes that is there already is read and dropped, in steps of
	// drainStep, because that costs less than the new connection that the client would need: 256 KiB
	// took 60 to 100 µs of CPU and a connection 200, beside 80 for the refusal. More than drains at
	// once, or what has not arrived within drainWithin, is not read.
	drainable   = 256 << 10
	drainStep   = 64 << 10
	drains      = 32
	drainWithin = 100 * time.Millisecond
)

// Why a body was not read. ErrNoRoom is the only one that is not the client's fault.
var (
	ErrTooLarge = errors.New("the body is too large")
	ErrSlow     = errors.New("the body did not arrive in time")
	ErrBroken   = errors.New("the body could not be read to its end")
	ErrNoRoom   = errors.New("too many bytes of bodies are in memory")
)

// Reader reads bodies and bounds how many of their bytes are in memory at once. Small bodies are
// not counted, so that slow large ones cannot keep them out.
type Reader struct {
	small, room int64
	within      time.Duration
	// used is how much of the room is taken.
	used    atomic.Int64
	buffers sync.Pool
	// draining has an element for each body that is being dropped.
	draining chan struct{}
	steps    sync.Pool
}

// NewReader returns a reader of bodies. What bodies have beyond the first small bytes of each may
// be room bytes together.
func NewReader(small, room int64) *Reader {
	return &Reader{
		small: small, room: room, within: Within,
		draining: make(chan struct{}, drains),
		steps:    sync.Pool{New: func() any { return new([drainStep]byte) }},
	}
}

// Body is a body that was read. Free must be called once, when nothing reads its bytes any more.
type Body struct {
	reader *Reader
	bytes  []byte
	// taken is how much of the reader's room this body has.
	taken int64
}

// Bytes returns the content. It is valid until Free is called.
func (b *Body) Bytes() []byte { return b.bytes }

// Free gives the memory back.
func (b *Body) Free() {
	b.reader.used.Add(-b.taken)
	b.taken = 0
	if b.bytes = b.bytes[:0]; int64(cap(b.bytes)) <= b.reader.uncounted() {
		b.reader.buffers.Put(b)
	}
}

// Read reads the body of a request, of at most limit bytes. It returns one of the errors above, and
// then the connection is closed after the response.
func (r *Reader) Read(w http.ResponseWriter, request *http.Request, limit int64) (*Body, error) {
	b, ok := r.buffers.Get().(*Body)
	if !ok {
		b = &Body{reader: r}
	}
	// A ResponseWriter that knows no deadlines has no connection that could be slow.
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Now().Add(r.within))
	if err := b.fill(request.Body, limit); err != nil {
		b.Free()
		abandon(w)
		return nil, err
	}
	// net/http reads on, to notice a client that hangs up, and must not take the deadline for that.
	_ = controller.SetReadDeadline(time.Time{})
	return b, nil
}

// fill reads the source to its end. The buffer grows with what arrives, not with what was declared.
func (b *Body) fill(source io.Reader, limit int64) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			if !b.grow(limit) {
				return ErrNoRoom
			}
		}
		// One byte more than the limit shows that the body is too large.
		n, err := source.Read(b.bytes[len(b.bytes):min(int64(cap(b.bytes)), limit+1)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return ErrTooLarge
		case err == io.EOF:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ErrSlow
		case err != nil:
			return ErrBroken
		}
	}
}

// grow doubles the buffer and reports whether there was room for it.
func (b *Body) grow(limit int64) bool {
	size := max(smallest, 2*int64(cap(b.bytes)))
	if uncounted := b.reader.uncounted(); int64(cap(b.bytes)) < uncounted {
		size = min(size, uncounted)
	}
	size = min(size, limit+1)
	if more := size - b.reader.uncounted() - b.taken; more > 0 {
		if b.reader.used.Add(more) > b.reader.room {
			b.reader.used.Add(-more)
			return false
		}
		b.taken += more
	}
	grown := make([]byte, len(b.bytes), size)
	copy(grown, b.bytes)
	b.bytes = grown
	return true
}

// uncounted is the size up to which a buffer needs no room: a small body, and the byte more that
// shows a larger one.
func (r *Reader) uncounted() int64 { return r.small + 1 }

// Leave prepares the response to a request whose body is not wanted. The connection is kept if the
// body is small, which net/http reads, or can be dropped at once, and closed after the response
// otherwise.
func (r *Reader) Leave(w http.ResponseWriter, request *http.Request) {
	small := 0 <= request.ContentLength && request.ContentLength <= r.small
	if !small && !r.drain(w, request) {
		abandon(w)
	}
}

// drain drops a body and reports whether it came to its end.
func (r *Reader) drain(w http.ResponseWriter, request *http.Request) bool {
	// Reading from a client that waits for "100 Continue" would ask for the body.
	if request.ContentLength < 0 || request.ContentLength > drainable || request.Header.Get("Expect") != "" {
		return false
	}
	select {
	case r.draining <- struct{}{}:
		defer func() { <-r.draining }()
	default:
		return false
	}
	controller := http.NewResponseController(w)
	if controller.SetReadDeadline(time.Now().Add(drainWithin)) != nil {
		return false
	}
	step := r.steps.Get().(*[drainStep]byte)
	defer r.steps.Put(step)
	for {
		if _, err := request.Body.Read(step[:]); err == io.EOF {
			return controller.SetReadDeadline(time.Time{}) == nil
		} else if err != nil {
			return false
		}
	}
}

// abandon makes net/http close the connection after the response without reading the rest of the
// body. By itself it would read up to 256 KiB, even with "Connection: close".
func abandon(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	// A MaxBytesReader that is over its limit is the only way to have net/http wait a moment before
	// it closes the connection, so that the client can read the response first.
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0).Read(make([]byte, 1))
}
