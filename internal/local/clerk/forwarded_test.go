package clerk

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestForwardedRequestsOfThisMachineAreAnswered(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for _, headers := range []http.Header{
		{"X-Forwarded-Host": {"localhost:3000"}, "X-Forwarded-For": {"::1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"3000"}}, // Next
		{"X-Forwarded-Host": {"LOCALHOST:5173"}, "X-Forwarded-For": {"::ffff:127.0.0.1"}},                                                 // Vite
		{"X-Forwarded-For": {"127.0.0.1, ::1", "127.0.0.1:4000,\t[::1]:65535"}},
		{"X-Real-Ip": {"127.0.0.1"}, "X-Original-Host": {"[::1]"}},
		{"Forwarded": {`for=127.0.0.1;host=localhost:3000;proto=http, For="[::1]:123"; by="127.0.0.1"`, `host="localhost"`}},
	} {
		r := a.request("GET", statePath, nil)
		r.Header = headers
		if response, data := a.send(r); response.StatusCode != http.StatusOK {
			t.Errorf("%v: %d %s", headers, response.StatusCode, data)
		}
	}
}

func TestForwardedRequestsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	names := []string{
		"", " ", ",", "localhost,", "203.0.113.7", "127.0.0.1, 203.0.113.7", "203.0.113.7, 127.0.0.1", "evil.example", "app.ngrok.example:443",
		"localhost.evil.example", "localhost.", "app.localhost", "localhost:", "localhost:x", "localhost:99999", "127.0.0.1.evil.example",
		"127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "::", "[::]", "::2", "::1:80", "::1%lo", "[::1%lo]:80", "::ffff:203.0.113.7",
		"[127.0.0.1]", "[::1", "::1]", "[[::1]]", "fe80::1", "192.168.1.2", "10.0.0.1:80", "unknown", "_hidden", `"127.0.0.1"`, "127.0.0.1 203.0.113.7",
		"127.0.0.1;203.0.113.7", "for=127.0.0.1", "ｌocalhost", "127.0.0.1\u00a0",
	}
	for _, name := range forwardingHeaders {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("no header is called %s", name)
		}
		for _, value := range names {
			if forwardedFor(http.Header{name: {"localhost", value}}) != name {
				t.Errorf("%s: %q is taken", name, value)
			}
		}
	}
	for _, value := range []string{
		"", " ", ";", "for", "for=", "=127.0.0.1", "for=unknown", "for=_hidden", `for="_hidden:80"`, "for=203.0.113.7", "for=127.0.0.1;by=203.0.113.7",
		"FOR=203.0.113.7", "for=127.0.0.1, for=203.0.113.7", "for=203.0.113.7, for=127.0.0.1", "host=evil.example;for=127.0.0.1", `host="evil.example:80"`,
		`for="127.0.0.1`, `for=127.0.0.1"`, `for="127.0.0.1, for=127.0.0.1"`, `for="\127.0.0.1"`, `for=""127.0.0.1""`, `for="`, "for = 127.0.0.1",
		`for="[2001:db8::1]:123"`, "for=[::2]", "proto=evil.example", "proto=", "secret=127.0.0.1", "127.0.0.1", `for="127.0.0.1;x=evil.example"`,
	} {
		if forwardedFor(http.Header{"Forwarded": {"for=127.0.0.1", value}}) != "Forwarded" {
			t.Errorf("Forwarded: %q is taken", value)
		}
	}

	for _, path := range []string{statePath, publicKeysPath, backendKeysPath, "/__clerk/"} {
		for _, header := range [][2]string{{"x-forwarded-host", "evil.example"}, {"FORWARDED", "for=203.0.113.7"}, {"x-real-ip", "203.0.113.7"}} {
			r := a.request("GET", path, nil)
			r.Header.Set(header[0], header[1])
			a.refused(r, http.StatusMisdirectedRequest, "host_invalid")
		}
	}
}

// FuzzForwarded: no value panics, and of a value that is taken every word is a loopback name, or one
// of the few of a Forwarded header.
func FuzzForwarded(f *testing.F) {
	for _, value := range []string{"localhost:3000", "127.0.0.1, ::1", `for="[::1]:123";proto=http, host=localhost`, "for=_hidden", `for="a,b";`} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
			if forwardedFor(http.Header{name: {value}}) != "" {
				continue
			}
			for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",;=\" \t", r) }) {
				host, _, err := net.SplitHostPort(word)
				if err != nil {
					host = strings.Trim(word, "[]")
				}
				known := name == "Forwarded" && strings.Contains(" for by host proto http https ws wss ", " "+strings.ToLower(word)+" ")
				if ip := net.ParseIP(host); !known && !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
					t.Errorf("%s: %q is taken, with %q", name, value, word)
				}
			}
		}
	})
}
