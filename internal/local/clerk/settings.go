package clerk

import "net/http"

// clerksOrganizationsEach is how many organizations a person may make in a new
// instance of Clerk.
const clerksOrganizationsEach = 100

// settings are what Clerk's dashboard says of organizations. Zero is no limit.
type settings struct {
	// MaxMemberships is that of organizations made from now on. Clerk begins
	// with 5, which somebody who tries things would only stumble over.
	MaxMemberships    int  `json:"maxMemberships"`
	OrganizationsEach int  `json:"organizationsEach"`
	SlugsOff          bool `json:"slugsOff"`
	AdminDeleteOff    bool `json:"adminDeleteOff"` // of organizations made from now on
}

func (c *Clerk) serveSettings(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, c.current.Load().Settings)
}

// serveChangeSettings changes what is given. No event tells of it, as in Clerk.
func (c *Clerk) serveChangeSettings(w http.ResponseWriter, r *http.Request) {
	var input struct {
		MaxMemberships    *int  `json:"maxMemberships"`
		OrganizationsEach *int  `json:"organizationsEach"`
		SlugsOff          *bool `json:"slugsOff"`
		AdminDeleteOff    *bool `json:"adminDeleteOff"`
	}
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	var now settings
	err := c.update(func(s *state) error {
		set(&s.Settings.MaxMemberships, input.MaxMemberships)
		set(&s.Settings.OrganizationsEach, input.OrganizationsEach)
		set(&s.Settings.SlugsOff, input.SlugsOff)
		set(&s.Settings.AdminDeleteOff, input.AdminDeleteOff)
		now = s.Settings
		for name, limit := range map[string]int{"maxMemberships": now.MaxMemberships, "organizationsEach": now.OrganizationsEach} {
			if limit < 0 {
				return &apiError{
					status: http.StatusUnprocessableEntity, code: "form_param_value_invalid",
					message: "is invalid", long: name + " must be 0, for no limit, or more.", param: name,
				}
			}
		}
		return nil
	})
	if err != nil {
		c.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, now)
}

// set writes a value that is given.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
