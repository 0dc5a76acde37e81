package spectest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Exchange is a request of Clerk's client, with its answer.
type Exchange struct {
	Method string
	// Path is below the API's URL, with the query behind it: /users?limit=10.
	Path   string
	Header http.Header
	Body   []byte
	// Answer is nil where none came whole.
	Answer *Answer
}

// Answer is what came.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// readRecord reads what all processes recorded.
func readRecord(dir string) (exchanges []Exchange, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		of, err := readLines(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		exchanges = append(exchanges, of...)
	}
	return exchanges, nil
}

// readLines reads the record of one process. The last line may be cut, where the process was killed.
func readLines(text []byte) ([]Exchange, error) {
	var exchanges []Exchange
	for raw := range bytes.Lines(text) {
		if !bytes.HasSuffix(raw, []byte("\n")) {
			break
		}
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, err
		}
		if l.Method == "" {
			exchanges[l.Number-1].Answer = &Answer{Status: l.Status, Header: l.Header, Body: l.Body}
			continue
		}
		path, err := below(l.URI)
		if err != nil {
			return nil, err
		}
		exchanges = append(exchanges, Exchange{Method: l.Method, Path: path, Header: l.Header, Body: l.Body})
	}
	return exchanges, nil
}

// below is what follows the API's URL, which ends in its version, as those do that the tests use.
func below(uri string) (string, error) {
	at, err := url.Parse(uri)
	if err != nil {
		return "", err
	}
	_, path, found := strings.Cut(at.EscapedPath(), "/v1/")
	if !found {
		return "", fmt.Errorf("%s is not below an API's URL", uri)
	}
	if at.RawQuery != "" {
		path += "?" + at.RawQuery
	}
	return "/" + path, nil
}

// anyOn tells whether an exchange is on a path of the specification.
func anyOn(exchanges []Exchange, template string) bool {
	for _, x := range exchanges {
		path, _, _ := strings.Cut(x.Path, "?")
		if SameRoute(path, template) {
			return true
		}
	}
	return false
}

// SameRoute tells whether paths are the same but for what stands for parameters of the second, or of both.
func SameRoute(one, other string) bool {
	a, b := strings.Split(one, "/"), strings.Split(other, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(b[i], "{") {
			return false
		}
	}
	return true
}
