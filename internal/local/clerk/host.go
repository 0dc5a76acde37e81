package clerk

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// loopbackOnly answers only requests made on this machine, to one of its loopback names. A page of
// another site that points its own name at 127.0.0.1 (DNS rebinding) still sends that name as Host.
// A tunnel or proxy that lets other machines in may send a loopback Host, and names them in headers
// of its own.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			writeError(w, &apiError{
				status: http.StatusMisdirectedRequest, code: "host_invalid",
				message: "Invalid host", long: "The local Clerk answers localhost, 127.0.0.1 and [::1] only.",
			})
			return
		}
		if name := forwardedFor(r.Header); name != "" {
			writeError(w, &apiError{
				status: http.StatusMisdirectedRequest, code: "host_invalid", message: "Invalid host",
				long: "The local Clerk answers requests of this machine only, and " + name + " names another host or address.",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopbackHost(host string) bool {
	name := host
	if !strings.HasSuffix(host, "]") && strings.Contains(host, ":") {
		var port string
		var err error
		name, port, err = net.SplitHostPort(host)
		if err != nil {
			return false
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		// SplitHostPort takes the brackets away that a Host must have.
		if strings.HasPrefix(host, "[") {
			name = "[" + name + "]"
		}
	}
	return strings.EqualFold(name, "localhost") || name == "127.0.0.1" || name == "[::1]"
}
