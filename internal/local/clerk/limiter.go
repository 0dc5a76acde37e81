package clerk

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// developmentLimit is how many requests Clerk's Backend API answers a
// development instance in each limitWindow. A production instance has ten times
// as many.
const (
	developmentLimit = 100
	limitWindow      = 10 * time.Second
)

// limiter counts the requests of one window of time after the other.
type limiter struct {
	mu     sync.Mutex
	most   int           // in one window; negative: as many as there are
	window time.Duration // 0: limitWindow
	begun  time.Time
	made   int
	lifted time.Time // until then there is no limit
}

// allow sets how many requests a window has and begins a new one.
func (l *limiter) allow(most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most, l.made, l.begun = most, 0, time.Time{}
}

// lift takes the limit away until a moment; a past one puts it back.
func (l *limiter) lift(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lifted = until
}

// allowed is how many requests a window has now; negative: as many as there are.
func (l *limiter) allowed(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.lifted) {
		return -1
	}
	return l.most
}

// take counts a request. Where the window has none left it returns how long
// that lasts, which is 0 otherwise.
func (l *limiter) take(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.lifted) {
		return 0
	}
	age := now.Sub(l.begun)
	window := cmp.Or(l.window, limitWindow)
	if age < 0 || age >= window {
		l.begun, l.made, age = now, 0, 0
	}
	if l.most >= 0 && l.made >= l.most {
		return window - age
	}
	l.made++
	return 0
}

// idle tells whether a window is over, so that nothing is counted any more.
func (l *limiter) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.begun) >= cmp.Or(l.window, limitWindow)
}

// limited refuses requests above the limit. It comes after the secret key: who
// has none must not use up the instance's requests.
func (c *Clerk) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait := c.limiter.take(c.now())
		if wait == 0 {
			next.ServeHTTP(w, r)
			return
		}
		tooMany(w, wait, strconv.Itoa(c.limiter.allowed(c.now()))+" requests in 10 s")
	})
}

func tooMany(w http.ResponseWriter, wait time.Duration, most string) {
	// Whole seconds, rounded up: who comes back then is answered.
	seconds := (wait + time.Second - 1) / time.Second
	w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	writeError(w, &apiError{
		status: http.StatusTooManyRequests, code: "too_many_requests",
		message: "Too many requests", long: "The Backend API answers " + most + ". Retry-After says when it answers again.",
	})
}
