// Command testcount reads the output of `go test -json` and says how many tests ran, with the output of those that
// failed. It fails on a failed test, on a skipped one that is not allowed by name, and when nothing ran at all, which
// `go test` takes for success. It knows nothing of this repository.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	allowed := flag.String("allow-skip", "", "comma-separated tests that may be skipped, as package.Test")
	flag.Parse()
	if !run(os.Stdin, os.Stdout, strings.Split(*allowed, ",")) {
		os.Exit(1)
	}
}

// run reports on the events in r and tells whether all is well.
func run(r io.Reader, w io.Writer, allowed []string) bool {
	c := newCount()
	if err := c.read(r); err != nil {
		fmt.Fprintf(w, "testcount: %v\n", err)
		return false
	}
	return c.report(w, allowed)
}
