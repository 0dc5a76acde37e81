package clerk

import "net/http"

// rateLimitView is the limit of the Backend API; it may be changed to see what
// a caller makes of it.
type rateLimitView struct {
	Requests int   `json:"requests"` // negative: no limit
	WindowMs int64 `json:"windowMs"`
}

func (c *Clerk) viewRateLimit() rateLimitView {
	return rateLimitView{Requests: c.limiter.allowed(), WindowMs: limitWindow.Milliseconds()}
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
