package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

const (
	attempts      = 5
	firstWait     = 250 * time.Millisecond
	longestWait   = time.Minute
	longestAnswer = 32 << 20
)

// carrier is the transport below Clerk's client, which has neither retries nor a budget of its own.
type carrier struct {
	next   http.RoundTripper
	budget *rate.Limiter
	// shares are the organizations' and users' parts of the budget. Nil if they are not limited.
	shares  *shares
	timeout time.Duration
	logger  *slog.Logger
}

// newCarrier keeps within a fifth of Clerk's limit, which is 1000 requests in 10 s for live instances and 100 for others:
// what a burst takes is taken off the rate.
func newCarrier(config BackendConfig) *carrier {
	budget := rate.NewLimiter(1.8, 2)
	if liveKey(config.SecretKey) {
		budget = rate.NewLimiter(18, 20)
	}
	return &carrier{next: config.Transport, budget: budget, timeout: config.AttemptTimeout, logger: config.Logger}
}

// sighting is what of an answer Clerk's client does not pass on, above all with an error.
type sighting struct {
	status int
	date   time.Time
	// retryAfter is how long Clerk wants to be left alone; 0 where it does not say.
	retryAfter time.Duration
	// overdrawn is how long the request would have had to wait for our own budget. 0 unless that
	// was too long.
	overdrawn time.Duration
	// failed reports that Clerk failed at the request, see unanswered.
	failed bool
}

// judgment returns what a request has shown about Clerk.
func (s *sighting) judgment() judgment {
	switch {
	case s.failed:
		return clerkFailed
	case s.status != 0:
		return clerkAnswered // a limit is an answer, too
	}
	return undecided
}

type sightingKey struct{}

func withSighting(ctx context.Context, s *sighting) context.Context {
	return context.WithValue(ctx, sightingKey{}, s)
}

// RoundTrip carries a GET, again and again where it may help; anything else once.
func (c *carrier) RoundTrip(request *http.Request) (*http.Response, error) {
	seen, ok := request.Context().Value(sightingKey{}).(*sighting)
	if !ok {
		seen = new(sighting)
	}
	tries := 1
	if request.Method == http.MethodGet {
		tries = attempts
	}
	for try := 1; ; try++ {
		if err := c.pay(request.Context(), seen); err != nil {
			return nil, err
		}
		started := time.Now()
		response, err := c.attempt(request, seen)
		if err != nil {
			seen.failed = seen.failed || c.unanswered(request.Context(), started)
		} else {
			seen.failed = response.StatusCode >= http.StatusInternalServerError
		}
		if try == tries || request.Context().Err() != nil || err == nil && !transient(response.StatusCode) {
			return response, err
		}
		wait := pause(try, response)
		if response != nil {
			c.logger.Debug("mirror: Clerk's Backend API is asked again", "status", response.StatusCode, "wait", wait)
			response.Body.Close()
		} else {
			c.logger.Debug("mirror: Clerk's Backend API is asked again", "wait", wait, "error", err)
		}
		select {
		case <-time.After(wait):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
}

// unanswered reports whether an attempt without an answer is Clerk's failure: the connection
// failed, the attempt's own time passed, or the caller gave up after at least half of that time. A
// caller who gave up earlier says nothing about Clerk.
func (c *carrier) unanswered(caller context.Context, started time.Time) bool {
	return caller.Err() == nil || time.Since(started) >= c.timeout/2
}

// attempt reads the whole answer, so that its time is bounded, too.
func (c *carrier) attempt(request *http.Request, seen *sighting) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), c.timeout)
	defer cancel()
	response, err := c.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > longestAnswer {
		return nil, fmt.Errorf("an answer of more than %d bytes", longestAnswer)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	seen.status = response.StatusCode
	if seen.date, err = http.ParseTime(response.Header.Get("Date")); err != nil {
		seen.date = time.Time{}
	}
	if seen.retryAfter, err = retryAfter(response.Header.Get("Retry-After")); err != nil {
		seen.retryAfter = 0
	}
	return response, nil
}

func transient(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// pause is how long to wait after a failed attempt: what Clerk asks for, or ever longer; never the same for two servers.
func pause(try int, response *http.Response) time.Duration {
	wait := firstWait << try
	if response != nil {
		if asked, err := retryAfter(response.Header.Get("Retry-After")); err == nil {
			wait = asked
		}
	}
	wait = min(wait, longestWait)
	return wait + rand.N(wait/4+time.Millisecond)
}

var errNoRetryAfter = errors.New("no Retry-After")

func retryAfter(header string) (time.Duration, error) {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, nil
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(time.Until(at), 0), nil
	}
	return 0, errNoRetryAfter
}
