// Package spectest holds what Clerk's client sends in tests, and what it is answered, against Clerk's specification of the
// Backend API. It is for tests only, and knows nothing of what the requests are for.
package spectest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

const (
	// Variable names the folder of Clerk's OpenAPI specifications. Without it nothing is recorded.
	Variable = "TENANTRY_CLERK_OPENAPI"
	// variableRecord names the folder that the processes of one test binary record into.
	variableRecord = "TENANTRY_CLERK_RECORD"
)

// Begin has everything recorded that Clerk's client sends through http.DefaultTransport, in this process and in those that
// it starts, provided that they call Begin, too. It belongs at the beginning of TestMain. The function that it returns
// belongs at its end: it holds the record against the specification, prints how much that was, and exits with 1 where
// something is not valid. In processes that tests start, it does nothing.
func Begin() (end func()) {
	if dir := os.Getenv(variableRecord); dir != "" {
		must(install(dir))
		return func() {}
	}
	if os.Getenv(Variable) == "" {
		return func() {}
	}
	dir, err := os.MkdirTemp("", "tenantry-clerk-record")
	must(err)
	must(os.Setenv(variableRecord, dir))
	must(install(dir))
	return func() {
		valid := conclude(dir)
		os.RemoveAll(dir)
		if !valid {
			os.Exit(1)
		}
	}
}

func install(dir string) error {
	recorder, err := newRecorder(dir, http.DefaultTransport)
	if err == nil {
		http.DefaultTransport = recorder
	}
	return err
}

// conclude prints what a record comes to, and tells whether all of it is valid.
func conclude(dir string) bool {
	exchanges, err := readRecord(dir)
	must(err)
	if len(exchanges) == 0 {
		return true
	}
	s, err := Open(func(path string) bool { return anyOn(exchanges, path) })
	must(err)
	summary := s.Judge(exchanges)
	_, _ = io.WriteString(os.Stdout, summary.String())
	return len(summary.Problems) == 0
}

// must ends a test binary that cannot record what it was told to.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "spectest:", err)
		os.Exit(1)
	}
}

// specificationFile is where Clerk's specification of the Backend API is.
func specificationFile() string { return filepath.Join(os.Getenv(Variable), "backend-api.yml") }
