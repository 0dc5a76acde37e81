package clerk

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardingHeaders are those in which proxies and tunnels name whom a request came from, or which
// host it was made to: a list of names and addresses, each with or without a port.
var forwardingHeaders = []string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-By",
	"X-Original-Host", "X-Original-Forwarded-For", "X-Host", "X-Real-Ip", "X-Remote-Addr", "X-Remote-Ip",
	"X-Client-Ip", "X-Cluster-Client-Ip", "X-Envoy-External-Address", "X-Azure-Clientip",
	"Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip", "Fly-Client-Ip",
}

// forwardedFor returns the first header that names something other than a loopback host or address,
// or "" if there is none. Development servers on this machine set such headers themselves, with
// loopback names; what cannot be read counts as another machine.
func forwardedFor(header http.Header) string {
	for _, name := range forwardingHeaders {
		for _, value := range header[name] {
			if slices.ContainsFunc(strings.Split(value, ","), func(s string) bool { return !loopbackName(trim(s)) }) {
				return name
			}
		}
	}
	for _, value := range header["Forwarded"] {
		// No loopback name has a comma or a semicolon. A quoted text with one falls into parts that
		// are refused, because their quotes do not match.
		pairs := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' })
		if len(pairs) == 0 || slices.ContainsFunc(pairs, func(s string) bool { return !loopbackPair(trim(s)) }) {
			return "Forwarded"
		}
	}
	return ""
}

// loopbackPair reports whether a pair of a Forwarded header, such as for="[::1]:80", names nothing
// but this machine.
func loopbackPair(pair string) bool {
	name, value, _ := strings.Cut(pair, "=")
	if inner, quoted := strings.CutPrefix(value, `"`); quoted {
		if value, quoted = strings.CutSuffix(inner, `"`); !quoted {
			return false
		}
	}
	switch strings.ToLower(name) {
	case "for", "by", "host":
		return loopbackName(value)
	case "proto":
		return slices.Contains([]string{"http", "https", "ws", "wss"}, strings.ToLower(value))
	}
	return false
}

// loopbackName reports whether a text is a loopback host or address, with or without a port.
func loopbackName(name string) bool {
	if loopbackHost(name) {
		return true
	}
	for _, withPort := range []string{name, name + ":0"} {
		if address, err := netip.ParseAddrPort(withPort); err == nil {
			return loopbackAddress(address.Addr())
		}
	}
	address, err := netip.ParseAddr(name) // IPv6 without brackets, as in X-Forwarded-For
	return err == nil && loopbackAddress(address)
}

// loopbackAddress also takes ::ffff:127.0.0.1, which Node.js calls an IPv4 client on a socket for
// both families.
func loopbackAddress(address netip.Addr) bool {
	return address.Zone() == "" && address.IsLoopback()
}

func trim(s string) string { return strings.Trim(s, " \t") }
