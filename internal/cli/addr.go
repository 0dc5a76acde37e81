package cli

import (
	"net"
	"strconv"
)

// readAddr gives the address to listen on. The local Clerk makes tokens for whoever asks, so with it the server stays
// on loopback: an address without a host is 127.0.0.1, and another host is refused.
func (r *reader) readAddr(mode Mode) string {
	if r.flags.Addr == "" {
		return r.defaultAddr(mode)
	}
	host, port, err := net.SplitHostPort(r.flags.Addr)
	if err != nil || !isPort(port) {
		r.problems.add(varAddr, "must be host:port, such as 127.0.0.1:8080")
		return ""
	}
	if mode != ModeLocal {
		return r.flags.Addr
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if !isLoopback(host) {
		r.problems.add(varAddr, "must be a loopback address (127.0.0.1, [::1] or localhost) while there are no Clerk keys: "+
			"the local Clerk gives a token to whoever asks")
		return ""
	}
	return net.JoinHostPort(host, port)
}

// readMetricsAddr gives the address of /metrics, "" for none, and whether it is only the default.
func (r *reader) readMetricsAddr() (addr string, ifFree bool) {
	switch addr = r.flags.MetricsAddr; addr {
	case "":
		return "127.0.0.1:9464", true
	case "off":
		return "", false
	}
	if _, port, err := net.SplitHostPort(addr); err != nil || !isPort(port) {
		r.problems.add(varMetricsAddr, "must be host:port, such as 127.0.0.1:9464, or off")
	}
	return addr, false
}

// defaultAddr is loopback, or with live keys every address, on the port that hosting platforms name in PORT.
func (r *reader) defaultAddr(mode Mode) string {
	if mode != ModeProduction {
		return "127.0.0.1:8080"
	}
	if r.port == "" {
		return ":8080"
	}
	if !isPort(r.port) {
		r.problems.add(varPort, "must be a port number")
		return ""
	}
	return ":" + r.port
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
