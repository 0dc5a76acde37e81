package clerk

import (
	"net/http"
	"strings"
	"testing"
)

func TestOnlyLoopbackHostsAreAnswered(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for _, host := range []string{"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:65535"} {
		r := a.request("GET", statePath, nil)
		r.Host = host
		if response, data := a.send(r); response.StatusCode != http.StatusOK {
			t.Errorf("Host %s: %d %s", host, response.StatusCode, data)
		}
	}
	for _, host := range []string{
		"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "clerk.tenantry.localhost",
		"127.0.0.2", "0.0.0.0", "[::]", "[::2]:80", "localhost.", "localhost:", "localhost:x", "localhost:99999", "[localhost]:80",
	} {
		for _, path := range []string{statePath, publicKeysPath, backendKeysPath, "/__clerk/"} {
			r := a.request("GET", path, nil)
			r.Host = host
			a.refused(r, http.StatusMisdirectedRequest, "host_invalid")
		}
		r := a.request("POST", tokensPath, object{"user": "ada"})
		r.Host = host
		a.refused(r, http.StatusMisdirectedRequest, "host_invalid")
	}
	for _, host := range []string{"", "::1", "localhost]", "[::1", "user@localhost"} {
		if loopbackHost(host) {
			t.Errorf("Host %q was taken", host)
		}
	}
}

func TestOtherSitesCannotUseTheControlAPI(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	before := c.current.Load()
	remove := object{"organization": "acme", "user": "max"}

	for _, header := range [][2]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "http://localhost:9"},
		{"Origin", "null"},
	} {
		for method, path := range map[string]string{"POST": tokensPath, "DELETE": membershipsPath} {
			r := a.request(method, path, remove)
			r.Header.Set(header[0], header[1])
			a.refused(r, http.StatusForbidden, "origin_invalid")
		}
	}
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ";"} {
		r := a.request("DELETE", membershipsPath, remove)
		r.Header.Set("Content-Type", media)
		a.refused(r, http.StatusUnsupportedMediaType, "unsupported_content_type")
	}
	if c.current.Load() != before {
		t.Error("a refused request changed the state")
	}

	for _, method := range []string{"GET", "OPTIONS"} {
		r := a.request(method, statePath, nil)
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		response, _ := a.send(r)
		for name := range response.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s answers %s", method, name)
			}
		}
	}
	own := a.request("DELETE", membershipsPath, remove)
	own.Header.Set("Origin", a.base)
	own.Header.Set("Sec-Fetch-Site", "same-origin")
	own.Header.Set("Content-Type", "application/json; charset=utf-8")
	if response, data := a.send(own); response.StatusCode != http.StatusOK {
		t.Errorf("the page itself was refused: %d %s", response.StatusCode, data)
	}
}
