package clerk

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// apiError is a refusal in Clerk's form. Its texts hold names and ids only,
// never a token or a secret.
type apiError struct {
	status  int
	code    string // Clerk's, where it has one
	message string
	long    string
	param   string // the field at fault, if there is one
}

func (p *apiError) Error() string { return p.code + ": " + p.long }

type errorItem struct {
	Code        string         `json:"code"`
	Message     string         `json:"message"`
	LongMessage string         `json:"long_message"`
	Meta        map[string]any `json:"meta"`
}

type errorBody struct {
	Errors  []errorItem `json:"errors"`
	TraceID string      `json:"clerk_trace_id"`
}

func writeError(w http.ResponseWriter, p *apiError) {
	meta := map[string]any{}
	if p.param != "" {
		meta["param_name"] = p.param
	}
	trace := randomHex(16)
	w.Header().Set("Clerk-Trace-Id", trace) // Clerk's Go client reads it here
	writeJSON(w, p.status, errorBody{
		Errors:  []errorItem{{Code: p.code, Message: p.message, LongMessage: p.long, Meta: meta}},
		TraceID: trace,
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	// Without a charset, as Clerk answers: @clerk/backend reads no other media type as JSON.
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Only a caller that went away makes this fail.
	_ = json.NewEncoder(w).Encode(body)
}

// fail answers an error: a *apiError as it is, anything else without its text,
// which is logged.
func (c *Clerk) fail(w http.ResponseWriter, err error) {
	var p *apiError
	if !errors.As(err, &p) {
		c.log.Error("local Clerk: request failed", "error", err)
		p = &apiError{
			status: http.StatusInternalServerError, code: "internal_clerk_error",
			message: "internal error", long: "The local Clerk failed; its log says why.",
		}
	}
	writeError(w, p)
}

// user finds a person by handle or id. It returns a *apiError that lists the
// known ones.
func (s *state) user(name string) (user, error) {
	if name == "" {
		return user{}, missing("user")
	}
	u, known := find(s.Users, func(u user) bool { return u.Handle == name || u.ID == name })
	if !known {
		return user{}, s.unknownUser(name)
	}
	return u, nil
}

// organization finds an organization by slug or id. It returns a *apiError that
// lists the known ones.
func (s *state) organization(name string) (organization, error) {
	if name == "" {
		return organization{}, missing("organization")
	}
	o, known := find(s.Organizations, func(o organization) bool { return o.Slug == name || o.ID == name })
	if !known {
		return organization{}, s.unknownOrganization(name)
	}
	return o, nil
}

// role finds a role by its key, with or without org:. It returns a *apiError
// that lists the known ones.
func (s *state) role(name string) (role, error) {
	if name == "" {
		return role{}, missing("role")
	}
	r, known := s.roleByKey("org:" + strings.TrimPrefix(name, "org:"))
	if !known {
		return role{}, unknown("role", "resource_not_found", name, s.Roles, func(r role) string { return r.Key })
	}
	return r, nil
}

func (s *state) unknownUser(name string) *apiError {
	return unknown("user", "resource_not_found", name, s.Users, func(u user) string { return u.Handle }, " POST /users of the Backend API makes others.")
}

func (s *state) unknownOrganization(name string) *apiError {
	return unknown("organization", "organization_not_found_or_unauthorized", name, s.Organizations,
		func(o organization) string { return o.Slug })
}

// unknown names what there is, up to a readable number, and gives hints.
func unknown[T any](noun, code, name string, all []T, label func(T) string, hints ...string) *apiError {
	const most = 20
	labels := make([]string, 0, most+1)
	for _, item := range all {
		if len(labels) == most {
			labels = append(labels, "and more")
			break
		}
		labels = append(labels, label(item))
	}
	return &apiError{
		status: http.StatusNotFound, code: code, message: "not found", param: noun,
		long: "There is no " + noun + " " + quoted(name) + " here. Known: " + strings.Join(labels, ", ") + "." + strings.Join(hints, ""),
	}
}

// quoted shows a name that a caller gave, cut to a readable length.
func quoted(name string) string {
	const most = 80
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	return strconv.Quote(name)
}

func missing(param string) *apiError {
	return &apiError{
		status: http.StatusUnprocessableEntity, code: "form_param_nil",
		message: "is missing", long: param + " must be given.", param: param,
	}
}
