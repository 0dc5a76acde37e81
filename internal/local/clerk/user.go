package clerk

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The rules of people, as changes of a state. Each queues its event. On a
// *apiError the state is to be thrown away, as update does.

// createUser makes a person, whose handle is the beginning of the address.
func (s *state) createUser(email, first, last string, now time.Time) (user, error) {
	email = strings.ToLower(email)
	if slices.ContainsFunc(s.Users, func(u user) bool { return strings.EqualFold(u.Email, email) }) {
		return user{}, &apiError{
			status: http.StatusUnprocessableEntity, code: "form_identifier_exists", message: "already exists",
			long: "There is a user with this address already.", param: "email_address",
		}
	}
	at := s.tick(now)
	plain, _, _ := strings.Cut(email, "@")
	handle := plain
	for n := 2; slices.ContainsFunc(s.Users, func(u user) bool { return u.Handle == handle }); n++ {
		handle = plain + "-" + strconv.Itoa(n)
	}
	u := user{
		ID: newID("user"), Handle: handle, FirstName: first, LastName: last,
		EmailID: newID("idn"), Email: email, CreatedAt: at, UpdatedAt: at,
	}
	s.Users = append(s.Users, u)
	_, err := s.emit("user.created", s.userBody(u), now)
	return u, err
}

// changeUser gives a person other names; nil stays.
func (s *state) changeUser(id string, first, last *string, now time.Time) (user, error) {
	i, err := s.userIndex(id)
	if err != nil {
		return user{}, err
	}
	u := s.Users[i]
	set(&u.FirstName, first)
	set(&u.LastName, last)
	u.UpdatedAt = s.tick(now)
	s.Users[i] = u
	_, err = s.emit("user.updated", s.userBody(u), now)
	return u, err
}

// restrictUser bans a person, locks their sign-in, or ends either; nil stays.
// What ends the sessions of a banned person in Clerk is here that they get no
// token: they have one session for good.
func (s *state) restrictUser(id string, banned, locked *bool, now time.Time) (u user, event string, err error) {
	i, err := s.userIndex(id)
	if err != nil {
		return user{}, "", err
	}
	u = s.Users[i]
	if banned != nil {
		u.Banned = *banned
	}
	if locked != nil {
		u.Locked = *locked
	}
	u.UpdatedAt = s.tick(now)
	s.Users[i] = u
	event, err = s.emit("user.updated", s.userBody(u), now)
	return u, event, err
}

func bannedUser(u user) *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "user_banned", message: "banned",
		long: u.Handle + " is banned and gets no token; `go run . clerk unban --user " + u.Handle + "` ends that.",
	}
}

// deleteUser deletes a person and their memberships, also the last that could
// run an organization. One event tells of it all.
func (s *state) deleteUser(id string, now time.Time) (deletedBody, error) {
	i, err := s.userIndex(id)
	if err != nil {
		return deletedBody{}, err
	}
	s.Users = slices.Delete(s.Users, i, i+1)
	s.Memberships = slices.DeleteFunc(s.Memberships, func(m membership) bool { return m.UserID == id })
	body := deletedBody{Object: "user", ID: id, Deleted: true}
	_, err = s.emit("user.deleted", body, now)
	return body, err
}

func (s *state) userIndex(id string) (int, error) {
	i := slices.IndexFunc(s.Users, func(u user) bool { return u.ID == id })
	if i < 0 {
		return 0, gone("user", id)
	}
	return i, nil
}
