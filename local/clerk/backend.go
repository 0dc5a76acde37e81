package clerk

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// routeBackend adds what Clerk itself serves: the public JWKS of the Frontend
// API, and the Backend API, which asks for the secret key.
func (c *Clerk) routeBackend(mux *http.ServeMux) {
	mux.HandleFunc("GET /__clerk/.well-known/jwks.json", c.serveKeys)
	mux.Handle("GET /__clerk/backend/v1/jwks", c.withSecretKey(http.HandlerFunc(c.serveKeys)))
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
