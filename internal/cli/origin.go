package cli

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// defaultPorts are left out by browsers when they write an origin, so a token's azp never has them.
var defaultPorts = map[string]string{"https": "443", "http": "80"}

// readAuthorizedParties reads the comma-separated origins of the frontends.
func (r *reader) readAuthorizedParties() []string {
	if r.flags.ClerkAuthorizedParties == "" {
		return nil
	}
	var list []string
	for _, text := range strings.Split(r.flags.ClerkAuthorizedParties, ",") {
		origin, ok := parseOrigin(strings.TrimSpace(text))
		if !ok {
			r.problems.add(varAuthorizedParties, "must be origins separated by commas: scheme://host or scheme://host:port, "+
				"without a path, a slash at the end or a wildcard, such as https://app.example.com")
			return nil
		}
		if !slices.Contains(list, origin) {
			list = append(list, origin)
		}
	}
	return list
}

// parseOrigin returns the origin as browsers write it: lower case, without the scheme's default port. Other schemes
// than http and https are those of native shells, such as capacitor://localhost.
func parseOrigin(text string) (origin string, ok bool) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || strings.HasSuffix(u.Host, ":") ||
		strings.ContainsAny(u.Host, "*'(),;!$&+= ") {
		return "", false
	}
	if u.Scheme+"://"+u.Host != strings.ToLower(text) {
		return "", false
	}
	if u.Port() != "" && u.Port() == defaultPorts[u.Scheme] {
		host, _, err := net.SplitHostPort(u.Host)
		if err != nil {
			return "", false
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return u.Scheme + "://" + host, true
	}
	return u.Scheme + "://" + u.Host, true
}
