package mirror

import (
	"sync"
	"time"
)

const (
	// breakAfter is how many changes in a row must have failed for want of an answer before further ones are refused at
	// once, and breakFor how long that lasts. Then one is let through to see.
	breakAfter = 5
	breakFor   = 15 * time.Second
)

// breaker keeps changes from waiting for a Clerk that does not answer.
type breaker struct {
	now      func() time.Time
	mu       sync.Mutex
	failures int
	until    time.Time
}

func newBreaker(now func() time.Time) *breaker { return &breaker{now: now} }

// refuses returns how long it goes on refusing; 0 lets the caller pass. Of those that come after the pause, one passes for
// each further pause until an answer comes.
func (b *breaker) refuses() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return 0
	}
	now := b.now()
	if wait := b.until.Sub(now); wait > 0 {
		return wait
	}
	b.until = now.Add(breakFor)
	return 0
}

// heard notes whether Clerk answered.
func (b *breaker) heard(answered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if answered {
		b.failures, b.until = 0, time.Time{}
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.until = b.now().Add(breakFor)
	}
}
