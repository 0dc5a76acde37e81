package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
)

const mib = 1 << 20

// dial opens a connection to the program.
func (p *program) dial() net.Conn {
	p.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// cpu is the time that the program's threads have run so far, as the kernel counts it.
func (p *program) cpu() time.Duration {
	p.t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		p.t.Fatal(err, tasks)
	}
	var sum time.Duration
	for _, task := range tasks {
		content, err := os.ReadFile(task)
		if err != nil {
			p.t.Fatal(err)
		}
		ran, err := strconv.ParseInt(strings.Fields(string(content))[0], 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		sum += time.Duration(ran)
	}
	return sum
}

// resident is how many bytes of memory the program has.
func (p *program) resident() int {
	p.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(content))[1])
	if err != nil {
		p.t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// needsProc skips where the kernel does not say what a process uses.
func needsProc(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("what a process uses is read from /proc")
	}
}

// Whoever has no valid token cannot make the server work on a body. Each request has a connection of
// its own, as strangers can have one for each with or without a body.
func TestAGarbageTokenCostsNoMoreWithABody(t *testing.T) {
	t.Parallel()
	needsProc(t)
	p := start(t, dbtest.Dir(t))
	body := `{"query":"{ viewer { permissions } }","variables":{"x":[` + strings.TrimSuffix(strings.Repeat("0,", 127*1024), ",") + `]}}`
	ask := func(body string) {
		t.Helper()
		status, _, text := p.do(http.MethodPost, "/graphql", http.Header{
			"Content-Type": {"application/json"}, "Authorization": {"Bearer garbage"}, "Connection": {"close"},
		}, []byte(body))
		if status != 401 {
			t.Fatalf("got %d %s", status, text)
		}
	}
	const rounds, each = 10, 50
	var without, with time.Duration
	for range rounds {
		for _, round := range []struct {
			body string
			sum  *time.Duration
		}{{"", &without}, {body, &with}} {
			before := p.cpu()
			for range each {
				ask(round.body)
			}
			*round.sum += p.cpu() - before
		}
	}
	t.Logf("CPU of one request: %s without a body, %s with one of %d bytes", without/(rounds*each), with/(rounds*each), len(body))
	if with > 2*without {
		t.Errorf("with a body it costs %.1f times as much", float64(with)/float64(without))
	}
}

// Bodies that never end take little memory, and keep nobody out.
func TestHeldBodies(t *testing.T) {
	t.Parallel()
	needsProc(t)
	p := start(t, dbtest.Dir(t))
	token := p.token("ada", "acme")
	const held, most = 200, 40 * mib
	signed := fmt.Sprintf("svix-id: msg_held\r\nsvix-timestamp: %d\r\nsvix-signature: v1,AAAA", time.Now().Unix())
	for _, attack := range []struct {
		name, path, header string
		size               int
	}{
		{"webhooks", webhookPath, signed, mib},
		{"GraphQL without a token", "/graphql", "Content-Type: application/json", 16 << 10},
		{"GraphQL with a garbage token", "/graphql", "Content-Type: application/json\r\nAuthorization: Bearer garbage", 256 << 10},
	} {
		t.Run(attack.name, func(t *testing.T) {
			p.t = t
			before, start := p.resident(), time.Now()
			body := make([]byte, attack.size-1)
			conns := make([]net.Conn, held)
			for i := range conns {
				conns[i] = p.dial()
				go func() { // a body that is not read blocks its sender
					_, _ = fmt.Fprintf(conns[i], "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n%s", attack.path, attack.header, attack.size, body)
				}()
			}
			top := 0
			for range 20 {
				time.Sleep(100 * time.Millisecond)
				top = max(top, p.resident()-before)
			}
			t.Logf("%d held bodies take %.1f MiB", held, float64(top)/mib)
			if top > most {
				t.Errorf("they take more than %d MiB", most/mib)
			}
			if got := p.ask(token, `{ organization { name } }`, nil); got.At("organization", "name") != "Acme" {
				t.Errorf("somebody else: %s", got)
			}
			changed := p.control(http.MethodPatch, "memberships", variables{"user": "max", "organization": "acme", "role": "org:member"})
			if changed["delivered"] != true {
				t.Errorf("a webhook of Clerk's: %v", changed)
			}
			last := conns[held-1]
			_ = last.SetReadDeadline(start.Add(20 * time.Second))
			response, err := http.ReadResponse(bufio.NewReader(last), nil)
			if err != nil {
				t.Fatalf("a held body is not ended: %v", err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			t.Logf("after %s: %s", time.Since(start).Round(time.Second), response.Status)
		})
	}
}

// The log has one line of a request, with who asked.
func TestTheLogSaysWhoAsked(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t), "TENANTRY_LOG_FORMAT=json")
	ada, nora := p.token("ada", "acme"), p.token("nora", "")
	for id, test := range map[string]struct {
		token, query       string
		organization, user bool
	}{
		"request-of-ada":    {ada, `{ a: organization { id } b: organization { id } viewer { user { id } } }`, true, true},
		"request-of-nora":   {nora, `{ ` + strings.Repeat(`organization { id } `, 50) + `}`, false, true},
		"request-of-nobody": {"", `{ __typename }`, false, false},
		"request-refused":   {"garbage", `{ __typename }`, false, false},
	} {
		p.sendAs(id, test.token, "application/json", p.body(test.query, nil))
		var lines []map[string]any
		p.eventually("the line of "+id, func() bool { // it is written after the response
			lines = nil
			for line := range strings.Lines(p.stderr.String()) {
				var record map[string]any
				if json.Unmarshal([]byte(line), &record) == nil && record["request_id"] == id {
					lines = append(lines, record)
				}
			}
			return len(lines) > 0
		})
		if len(lines) != 1 || lines[0]["msg"] != "request" {
			t.Fatalf("%s: %d lines, %v", id, len(lines), lines)
		}
		organization, _ := lines[0]["organization_id"].(string)
		user, _ := lines[0]["user_id"].(string)
		if strings.HasPrefix(organization, "org_") != test.organization || strings.HasPrefix(user, "user_") != test.user {
			t.Errorf("%s: organization %q, user %q", id, organization, user)
		}
	}
}
