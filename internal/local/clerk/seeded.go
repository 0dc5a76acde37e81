package clerk

import "net/http"

// The ids of what is seeded in every local Clerk.
var (
	SeededAda    = seededID("user", "Ada")
	SeededGus    = seededID("user", "Gus")
	SeededAcme   = seededID("org", "Acme")
	SeededGlobex = seededID("org", "Globex")
)

// LoopbackOnly keeps another local handler to loopback Hosts, as Handler is.
func LoopbackOnly(next http.Handler) http.Handler { return loopbackOnly(next) }
