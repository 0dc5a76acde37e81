package clerk

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

const backendPath = "/__clerk/backend/v1"

// endpoint makes the body of an answer. What is asked for is read from the
// path and the query; an error is a *apiError.
type endpoint func(k *catalog, r *http.Request, q *query) (any, error)

// endpoints are what of the Backend API is read from the state.
var endpoints = map[string]endpoint{
	"/organizations":                               listOrganizations,
	"/organizations/{id}":                          getOrganization,
	"/organizations/{id}/memberships":              listMembershipsOfOrganization,
	"/organizations/{id}/invitations":              listInvitationsOfOrganization,
	"/organizations/{id}/invitations/{invitation}": getInvitation,
	"/organizations/{id}/domains":                  listDomainsOfOrganization,
	"/organization_memberships":                    listMemberships,
	"/organization_invitations":                    listInvitations,
	"/organization_domains":                        listDomains,
	"/organization_roles":                          listRoles,
	"/organization_roles/{id}":                     getRole,
	"/organization_permissions":                    listPermissions,
	"/organization_permissions/{id}":               getPermission,
	"/users":                                       listUsers,
	"/users/count":                                 countUsers,
	"/users/{id}":                                  getUser,
	"/users/{id}/organization_memberships":         listMembershipsOfUser,
}

// routeBackend adds what Clerk itself serves: the public JWKS of the Frontend
// API, the reading half of the Backend API, and those of its writes that
// organizations, members and their rights need. Clerk limits how often
// everything but the JWKS is asked for.
func (c *Clerk) routeBackend(mux *http.ServeMux) {
	mux.HandleFunc("GET /__clerk/.well-known/jwks.json", c.serveKeys)

	limited := http.NewServeMux()
	for path, e := range endpoints {
		limited.Handle("GET "+backendPath+path, c.answer(e))
	}
	for _, w := range writes {
		limited.Handle(w.method+" "+backendPath+w.path, c.seldom(w, c.write(w)))
	}
	limited.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &apiError{
			status: http.StatusNotFound, code: "resource_not_found",
			message: "not found", long: "The local Clerk's Backend API does not serve this method and path.",
		})
	})

	keyed := http.NewServeMux()
	keyed.HandleFunc("GET "+backendPath+"/jwks", c.serveKeys)
	keyed.Handle("/", c.limited(limited))
	mux.Handle(backendPath+"/", c.dated(c.withSecretKey(keyed)))
}

// answer serves an endpoint. A query that cannot be answered as it was meant is
// refused, one with an unknown parameter too: its answer would be wrong.
func (c *Clerk) answer(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := newQuery(r.URL.Query())
		body, err := e(c.newestCatalog(), r, q)
		if err == nil {
			err = q.err()
		}
		if err != nil {
			c.fail(w, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}

// dated gives answers the time at which they were begun, so that nothing in
// them is older than it: a reader may take the Date for the moment of which
// the answer speaks.
func (c *Clerk) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", c.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

func (c *Clerk) serveKeys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, c.keys)
}

// withSecretKey lets only requests through that bear the instance's secret
// key.
func (c *Clerk) withSecretKey(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, key, found := strings.Cut(r.Header.Get("Authorization"), " ")
		if !found || !strings.EqualFold(scheme, "Bearer") {
			writeError(w, &apiError{
				status: http.StatusUnauthorized, code: "authentication_invalid",
				message: "Invalid authentication", long: "The Backend API needs the secret key as a Bearer token.",
			})
			return
		}
		given, wanted := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(c.SecretKey()))
		if subtle.ConstantTimeCompare(given[:], wanted[:]) != 1 {
			writeError(w, &apiError{
				status: http.StatusUnauthorized, code: "clerk_key_invalid",
				message: "The provided Clerk Secret Key is invalid.", long: "The secret key is not the one of this local Clerk.",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}
