package mirror

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// sharesKept is the maximum number of organizations and users whose shares are remembered. A
// forgotten one starts afresh.
const sharesKept = 10_000

// shares limits each organization and each user to a quarter of a budget, so that a burst of one
// leaves the rest to others.
type shares struct {
	limit rate.Limit
	burst int
	each  *lru.Cache[string, *rate.Limiter]
}

func sharesOf(budget *rate.Limiter) *shares {
	each, err := lru.New[string, *rate.Limiter](sharesKept)
	if err != nil {
		panic(err) // the size is positive
	}
	return &shares{limit: budget.Limit() / 4, burst: (budget.Burst() + 3) / 4, each: each}
}

// of returns the limiter of an organization or a user.
func (s *shares) of(id string) *rate.Limiter {
	if known, found := s.each.Get(id); found {
		return known
	}
	fresh := rate.NewLimiter(s.limit, s.burst)
	if known, found, _ := s.each.PeekOrAdd(id, fresh); found {
		return known
	}
	return fresh
}

type payersKey struct{}

// withPayers returns a context whose requests to Clerk count against the shares of these
// organizations and users.
func withPayers(ctx context.Context, ids ...string) context.Context {
	return context.WithValue(ctx, payersKey{}, ids)
}

// pay waits until the shares of the context's payers, and then the whole budget, have room for a
// request. The budget comes last, so that a request that waits for a share holds no place in it.
func (c *carrier) pay(ctx context.Context, seen *sighting) error {
	payers, _ := ctx.Value(payersKey{}).([]string)
	for _, id := range payers {
		if id == "" || c.shares == nil {
			continue
		}
		if err := take(ctx, c.shares.of(id), seen); err != nil {
			return err
		}
	}
	return take(ctx, c.budget, seen)
}

// take waits for a limiter's next token. If that would take longer than ctx has, it returns
// context.DeadlineExceeded at once and notes the wait in seen.
func take(ctx context.Context, limiter *rate.Limiter, seen *sighting) error {
	place := limiter.Reserve()
	wait := place.Delay()
	if deadline, set := ctx.Deadline(); set && wait > 0 && time.Until(deadline) <= wait {
		place.Cancel()
		seen.overdrawn = wait
		return context.DeadlineExceeded
	}
	if wait > 0 && !sleep(ctx, wait) {
		place.Cancel()
	}
	return ctx.Err()
}
