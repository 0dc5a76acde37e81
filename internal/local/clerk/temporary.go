package clerk

import (
	"net/http"
	"slices"
)

// Temporary users are made for one run of a program, such as `tenantry probe`, which deletes them and
// the organizations that they made when it is done. What a killed program left is deleted when the
// local Clerk is opened again. The mark is not part of Clerk's API, so no name, address or metadata
// that somebody chooses can set it.

func (c *Clerk) serveAddTemporaryUser(w http.ResponseWriter, r *http.Request) {
	var input struct {
		Email     string `json:"email"`
		FirstName string `json:"firstName"`
		LastName  string `json:"lastName"`
	}
	err := readJSON(w, r, &input)
	if err == nil && !isAddress(input.Email) {
		err = &apiError{
			status: http.StatusUnprocessableEntity, code: "form_param_format_invalid",
			message: "is invalid", long: "email must be a valid email address.", param: "email",
		}
	}
	if err != nil {
		c.fail(w, err)
		return
	}
	var made user
	err = c.update(func(s *state) (err error) {
		if made, err = s.createUser(input.Email, input.FirstName, input.LastName, c.now()); err != nil {
			return err
		}
		s.Users[len(s.Users)-1].Temporary = true
		return nil
	})
	if err != nil {
		c.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, userView{made.ID, made.Handle, made.FirstName, made.LastName, made.Email})
}

// deleteTemporary deletes the temporary users and their organizations, and queues the events.
func (c *Clerk) deleteTemporary() error {
	was := c.current.Load()
	if !slices.ContainsFunc(was.Users, func(u user) bool { return u.Temporary }) &&
		!slices.ContainsFunc(was.Organizations, func(o organization) bool { return o.Temporary }) {
		return nil
	}
	return c.update(func(s *state) error {
		for _, o := range was.Organizations {
			if o.Temporary {
				if _, err := s.deleteOrganization(o.ID, c.now()); err != nil {
					return err
				}
			}
		}
		for _, u := range was.Users {
			if u.Temporary {
				if _, err := s.deleteUser(u.ID, c.now()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
