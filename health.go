package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// live says that the process lives, and nothing of what it depends on.
func live(w http.ResponseWriter, _ *http.Request) {
	answerHealth(w, http.StatusOK, map[string]string{"status": "live"})
}

// readiness says whether requests can be served: the database answers, there are keys to verify tokens with, and the
// server is not stopping. The migrations ran before it listened. A server whose requests use all of their connections is
// busy and ready: taking it out of the load balancer would leave more work to the others.
type readiness struct {
	parts    parts
	draining func() bool
}

func (h readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	status, checks := http.StatusOK, map[string]string{"status": "ready", "database": "ok", "migrations": "ok", "keys": "ok"}
	fail := func(check, why string) {
		status, checks["status"], checks[check] = http.StatusServiceUnavailable, "not ready", why
	}
	if h.draining() {
		fail("draining", "the server is stopping")
	}
	switch {
	case h.parts.store.Ping(ctx) != nil:
		fail("database", "does not answer")
	case h.parts.store.Busy():
		checks["database"] = "busy"
	}
	if h.parts.verifier.Ready() != nil {
		fail("keys", "not fetched from Clerk yet")
	}
	answerHealth(w, status, checks)
}

func answerHealth(w http.ResponseWriter, status int, answer map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}
