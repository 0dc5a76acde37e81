package mirror

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// Endpoint makes the real endpoint of a mirror. It is handed in, because this package may not know who opens it.
type Endpoint func(t testing.TB, m *Mirror, secret string) http.Handler

const endpointSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// senders deliver signed messages to an endpoint on a real HTTP server, eight at once, as Svix would.
type senders struct {
	url    string
	client *http.Client
	signer *svix.Webhook
	errors *logs // what the HTTP server says, such as that a handler panicked
}

const atOnce = 8

func newSenders(t testing.TB, handler http.Handler) *senders {
	t.Helper()
	signer, err := svix.NewWebhook(endpointSecret)
	if err != nil {
		t.Fatal(err)
	}
	s := &senders{signer: signer, errors: new(logs)}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(s.errors, nil), slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	s.url, s.client = server.URL, server.Client()
	s.client.Transport.(*http.Transport).MaxIdleConnsPerHost = atOnce
	return s
}

// message is what one delivery brings.
type message struct {
	id   string
	body []byte
}

// send delivers all messages and returns how long each took to be answered, and the whole. Any answer but 204 is an error.
func (s *senders) send(t testing.TB, messages []message) (each []time.Duration, all time.Duration) {
	t.Helper()
	each = make([]time.Duration, len(messages))
	next := make(chan int)
	began := time.Now()
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for i := range next {
				sent := time.Now()
				if status := s.post(t, messages[i]); status != http.StatusNoContent {
					t.Errorf("%s was answered %d", messages[i].id, status)
				}
				each[i] = time.Since(sent)
			}
		})
	}
	for i := range messages {
		next <- i
	}
	close(next)
	group.Wait()
	return each, time.Since(began)
}

func (s *senders) post(t testing.TB, m message) (status int) {
	t.Helper()
	at := time.Now()
	signature, err := s.signer.Sign(m.id, at, m.body)
	if err != nil {
		t.Error(err)
		return 0
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, bytes.NewReader(m.body))
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header = http.Header{
		"Svix-Id": {m.id}, "Svix-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Svix-Signature": {signature},
	}
	answer, err := s.client.Do(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// noPanic looks for one in what the mirror and the HTTP server have logged.
func (s *senders) noPanic(t testing.TB, f *fixture) {
	t.Helper()
	if said := f.logs.String() + s.errors.String(); strings.Contains(said, "panic") {
		t.Errorf("a panic:\n%s", said[strings.Index(said, "panic"):])
	}
}

func shuffle[T any](random *rand.Rand, all []T) {
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

// slowest returns the median, the 99th of a hundred and the longest.
func slowest(each []time.Duration) (half, most, longest time.Duration) {
	sorted := slices.Sorted(slices.Values(each))
	return sorted[len(sorted)/2], sorted[len(sorted)*99/100], sorted[len(sorted)-1]
}
