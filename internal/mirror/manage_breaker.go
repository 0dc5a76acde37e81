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

// judgment is what a request to Clerk has shown about Clerk.
type judgment int

const (
	// undecided is the judgment of a request that was never sent, or that we gave up before Clerk
	// had its time.
	undecided judgment = iota
	clerkAnswered
	clerkFailed
)

// breaker keeps changes from waiting for a Clerk that does not answer.
type breaker struct {
	now      func() time.Time
	mu       sync.Mutex
	failures int
	until    time.Time
	// probing reports that a change was let through after a pause and has not been heard of.
	probing bool
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
	b.until, b.probing = now.Add(breakFor), true
	return 0
}

// heard notes what a change has shown about Clerk. If the one that was let through after a pause
// has shown nothing, the next one is let through at once.
func (b *breaker) heard(v judgment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch v {
	case clerkAnswered:
		b.failures, b.until = 0, time.Time{}
	case clerkFailed:
		if b.failures++; b.failures >= breakAfter {
			b.until = b.now().Add(breakFor)
		}
	case undecided:
		if b.probing {
			b.until = time.Time{}
		}
	}
	b.probing = false
}
