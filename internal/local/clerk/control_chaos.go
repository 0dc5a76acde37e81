package clerk

import "net/http"

// chaosView is what is done to deliveries on purpose, and what it has done
// since the start.
type chaosView struct {
	On bool `json:"on"`
	chaos
	Dropped    int64 `json:"dropped"`    // events
	Duplicated int64 `json:"duplicated"` // events
}

func (c *Clerk) viewChaos() chaosView {
	now := c.chaosNow()
	return chaosView{On: now.on(), chaos: now, Dropped: c.dropped.Load(), Duplicated: c.duplicated.Load()}
}

// serveSetChaos replaces what is in force; what is left out is off.
func (c *Clerk) serveSetChaos(w http.ResponseWriter, r *http.Request) {
	var input chaos
	err := readJSON(w, r, &input)
	if err == nil {
		err = input.check()
	}
	if err != nil {
		c.fail(w, err)
		return
	}
	c.setChaos(input)
	writeJSON(w, http.StatusOK, c.viewChaos())
}

func (c *Clerk) serveEndChaos(w http.ResponseWriter, _ *http.Request) {
	c.setChaos(chaos{})
	writeJSON(w, http.StatusOK, c.viewChaos())
}
