package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	t.Parallel()
	const (
		pass = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"quiet words\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`
		skip = `{"Action":"output","Package":"p","Test":"TestS/sub","Output":"no database\n"}
{"Action":"skip","Package":"p","Test":"TestS/sub"}
`
	)
	for name, test := range map[string]struct {
		in      string
		ok      bool
		shows   []string
		closing string
	}{
		"passes":             {pass, true, nil, "1 passed, 0 failed, 0 skipped"},
		"a package of none":  {pass + `{"Action":"skip","Package":"q"}`, true, nil, "1 passed, 0 failed, 0 skipped"},
		"nothing at all":     {"", false, []string{"no test ran"}, "0 passed, 0 failed, 0 skipped"},
		"only skips":         {skip, false, []string{"no test ran", "SKIPPED p.TestS/sub"}, "0 passed, 0 failed, 1 skipped"},
		"a skip":             {pass + skip, false, []string{"SKIPPED p.TestS/sub", "no database"}, "1 passed, 0 failed, 1 skipped"},
		"a skip that may be": {pass + strings.ReplaceAll(skip, "TestS/sub", "TestMay"), true, []string{"skipped, as allowed: p.TestMay"}, "1 passed, 0 failed, 1 skipped"},
		"a failure": {
			pass + `{"Action":"output","Package":"q","Test":"TestB","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"q","Test":"TestB"}
{"Action":"output","Package":"q","Output":"FAIL\n"}
{"Action":"fail","Package":"q"}`, false, []string{"FAILED q.TestB", "got 1, want 2"}, "1 passed, 1 failed, 0 skipped",
		},
		"a panic": {
			pass + `{"Action":"run","Package":"q","Test":"TestB"}
{"Action":"output","Package":"q","Test":"TestB","Output":"panic: oh\n"}
{"Action":"fail","Package":"q"}`, false, []string{"FAILED q.TestB", "panic: oh"}, "1 passed, 1 failed, 0 skipped",
		},
		"no build": {
			pass + `{"Action":"build-output","ImportPath":"q [q.test]","Output":"q/x.go:1: syntax error\n"}
{"Action":"build-fail","ImportPath":"q [q.test]"}
{"Action":"fail","Package":"q","FailedBuild":"q [q.test]"}`, false, []string{"syntax error", "FAILED q"}, "1 passed, 1 failed, 0 skipped",
		},
		"TestMain failed": {
			pass + `{"Action":"output","Package":"q","Output":"no PostgreSQL\n"}
{"Action":"fail","Package":"q"}`, false, []string{"FAILED q", "no PostgreSQL"}, "1 passed, 1 failed, 0 skipped",
		},
		"not JSON": {pass + "go: cannot find main module\n", false, nil, `testcount: not an event of go test -json: "go: cannot find main module"`},
	} {
		var out bytes.Buffer
		ok := run(strings.NewReader(test.in), &out, []string{"p.TestMay"})
		printed := strings.TrimSuffix(out.String(), "\n")
		if closing := printed[strings.LastIndex(printed, "\n")+1:]; ok != test.ok || closing != test.closing {
			t.Errorf("%s: ok %v, closing %q", name, ok, closing)
		}
		for _, want := range test.shows {
			if !strings.Contains(printed, want) {
				t.Errorf("%s: %q is not in %s", name, want, printed)
			}
		}
		if strings.Contains(printed, "quiet words") {
			t.Errorf("%s: shows what a passing test printed", name)
		}
	}
}
