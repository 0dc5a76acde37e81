package clerk

import "net/http"

// restrictionInput bans a person or locks their sign-in, or ends either; what
// is absent stays.
type restrictionInput struct {
	User   string `json:"user"`
	Banned *bool  `json:"banned"`
	Locked *bool  `json:"locked"`
}

type restrictionOutput struct {
	User   string `json:"user"` // handle
	Banned bool   `json:"banned"`
	Locked bool   `json:"locked"`
	deliveryOutput
}

func (c *Clerk) serveRestrictUser(w http.ResponseWriter, r *http.Request) {
	var input restrictionInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	var output restrictionOutput
	var err error
	output.deliveryOutput, err = c.updateAndAwait(r.Context(), func(s *state) (event string, err error) {
		u, err := s.user(input.User)
		if err != nil {
			return "", err
		}
		u, event, err = s.restrictUser(u.ID, input.Banned, input.Locked, c.now())
		output.User, output.Banned, output.Locked = u.Handle, u.Banned, u.Locked
		return event, err
	})
	if err != nil {
		c.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, output)
}
