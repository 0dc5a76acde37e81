package page_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/local/page"
)

func ask(method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, r)
	return w
}

// references are the files that a file of the page asks the browser for.
var references = regexp.MustCompile(`(?:src|href)="(/page/[^"]+)"|from '\./([^']+)'`)

// pageFiles are the page and all that it leads to, by path.
func pageFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	next := []string{"/"}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if _, done := files[path]; done {
			continue
		}
		w := ask("GET", path)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", path, w.Code)
		}
		files[path] = w.Body.String()
		for _, match := range references.FindAllStringSubmatch(files[path], -1) {
			if match[1] != "" {
				next = append(next, match[1])
			} else {
				next = append(next, "/page/"+match[2])
			}
		}
	}
	return files
}

func TestEveryFileIsServedForGood(t *testing.T) {
	t.Parallel()
	files := pageFiles(t)
	if len(files) < 15 {
		t.Fatalf("only %d files: the references were not followed", len(files))
	}
	for path := range files {
		header := ask("GET", path).Header()
		var want string
		switch path[strings.LastIndex(path, ".")+1:] {
		case "js":
			want = "text/javascript; charset=utf-8"
		case "css":
			want = "text/css; charset=utf-8"
		case "svg":
			want = "image/svg+xml"
		default:
			want = "text/html; charset=utf-8"
		}
		if got := header.Get("Content-Type"); got != want {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", path, header)
		}
	}
}

func TestPolicyAllowsTheOwnFilesOnly(t *testing.T) {
	t.Parallel()
	want := []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
	}
	for _, path := range []string{"/", "/page/main.js", "/page/none.js"} {
		got := ask("GET", path).Header().Get("Content-Security-Policy")
		if diff := cmp.Diff(want, strings.Split(got, "; ")); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// The SVG namespace is a name, not an address.
var address = regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^"' ]*`)

func TestNoFileNamesAnAddressOutside(t *testing.T) {
	t.Parallel()
	for path, content := range pageFiles(t) {
		for _, found := range address.FindAllString(content, -1) {
			if found != "http://www.w3.org/2000/svg" {
				t.Errorf("%s names %s", path, found)
			}
		}
		if strings.Contains(content, "innerHTML") || strings.Contains(content, "outerHTML") {
			t.Errorf("%s makes HTML of text", path)
		}
	}
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	t.Parallel()
	etag := ask("GET", "/").Header().Get("ETag")
	again := ask("GET", "/", "If-None-Match", etag)
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("with %s: status %d, %d bytes", etag, again.Code, again.Body.Len())
	}
	if other := ask("GET", "/page/main.js", "If-None-Match", etag); other.Code != http.StatusOK {
		t.Errorf("another file's ETag: status %d", other.Code)
	}
}

func TestOtherRequestsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"HEAD", "/", http.StatusOK},
		{"GET", "/index.html", http.StatusNotFound},
		{"GET", "/page/", http.StatusNotFound},
		{"GET", "/page/main.go", http.StatusNotFound},
		{"GET", "/page/../page.go", http.StatusNotFound},
		{"POST", "/", http.StatusMethodNotAllowed},
		{"DELETE", "/page/main.js", http.StatusMethodNotAllowed},
		{"POST", "/none", http.StatusNotFound},
	} {
		if got := ask(test.method, test.path); got.Code != test.status {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, got.Code, test.status)
		}
	}
}
