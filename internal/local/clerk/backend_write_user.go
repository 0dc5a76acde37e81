package clerk

import (
	"net/http"
	"time"
)

func createUser(s *state, _ *http.Request, f *form, now time.Time) (any, error) {
	addresses, first, last := f.list("email_address"), given(f.text("first_name")), given(f.text("last_name"))
	// There is no sign-in here that these could be asked for in.
	f.ignore("password", "skip_password_checks", "skip_password_requirement", "skip_user_requirement", "skip_legal_checks")
	if addresses == nil || len(*addresses) != 1 {
		f.refuse("form_param_value_invalid", "email_address", "The local Clerk's users have one e-mail address.")
	} else if !isAddress((*addresses)[0]) {
		f.refuse("form_param_format_invalid", "email_address", "email_address must be a valid email address.")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	u, err := s.createUser((*addresses)[0], first, last, now)
	return s.userBody(u), err
}

func updateUser(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	first, last := f.text("first_name"), f.text("last_name")
	if err := f.err(); err != nil {
		return nil, err
	}
	u, err := s.changeUser(r.PathValue("id"), first, last, now)
	return s.userBody(u), err
}

// restrictUser is the change that bans or locks a person, or ends that.
func restrictUser(banned, locked *bool) change {
	return func(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
		u, _, err := s.restrictUser(r.PathValue("id"), banned, locked, now)
		return s.userBody(u), err
	}
}

func deleteUser(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	body, err := s.deleteUser(r.PathValue("id"), now)
	return body, err
}
