package clerk

import (
	"net/http"
	"net/url"
	"time"
)

type tokenInput struct {
	User         string `json:"user"`
	Organization string `json:"organization"` // "": none active
	Version      int    `json:"version"`      // absent: 2
	Origin       string `json:"origin"`       // absent: the request's Origin
	// ProvedMinutesAgo is when the person last proved who they are; absent: just now.
	ProvedMinutesAgo int `json:"provedMinutesAgo"`
	// Actor is who acts in the person's name: person or agent; absent: nobody.
	Actor string `json:"actor"`
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
	if input.ProvedMinutesAgo < 0 {
		return request, &apiError{
			status: http.StatusUnprocessableEntity, code: "form_param_value_invalid",
			message: "is invalid", long: "provedMinutesAgo must be 0 or more.", param: "provedMinutesAgo",
		}
	}
	request.ProvedMinutesAgo = input.ProvedMinutesAgo
	if input.Actor != "" {
		if request.Actor = actors[input.Actor]; request.Actor == nil {
			return request, &apiError{
				status: http.StatusUnprocessableEntity, code: "form_param_value_invalid",
				message: "is invalid", long: "actor must be person or agent.", param: "actor",
			}
		}
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
