package body

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

const (
	testSmall = 1 << 10
	testLimit = 64 << 10
)

// statuses are what the tests' server answers with.
var statuses = map[error]int{ErrTooLarge: 413, ErrSlow: 408, ErrBroken: 400, ErrNoRoom: 503}

// server answers with the size of the body, over real sockets. It counts the bytes it reads.
type server struct {
	*httptest.Server
	reader *Reader
	read   atomic.Int64
	// pause is how long it takes after it has read a body.
	pause time.Duration
}

// countingListener counts what is read from its connections.
type countingListener struct {
	net.Listener
	read *atomic.Int64
}

type countingConn struct {
	*net.TCPConn
	read *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn.(*net.TCPConn), l.read}, nil
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func newServer(t *testing.T, room int64, within time.Duration) *server {
	t.Helper()
	s := &server{reader: NewReader(testSmall, room)}
	s.reader.within = within
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			s.reader.Leave(w, r)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		content, err := s.reader.Read(w, r, testLimit)
		if err != nil {
			w.WriteHeader(statuses[err])
			return
		}
		defer content.Free()
		time.Sleep(s.pause)
		fmt.Fprintf(w, "%d %v", len(content.Bytes()), r.Context().Err())
	}))
	s.Listener = countingListener{s.Listener, &s.read}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// conn is one connection to the server.
type conn struct {
	net.Conn
	t      *testing.T
	reader *bufio.Reader
}

func (s *server) dial(t *testing.T) *conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &conn{c, t, bufio.NewReader(c)}
}

// send sends the head of a request and the beginning of its body.
func (c *conn) send(path string, length int, begin string) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, length, begin); err != nil {
		c.t.Fatal(err)
	}
}

// answer waits for the response.
func (c *conn) answer() (*http.Response, string) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response, string(text)
}

func TestBodiesAreReadWhole(t *testing.T) {
	t.Parallel()
	for _, size := range []int{
		0, 1, smallest - 1, smallest, smallest + 1, testSmall - 1, testSmall, testSmall + 1, testSmall + 2, 40_000, testLimit - 1, testLimit,
	} {
		want := []byte(strings.Repeat("abcdefghij", testLimit/10+1)[:size])
		for name, source := range map[string]io.Reader{
			"whole": bytes.NewReader(want), "in single bytes": iotest.OneByteReader(bytes.NewReader(want)),
			"with the end": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			r := NewReader(testSmall, testLimit)
			content, err := r.Read(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", source), testLimit)
			if err != nil {
				t.Errorf("%d bytes, %s: %v", size, name, err)
				continue
			}
			if !bytes.Equal(content.Bytes(), want) {
				t.Errorf("%d bytes, %s: another body was read", size, name)
			}
			if taken := r.used.Load(); taken > 0 && size <= testSmall || taken == 0 && size > testSmall+1 || taken > testLimit {
				t.Errorf("%d bytes, %s: they take %d", size, name, taken)
			}
			content.Free()
			if r.used.Load() != 0 {
				t.Errorf("%d bytes, %s: %d stay taken", size, name, r.used.Load())
			}
		}
	}
}

func TestOneByteTooMany(t *testing.T) {
	t.Parallel()
	r := NewReader(testSmall, 2*testLimit)
	for _, limit := range []int64{10, testSmall, testSmall + 1, testLimit} {
		source := bytes.NewReader(make([]byte, 2*testLimit))
		_, err := r.Read(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", source), limit)
		if read := 2*testLimit - int64(source.Len()); !errors.Is(err, ErrTooLarge) || read != limit+1 {
			t.Errorf("limit %d: %v after %d bytes", limit, err, read)
		}
	}
	if r.used.Load() != 0 {
		t.Errorf("%d bytes stay taken", r.used.Load())
	}
}

// Large bodies share the room. Small ones need none of it, and it comes back.
func TestLargeBodiesShareTheRoom(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 10*time.Second)
	held := s.dial(t)
	held.send("/", testLimit, strings.Repeat("x", testLimit-1))
	for deadline := time.Now().Add(10 * time.Second); s.reader.used.Load() < testLimit/2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	large := strings.Repeat("x", 10*testSmall)
	for what, size := range map[string]int{"large": len(large), "small": testSmall} {
		c := s.dial(t)
		c.send("/", size, large[:size])
		if response, _ := c.answer(); (response.StatusCode == http.StatusServiceUnavailable) != (what == "large") {
			t.Errorf("%s, beside the held one: %s", what, response.Status)
		}
	}
	_, _ = io.WriteString(held, "x")
	if response, text := held.answer(); response.StatusCode != http.StatusOK || text != fmt.Sprint(testLimit, " <nil>") {
		t.Errorf("the held one: %s %s", response.Status, text)
	}
	c := s.dial(t)
	c.send("/", len(large), large)
	if response, _ := c.answer(); response.StatusCode != http.StatusOK {
		t.Errorf("large, after the held one: %s", response.Status)
	}
}

func TestASlowBodyEnds(t *testing.T) {
	t.Parallel()
	const within = 200 * time.Millisecond
	s := newServer(t, testLimit, within)
	for name, drip := range map[string]bool{"nothing more": false, "a byte at a time": true} {
		c := s.dial(t)
		start := time.Now()
		c.send("/", testLimit, "begin")
		if drip {
			go func() {
				for {
					if _, err := io.WriteString(c, "x"); err != nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
		}
		response, _ := c.answer()
		if took := time.Since(start); response.StatusCode != http.StatusRequestTimeout || !response.Close || took < within || took > within+2*time.Second {
			t.Errorf("%s: %s after %s, close %t", name, response.Status, took, response.Close)
		}
	}
}

// What a request does once its body is read may take longer than a body may.
func TestTheDeadlineIsForTheBodyOnly(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 50*time.Millisecond)
	s.pause = 150 * time.Millisecond
	c := s.dial(t)
	for _, size := range []int{0, 10, 40_000, 10} {
		c.send("/", size, strings.Repeat("x", size))
		if response, text := c.answer(); response.StatusCode != http.StatusOK || text != fmt.Sprint(size, " <nil>") {
			t.Errorf("%d bytes: %s %s", size, response.Status, text)
		}
		time.Sleep(100 * time.Millisecond) // the next request may come later, too
	}
}

// A refused request is answered although its body was not sent, and what is not there is not waited for.
func TestRefusedBodiesAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 10*time.Second)
	for name, head := range map[string]string{
		"declared": fmt.Sprintf("Content-Length: %d\r\n\r\n", testLimit),
		"too long": fmt.Sprintf("Content-Length: %d\r\n\r\n", drainable+1),
		"chunked":  fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", testLimit),
		"expected": fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", testLimit),
	} {
		for _, sent := range []int{0, testLimit - 1} {
			c := s.dial(t)
			start := time.Now()
			before := s.read.Load()
			_, _ = fmt.Fprintf(c, "POST /refused HTTP/1.1\r\nHost: x\r\n%s%s", head, strings.Repeat("x", sent))
			response, _ := c.answer()
			if response.StatusCode != http.StatusUnauthorized || !response.Close {
				t.Errorf("%s, %d bytes: %s, close %t", name, sent, response.Status, response.Close)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s, %d bytes: it took %s", name, sent, took)
			}
			_, _ = io.Copy(io.Discard, c) // until the server has closed the connection
			if read := s.read.Load() - before; read > 4<<10 && name != "declared" {
				t.Errorf("%s, %d bytes: %d were read", name, sent, read)
			}
		}
	}
}

// A client that sends its whole request before it reads gets the response, as browsers do.
func TestARefusalReachesAClientThatSendsAll(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 10*time.Second)
	half := strings.Repeat("x", 64<<10)
	c := s.dial(t)
	c.send("/refused", 2*len(half), half)
	time.Sleep(drainWithin + 100*time.Millisecond)
	if _, err := io.WriteString(c, half); err != nil {
		t.Errorf("the client cannot send on: %v", err)
	}
	if response, _ := c.answer(); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %s", response.Status)
	}
}

// A body that is there when it is refused does not cost the client its connection.
func TestARefusedBodyThatIsThereKeepsTheConnection(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 10*time.Second)
	c := s.dial(t)
	for _, size := range []int{0, testSmall, drainable, drainable, 40_000, 0} {
		c.send("/refused", size, strings.Repeat("x", size))
		if response, _ := c.answer(); response.StatusCode != http.StatusUnauthorized || response.Close {
			t.Errorf("%d bytes: got %s, close %t", size, response.Status, response.Close)
		}
	}
}

// Only so many bodies are dropped at once, because each takes memory meanwhile.
func TestFewBodiesAreDroppedAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t, testLimit, 10*time.Second)
	for range drains {
		s.reader.draining <- struct{}{}
	}
	c := s.dial(t)
	c.send("/refused", drainable, strings.Repeat("x", drainable))
	if response, _ := c.answer(); response.StatusCode != http.StatusUnauthorized || !response.Close {
		t.Errorf("got %s, close %t", response.Status, response.Close)
	}
}
