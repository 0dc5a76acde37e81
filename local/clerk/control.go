package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// The control API stands for what people do in Clerk's dashboard and
// components. It is for the page and the commands of this machine.

// maxControlBody bounds a request to the control API.
const maxControlBody = 64 << 10

// firstAttemptWait bounds how long a change waits for its event's first
// delivery attempt.
const firstAttemptWait = 5 * time.Second

func (c *Clerk) routeControl(mux *http.ServeMux) {
	control := http.NewServeMux()
	control.HandleFunc("GET /__clerk/control/v1/state", c.serveState)
	control.HandleFunc("POST /__clerk/control/v1/tokens", c.serveToken)
	control.HandleFunc("POST /__clerk/control/v1/memberships", c.serveAddMembership)
	control.HandleFunc("PATCH /__clerk/control/v1/memberships", c.serveSetRole)
	control.HandleFunc("DELETE /__clerk/control/v1/memberships", c.serveRemoveMembership)
	control.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{
			status: http.StatusNotFound, code: "resource_not_found",
			message: "not found", long: "The control API has no such method and path.",
		})
	})
	// Without this any web page open on this machine could post here.
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{
			status: http.StatusForbidden, code: "origin_invalid",
			message: "Invalid origin", long: "The control API takes changes from its own origin only.",
		})
	}))
	mux.Handle("/__clerk/control/", protection.Handler(control))
}

type tokenInput struct {
	User         string `json:"user"`
	Organization string `json:"organization"` // "": none active
	Version      int    `json:"version"`      // absent: 2
	Origin       string `json:"origin"`       // absent: the request's Origin
}

type tokenOutput struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
}

func (c *Clerk) serveToken(w http.ResponseWriter, r *http.Request) {
	input := tokenInput{Version: 2, Origin: r.Header.Get("Origin")}
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	request, err := c.current.Load().tokenRequest(input)
	if err != nil {
		c.fail(w, err)
		return
	}
	signed, expires, err := c.token(request)
	if err != nil {
		c.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, tokenOutput{Token: signed, ExpiresAt: expires})
}

func (s *state) tokenRequest(input tokenInput) (tokenRequest, error) {
	request := tokenRequest{Version: input.Version}
	u, err := s.user(input.User)
	if err != nil {
		return request, err
	}
	request.UserID = u.ID
	if input.Organization != "" {
		o, err := s.organization(input.Organization)
		if err != nil {
			return request, err
		}
		request.OrganizationID = o.ID
	}
	if input.Version != 1 && input.Version != 2 {
		return request, badVersion()
	}
	// "null" is what browsers send where an origin must not be told.
	if input.Origin != "" && input.Origin != "null" {
		origin, err := url.Parse(input.Origin)
		if err != nil || origin.Scheme == "" || origin.Host == "" || input.Origin != origin.Scheme+"://"+origin.Host {
			return request, &apiError{
				status: http.StatusUnprocessableEntity, code: "form_param_value_invalid",
				message: "is invalid", long: "origin must look like http://localhost:3000.", param: "origin",
			}
		}
		request.Origin = input.Origin
	}
	return request, nil
}

type memberInput struct {
	Organization string `json:"organization"`
	User         string `json:"user"`
}

type roleInput struct {
	memberInput
	Role string `json:"role"`
}

type membershipOutput struct {
	Membership membershipView `json:"membership"`
	// Delivered tells whether the first attempt to deliver the event was
	// answered 2xx, within the wait; it is retried otherwise.
	Delivered  bool  `json:"delivered"`
	DeliveryMs int64 `json:"deliveryMs"`
}

func (c *Clerk) serveAddMembership(w http.ResponseWriter, r *http.Request) {
	var input roleInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input.memberInput, func(s *state, o organization, u user) (membership, string, error) {
		role, err := s.role(input.Role)
		if err != nil {
			return membership{}, "", err
		}
		return s.addMembership(o, u, role.Key, c.now())
	})
}

func (c *Clerk) serveSetRole(w http.ResponseWriter, r *http.Request) {
	var input roleInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input.memberInput, func(s *state, o organization, u user) (membership, string, error) {
		role, err := s.role(input.Role)
		if err != nil {
			return membership{}, "", err
		}
		return s.setRole(o, u, role.Key, c.now())
	})
}

func (c *Clerk) serveRemoveMembership(w http.ResponseWriter, r *http.Request) {
	var input memberInput
	if err := readJSON(w, r, &input); err != nil {
		c.fail(w, err)
		return
	}
	c.changeMembership(w, r, input, func(s *state, o organization, u user) (membership, string, error) {
		return s.removeMembership(o, u, c.now())
	})
}

// changeMembership makes a change, waits for its event's first attempt and
// answers both.
func (c *Clerk) changeMembership(w http.ResponseWriter, r *http.Request, input memberInput,
	change func(*state, organization, user) (membership, string, error),
) {
	var (
		view      membershipView
		event     string
		attempted <-chan error
	)
	err := c.update(func(s *state) error {
		o, err := s.organization(input.Organization)
		if err != nil {
			return err
		}
		u, err := s.user(input.User)
		if err != nil {
			return err
		}
		m, id, err := change(s, o, u)
		if err != nil {
			return err
		}
		view = s.viewMembership(m)
		// Before the event is published, or its attempt could be over first.
		event, attempted = id, c.attempts.expect(id)
		return nil
	})
	defer c.attempts.forget(event)
	if err != nil {
		c.fail(w, err)
		return
	}
	started := time.Now()
	delivered := c.awaitAttempt(r.Context(), attempted)
	writeJSON(w, http.StatusOK, membershipOutput{
		Membership: view, Delivered: delivered, DeliveryMs: time.Since(started).Milliseconds(),
	})
}

// awaitAttempt tells whether the first attempt came in time and was answered
// 2xx.
func (c *Clerk) awaitAttempt(ctx context.Context, attempted <-chan error) bool {
	if !c.running.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	select {
	case err, made := <-attempted:
		return made && err == nil
	case <-ctx.Done():
		return false
	}
}

// readJSON reads one JSON object. It returns a *apiError for another media
// type, which a form or a simple cross-origin request would have, for what is
// not JSON, too large, or has unknown fields.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return &apiError{
			status: http.StatusUnsupportedMediaType, code: "unsupported_content_type",
			message: "Unsupported content type", long: "Send application/json.",
		}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more than one value")
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &apiError{
			status: http.StatusRequestEntityTooLarge, code: "request_body_invalid",
			message: "Request body invalid", long: "The body is too large.",
		}
	}
	return &apiError{
		status: http.StatusBadRequest, code: "request_body_invalid",
		message: "Request body invalid", long: "The body is not the JSON object wanted here: " + err.Error() + ".",
	}
}
