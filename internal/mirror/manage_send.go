package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"

	"github.com/tenantry/tenantry/models"
)

// said is an answer of Clerk's: a body and Clerk's time, in milliseconds.
type said struct {
	body json.RawMessage
	at   int64
}

// step is one change that Clerk is asked for.
type step struct {
	// send is a call of Clerk's client; it returns what came.
	send func(ctx context.Context) (*clerk.APIResponse, error)
	// look finds out whether a change whose answer was lost has happened. What it returns is of the shape of send's
	// answer, or has no body. Errors: errAbsent where it has not happened; one by our names where it cannot happen any
	// more; ErrBackendUnavailable, ErrUnauthorized or the context's where that could not be read.
	look func(ctx context.Context) (said, error)
	// read is what an answer changes in the copy.
	read func(said) ([]change, error)
	// role is the key of the role that somebody gets; "" where nobody gets one.
	role string
}

var errAbsent = errors.New("mirror: the change has not happened")

// ending is what one attempt of a change came to.
type ending int

const (
	// endedWell: Clerk did it; endedRefused: it did not.
	endedWell ending = iota
	endedRefused
	// endedUnsent: Clerk has not taken it, so that it can be sent again.
	endedUnsent
	// endedDoubtful: Clerk answered without saying what became of it; endedLost: no answer came, so that it may still happen.
	endedDoubtful
	endedLost
)

// attempt is one attempt of a change.
type attempt struct {
	ending  ending
	changes []change
	// err is the refusal, by our names.
	err error
	// wait is how long Clerk wants to be left alone.
	wait time.Duration
	// judgment is what the attempt has shown about Clerk.
	judgment judgment
}

// try sends a change once.
func (s step) try(ctx context.Context) (a attempt) {
	seen, sent := new(sighting), new(atomic.Bool)
	defer func() {
		a.judgment = seen.judgment()
		if a.ending == endedDoubtful {
			a.judgment = clerkFailed
		}
	}()
	response, err := s.send(httptrace.WithClientTrace(withSighting(ctx, seen), &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	}))
	switch status := seen.status; {
	case seen.overdrawn > 0:
		return attempt{ending: endedRefused, err: unavailable(seen.overdrawn)}
	case status == 0 && !sent.Load():
		return attempt{ending: endedUnsent}
	case status == 0, status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return attempt{ending: endedLost}
	case status == http.StatusTooManyRequests:
		return attempt{ending: endedUnsent, wait: max(seen.retryAfter, time.Second)}
	case status == http.StatusUnauthorized:
		return attempt{ending: endedRefused, err: ErrUnauthorized}
	case status >= http.StatusInternalServerError:
		return attempt{ending: endedDoubtful, wait: seen.retryAfter}
	case status >= http.StatusBadRequest:
		return refused(status, err)
	case err != nil || response == nil || len(response.RawJSON) == 0 || seen.date.IsZero():
		return attempt{ending: endedDoubtful}
	}
	changes, err := s.read(said{response.RawJSON, seen.date.UnixMilli()})
	if err != nil {
		return attempt{ending: endedDoubtful}
	}
	return attempt{changes: changes}
}

// refused is doubtful where it does not come from Clerk itself, but from something between.
func refused(status int, err error) attempt {
	var answered *clerk.APIErrorResponse
	if !errors.As(err, &answered) || len(answered.Errors) == 0 {
		return attempt{ending: endedDoubtful}
	}
	return attempt{ending: endedRefused, err: refusal(status, answered.Errors[0])}
}

// lookAfter are the pauses between looks for the outcome of a change; the last one is repeated.
var lookAfter = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second}

// looksEnough is how many reads that do not show a change show that it has not happened, where Clerk has answered.
const looksEnough = 2

// settle sends a change and returns what it changes in the copy. It is sent again only where Clerk has not taken it.
func (m *Manager) settle(ctx context.Context, s step) ([]change, error) {
	for tried := 1; ; tried++ {
		a := s.try(ctx)
		switch a.ending {
		case endedWell, endedRefused:
			m.breaker.heard(a.judgment)
			return a.changes, m.whatIsNotFound(ctx, s, a.err)
		case endedDoubtful, endedLost:
			m.breaker.heard(a.judgment)
			return m.lookFor(ctx, s, a)
		}
		wait := cmp.Or(a.wait, firstWait<<min(tried, 4))
		if deadline, _ := ctx.Deadline(); time.Until(deadline) <= wait || !sleep(ctx, wait) {
			m.breaker.heard(a.judgment)
			return nil, unavailable(wait)
		}
	}
}

// lookFor finds out by reading what became of a change.
func (m *Manager) lookFor(ctx context.Context, s step, a attempt) ([]change, error) {
	for i, absent := 0, 0; sleep(ctx, lookAfter[min(i, len(lookAfter)-1)]); i++ {
		found, err := s.look(ctx)
		switch {
		case errors.Is(err, errAbsent):
			if absent++; a.ending == endedDoubtful && absent >= looksEnough {
				return nil, unavailable(a.wait)
			}
			continue
		case errors.Is(err, ErrBackendUnavailable), errors.Is(err, ErrUnauthorized), err != nil && ctx.Err() != nil:
			continue // as long as there is time
		case err != nil:
			m.breaker.heard(clerkAnswered)
			return nil, err
		}
		if changes, err := s.read(found); err == nil {
			m.breaker.heard(clerkAnswered)
			return changes, nil
		}
	}
	return nil, models.ErrUnknownOutcome
}

// whatIsNotFound turns Clerk's answer that something was not found into an *InvalidError for the
// role, if the copy of Clerk has roles and this one is not among them. Clerk itself does not say
// which it was: the role, or who was to get it.
func (m *Manager) whatIsNotFound(ctx context.Context, s step, err error) error {
	if s.role == "" || !errors.Is(err, models.ErrNotFound) {
		return err
	}
	roles, unread := m.mirror.store.Roles(ctx)
	if unread != nil || len(roles) == 0 || slices.ContainsFunc(roles, func(r models.OrganizationRole) bool { return r.Key == s.role }) {
		return err
	}
	return models.Invalid("role", "is not accepted")
}

func unavailable(wait time.Duration) error {
	return &models.UpstreamError{RetryAfter: max(wait, time.Second)}
}

// sleep returns false where the time of ctx does not suffice.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
