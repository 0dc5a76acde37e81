package clerk

import (
	"net/http"
	"time"
)

// rateLimitView is the limit of the Backend API; it may be changed to see what
// a caller makes of it.
type rateLimitView struct {
	Requests int   `json:"requests"` // negative: no limit
	WindowMs int64 `json:"windowMs"`
}

func (c *Clerk) viewRateLimit() rateLimitView {
	return rateLimitView{Requests: c.limiter.allowed(c.now()), WindowMs: limitWindow.Milliseconds()}
}

func (c *Clerk) serveSetRateLimit(w http.ResponseWriter, r *http.Request) {
	var input struct {
		Requests *int `json:"requests"`
	}
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	if input.Requests == nil {
		c.fail(w, missing("requests"))
		return
	}
	c.limiter.allow(*input.Requests)
	writeJSON(w, http.StatusOK, c.viewRateLimit())
}

// serveResetRateLimit goes back to the configured limit.
func (c *Clerk) serveResetRateLimit(w http.ResponseWriter, _ *http.Request) {
	c.limiter.allow(c.rateLimit)
	writeJSON(w, http.StatusOK, c.viewRateLimit())
}

// leaseTime is how long a lease lifts the limits. Whoever needs them lifted renews it in time, so that
// they are back soon after a program that was killed.
const leaseTime = 10 * time.Second

// serveLease lifts the limits for leaseTime from now on.
func (c *Clerk) serveLease(w http.ResponseWriter, r *http.Request) {
	if err := readJSON(w, r, &struct{}{}); err != nil {
		c.fail(w, err)
		return
	}
	c.limiter.lift(c.now().Add(leaseTime))
	writeJSON(w, http.StatusOK, c.viewRateLimit())
}

// serveEndLease puts the limits back at once.
func (c *Clerk) serveEndLease(w http.ResponseWriter, _ *http.Request) {
	c.limiter.lift(time.Time{})
	writeJSON(w, http.StatusOK, c.viewRateLimit())
}
