// Package page is the page at / in local mode, where a person asks the server
// as one of the local Clerk's people; it is independent of the other rooms and
// meets them in the browser, over HTTP.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed files
var embedded embed.FS

// policy lets the page use its own files and nothing else, and no script may
// turn a string into HTML.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'"

// mediaTypes are spelled out, because those of the machine's own table may
// differ, and browsers refuse a module of another type.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one answer, complete.
type file struct {
	content   []byte
	mediaType string
	etag      string
}

// Handler serves the page at / and its files below /page/. Other paths are 404,
// other methods than GET and HEAD 405.
func Handler() http.Handler {
	files := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		served, known := files[r.URL.Path]
		if !known {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
			return
		}
		header.Set("Content-Type", served.mediaType)
		// Kept, but asked for again each time: the next build of the server
		// may listen on the same address.
		header.Set("Cache-Control", "no-cache")
		header.Set("ETag", served.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(served.content))
	})
}

// load reads the embedded files by the path that each is served at. It panics
// on a file of an unknown type, which is a mistake in this package.
func load() map[string]file {
	files := map[string]file{}
	err := fs.WalkDir(embedded, "files", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		mediaType, known := mediaTypes[path.Ext(name)]
		if !known {
			return fmt.Errorf("%s has no media type", name)
		}
		at := strings.TrimPrefix(name, "files")
		if at == "/index.html" {
			at = "/"
		}
		sum := sha256.Sum256(content)
		files[at] = file{content, mediaType, `"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		panic("page: " + err.Error())
	}
	return files
}
