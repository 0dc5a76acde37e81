package spectest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const asChild = "TENANTRY_TEST_AS_CHILD"

// TestMain makes this binary be a suite of its own, too: of one request, to the address that the variable names.
func TestMain(m *testing.M) {
	url := os.Getenv(asChild)
	if url == "" {
		m.Run() // the testing package exits with its result
		return
	}
	end := Begin()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	must(err)
	request.Header.Set(sdkHeader, "go/test")
	response, err := http.DefaultClient.Do(request)
	must(err)
	_, err = io.Copy(io.Discard, response.Body)
	must(err)
	response.Body.Close()
	end()
}

func open(t *testing.T) *Specification {
	t.Helper()
	if os.Getenv(Variable) == "" {
		t.Skipf("%s is not set: it names the folder with Clerk's backend-api.yml", Variable)
	}
	s, err := Open(func(path string) bool {
		return strings.HasPrefix(path, "/organization") || strings.HasPrefix(path, "/users")
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What Clerk's specification does not name is seen, and what it names is not.
func TestRequestsAreHeldAgainstTheSpecification(t *testing.T) {
	t.Parallel()
	s := open(t)
	const create, jsonType = `{"name":"Acme","created_by":"user_1"}`, "application/json"
	for _, test := range []struct {
		method, path, body, contentType string
		valid                           bool
	}{
		{"GET", "/organizations?limit=500&offset=0&order_by=%2Bcreated_at", "", jsonType, true},
		{"GET", "/organizations?limit=501", "", jsonType, false},
		{"GET", "/organizations?limit=ten", "", jsonType, false},
		{"GET", "/organizations?page=2", "", jsonType, false},
		{"GET", "/users/count?limit=10", "", jsonType, true},
		{"GET", "/users/count?page=1", "", jsonType, false},
		{"GET", "/organisations", "", jsonType, false},
		{"PUT", "/organizations", create, jsonType, false},
		{"POST", "/organizations", create, jsonType, true},
		{"POST", "/organizations", create, "text/plain", false},
		{"POST", "/organizations", `{"created_by":"user_1"}`, jsonType, false},
		{"POST", "/organizations", `{"name":7}`, jsonType, false},
		{"POST", "/organizations", `{"name":"Acme","title":"Acme"}`, jsonType, false},
		{"POST", "/organizations", `null`, jsonType, false},
		{"DELETE", "/organizations/org_1", `null`, jsonType, true},
		{"DELETE", "/organizations/org_1", `{"force":true}`, jsonType, false},
		{"POST", "/organizations/org_1/memberships", `{"user_id":"user_1","role":"org:member"}`, jsonType, true},
		{"POST", "/organizations/org_1/memberships", `{"user_id":"user_1"}`, jsonType, false},
	} {
		x := Exchange{Method: test.method, Path: test.path, Body: []byte(test.body), Header: http.Header{"Content-Type": {test.contentType}}}
		summary := s.Judge([]Exchange{x, x})
		if valid := len(summary.Problems) == 0; valid != test.valid {
			t.Errorf("%s %s %s: %v", test.method, test.path, test.body, summary.Problems)
		}
		x.Header.Set(headerWrong, "on purpose")
		if summary := s.Judge([]Exchange{x}); len(summary.Problems) > 0 {
			t.Errorf("wrong on purpose, %s %s: %v", test.method, test.path, summary.Problems)
		}
	}
}

const (
	noUsers = `[]`
	refused = `{"errors":[{"code":"some_code","message":"m","long_message":"m"}],"clerk_trace_id":"0"}`
)

func TestAnswersAreHeldAgainstTheSpecification(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, test := range []struct {
		status            int
		body, contentType string
		valid             bool
	}{
		{200, noUsers, "application/json", true},
		{200, noUsers, "text/html", false},
		{200, `[{"object":"user"}]`, "application/json", false},
		{200, `[`, "application/json", false},
		{404, refused, "application/json", true},
		{404, `{"errors":"none"}`, "application/json", false},
		{500, `<html>`, "text/html", false},
	} {
		x := Exchange{Method: "GET", Path: "/users", Header: http.Header{}, Answer: &Answer{test.status, http.Header{"Content-Type": {test.contentType}}, []byte(test.body)}}
		if summary := s.Judge([]Exchange{x}); (len(summary.Problems) == 0) != test.valid || summary.Operations["GetUserList"].Answers != 1 {
			t.Errorf("%d %s: %v", test.status, test.body, summary)
		}
		x.Answer.Header.Set(HeaderStandIn, "a fake")
		if summary := s.Judge([]Exchange{x}); len(summary.Problems) > 0 || summary.Operations["GetUserList"].StandIns != 1 {
			t.Errorf("of a fake: %d %s: %v", test.status, test.body, summary)
		}
		x.Answer.Header.Del(HeaderStandIn)
		x.Header = http.Header{headerWrong: {"on purpose"}}
		if summary := s.Judge([]Exchange{x}); (len(summary.Problems) == 0) != test.valid {
			t.Errorf("of a request that is wrong on purpose: %d %s: %v", test.status, test.body, summary)
		}
	}
}

// A suite that sends something wrong fails, and says what.
func TestSuitesFailByTheirRequests(t *testing.T) {
	t.Parallel()
	open(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, map[bool]string{true: noUsers, false: `[{"object":"person"}]`}[r.URL.Query().Get("query") == ""])
	}))
	t.Cleanup(server.Close)
	for query, want := range map[string]string{
		"limit=10":           "specification: GetUserList",
		"limit=10&shoe=blue": "NOT VALID: GET /users?limit=10&shoe=blue: the specification names no parameter shoe",
		"query=wrong":        "NOT VALID: GET /users?query=wrong",
	} {
		suite := exec.Command(os.Args[0])
		suite.Env = append(os.Environ(), asChild+"="+server.URL+"/some/v1/users?"+query)
		output, err := suite.CombinedOutput()
		if !strings.Contains(string(output), want) || (err != nil) != strings.HasPrefix(want, "NOT VALID") {
			t.Errorf("%s: %v\n%s", query, err, output)
		}
	}
}

// What several processes recorded is read, also of one that was killed, and requests without an answer are there.
func TestRecordOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/users/cut" {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "short")
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	for range 2 {
		recorder, err := newRecorder(dir, http.DefaultTransport)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/v1/users", "/v1/users/cut", "/elsewhere"} {
			request, err := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader("sent"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer secret")
			if path != "/elsewhere" {
				request.Header.Set(sdkHeader, "go/test")
			}
			response, err := (&http.Client{Transport: recorder}).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(response.Body); path != "/v1/users/cut" && string(got) != "sent" || (err != nil) != (path == "/v1/users/cut") {
				t.Errorf("%s: %q %v", path, got, err)
			}
			response.Body.Close()
		}
		if _, err := recorder.file.WriteString(`{"number":3,"met`); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readRecord(dir)
	if err != nil || len(got) != 4 {
		t.Fatalf("%d exchanges, %v", len(got), err)
	}
	for i, x := range got {
		want := []string{"/users", "/users/cut"}[i%2]
		if x.Path != want || string(x.Body) != "sent" || (x.Answer != nil) != (want == "/users") || x.Header.Get("Authorization") != "" {
			t.Errorf("%d: %+v", i, x)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "odd.jsonl"), []byte("what\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRecord(dir); err == nil {
		t.Error("an odd record is read")
	}
}
