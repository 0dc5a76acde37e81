package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// The metrics stand on their own address, count what the mirror does, and name no organization, person or secret.
func TestMetrics(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t), "TENANTRY_METRICS_ADDR=127.0.0.1:0")
	secret, instanceID := p.clerkSecrets()
	now := time.Now()
	for id, body := range map[string][]byte{
		"msg_counted": organizationCreated(instanceID, "org_Counted", "Counted", now.Add(-90*time.Second)),
		"msg_ignored": []byte(`{"object":"event","type":"canary.created","data":{},"timestamp":1782900000000,"instance_id":"` + instanceID + `"}`),
		"msg_dead":    []byte("canary"),
	} {
		if status, _, _ := p.do(http.MethodPost, webhookPath, delivery(t, secret, id, now, body), body); status != 204 {
			t.Fatalf("%s: %d", id, status)
		}
	}
	text := p.metrics()
	for _, want := range []string{
		`tenantry_mirror_events_total{outcome="applied",type="organization.created"} 3`,
		`tenantry_mirror_events_total{outcome="ignored",type="unknown"} 1`,
		`tenantry_mirror_events_total{outcome="dead",type="unknown"} 1`,
		`tenantry_mirror_inbox_pending 0`, `tenantry_mirror_facts_in_memory 1`, `tenantry_mirror_dead_letters 1`, `tenantry_mirror_inbox_oldest_seconds 0`,
		"go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	// msg_counted is 90 s old; how many events the local Clerk sent beside it follows from roles.yml.
	lag := func(le string) int {
		_, after, _ := strings.Cut(text, `tenantry_mirror_apply_lag_seconds_bucket{le="`+le+`"} `)
		line, _, _ := strings.Cut(after, "\n")
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Errorf("the lag's bucket %s: %v", le, err)
		}
		return n
	}
	if within, older := lag("60"), lag("300"); within == 0 || older != within+1 {
		t.Errorf("%d events were applied within 60 s and %d within 300 s", within, older)
	}
	for _, leak := range []string{"canary", "org_", "user_", "acme", "whsec"} {
		if strings.Contains(text, leak) {
			t.Errorf("the metrics say %q", leak)
		}
	}
	if status, _, _ := p.do(http.MethodGet, "/metrics", nil, nil); status != 404 {
		t.Errorf("/metrics on the address of everybody: %d", status)
	}
	if t.Failed() {
		t.Log(text)
	}
}

// What the last finished comparison found is the same at every server, because it is read from the database.
func TestMetricsOfComparisons(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t), "TENANTRY_METRICS_ADDR=127.0.0.1:0")
	if text := p.metrics(); strings.Contains(text, "tenantry_mirror_drift") || strings.Contains(text, "last_sweep") || strings.Contains(text, "sweep_refused") {
		t.Errorf("before any comparison:\n%s", text)
	}
	p.control(http.MethodPost, "chaos", variables{"drop": 1})
	p.control(http.MethodPost, "memberships", variables{"organization": "acme", "user": "nora", "role": "org:member"})
	p.control(http.MethodPatch, "memberships", variables{"organization": "acme", "user": "max", "role": "org:admin"})
	p.control(http.MethodDelete, "memberships", variables{"organization": "globex", "user": "ada"})
	began := time.Now()
	if code, _, stderr := p.command("mirror", "backfill"); code != 0 {
		t.Fatalf("backfill: exit %d, %s", code, stderr)
	}
	text := p.metrics()
	for _, want := range []string{
		`tenantry_mirror_drift{kind="memberships",way="missing"} 1`, `tenantry_mirror_drift{kind="memberships",way="differing"} 1`,
		`tenantry_mirror_drift{kind="memberships",way="extra"} 1`, `tenantry_mirror_drift{kind="users",way="missing"} 0`,
		`tenantry_mirror_sweep_refused{kind="memberships"} 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	_, after, _ := strings.Cut(text, "\ntenantry_mirror_last_sweep_timestamp_seconds ")
	line, _, _ := strings.Cut(after, "\n")
	if at, err := strconv.ParseFloat(line, 64); err != nil || at < float64(began.Unix()) || at > float64(time.Now().Unix()+1) {
		t.Errorf("finished at %q, %v", line, err)
	}
}

// An address that was asked for and is taken stops the start; metrics can be off.
func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := launch(t, dbtest.Dir(t), "TENANTRY_METRICS_ADDR="+taken.Addr().String())
	<-p.exited
	if said := p.stderr.String(); !strings.Contains(said, "TENANTRY_METRICS_ADDR") {
		t.Errorf("with the address taken it says:\n%s", said)
	}
	if p = start(t, dbtest.Dir(t), "TENANTRY_METRICS_ADDR=off"); p.metricsAddr() != "" {
		t.Errorf("off, and still served at %s", p.metricsAddr())
	}
}

func (p *program) metricsAddr() string {
	p.t.Helper()
	note, err := os.ReadFile(filepath.Join(p.dir, ".tenantry", "server.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var running struct{ Metrics string }
	if err := json.Unmarshal(note, &running); err != nil {
		p.t.Fatal(err)
	}
	return running.Metrics
}

// metrics reads what Prometheus would.
func (p *program) metrics() string {
	p.t.Helper()
	response, err := http.Get("http://" + p.metricsAddr() + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}
