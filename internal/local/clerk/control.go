package clerk

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// The control API stands for what people do in Clerk's dashboard and
// components. It is for the page and the commands of this machine.

// maxControlBody bounds a request to the control API.
const maxControlBody = 64 << 10

func (c *Clerk) routeControl(mux *http.ServeMux) {
	control := http.NewServeMux()
	control.HandleFunc("GET /__clerk/control/v1/state", c.serveState)
	control.HandleFunc("POST /__clerk/control/v1/tokens", c.serveToken)
	control.HandleFunc("POST /__clerk/control/v1/memberships", c.serveAddMembership)
	control.HandleFunc("PATCH /__clerk/control/v1/memberships", c.serveSetRole)
	control.HandleFunc("DELETE /__clerk/control/v1/memberships", c.serveRemoveMembership)
	control.HandleFunc("POST /__clerk/control/v1/invitations/accept", c.serveAcceptInvitation)
	control.HandleFunc("PATCH /__clerk/control/v1/users", c.serveRestrictUser)
	control.HandleFunc("GET /__clerk/control/v1/settings", c.serveSettings)
	control.HandleFunc("PATCH /__clerk/control/v1/settings", c.serveChangeSettings)
	control.HandleFunc("POST /__clerk/control/v1/chaos", c.serveSetChaos)
	control.HandleFunc("DELETE /__clerk/control/v1/chaos", c.serveEndChaos)
	control.HandleFunc("POST /__clerk/control/v1/rate-limit", c.serveSetRateLimit)
	control.HandleFunc("DELETE /__clerk/control/v1/rate-limit", c.serveResetRateLimit)
	control.HandleFunc("POST /__clerk/control/v1/rate-limit/lease", c.serveLease)
	control.HandleFunc("DELETE /__clerk/control/v1/rate-limit/lease", c.serveEndLease)
	control.HandleFunc("POST /__clerk/control/v1/temporary-users", c.serveAddTemporaryUser)
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
