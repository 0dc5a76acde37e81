package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/local/clerk"
)

// proving reports whether the long form of a test is wanted: more rounds, and limits on time. Beside other tests time says
// little, so the short form only reports it.
var proving = os.Getenv("TENANTRY_PROVE") != ""

// buildProgram builds the program as a user does, without the race detector, so that its memory and CPU time are those of
// a server.
func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenantry")
	if output, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	return path
}

// service is the built program under attack, and a client for each side: Ada and Max of Acme attack, Gus of Globex goes on
// working.
type service struct {
	*program
	client *http.Client
}

// startService starts the built program on a fresh database that fill has filled.
func startService(t *testing.T, binary string, fill ...string) *service {
	t.Helper()
	config := dbtest.Config(t)
	settings := append(databaseEnv(config), "TENANTRY_LOG_LEVEL=warn")
	p := launchBinary(t, binary, dbtest.Dir(t), settings...)
	p.await()
	conn, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range fill {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 300}
	t.Cleanup(transport.CloseIdleConnections)
	return &service{program: p, client: &http.Client{Transport: transport, Timeout: time.Minute}}
}

// controlCharacters is a document table's worst content: each of 32,768 characters takes six bytes in JSON.
func controlCharacters(documents int) string {
	return fmt.Sprintf(`INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at)
		SELECT '%s', gen_random_uuid(), 'Bomb ' || n, repeat(chr(1), 32768), '%s', 1, now() + n * interval '1 ms', now()
		FROM generate_series(1, %d) AS n`, clerk.SeededAcme, clerk.SeededAda, documents)
}

func manyDocuments(documents int) string {
	return fmt.Sprintf(`INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at)
		SELECT '%s', gen_random_uuid(), 'Document ' || n, 'Short.', '%s', 1, now() - n * interval '1 ms', now()
		FROM generate_series(1, %d) AS n`, clerk.SeededAcme, clerk.SeededAda, documents)
}

func manyColleagues(members int) string {
	return fmt.Sprintf(`INSERT INTO members (organization_id, user_id, id, role, name, email, joined_at)
		SELECT '%s', 'user_Crowd' || n, gen_random_uuid(), 'org:member', initcap(substr(md5(n::text), 1, 6)) || ' '
			|| initcap(substr(md5(n::text), 7, 6)), substr(md5(n::text), 1, 6) || n || '@example.com', now() + n * interval '1 ms'
		FROM generate_series(1, %d) AS n`, clerk.SeededAcme, members)
}

// reply is one answer as a client sees it.
type reply struct {
	status int
	code   string
	bytes  int
	took   time.Duration
	body   []byte
}

// post sends an operation. An error is a connection that broke, which no attack may cause.
func (s *service) post(token, query string) (reply, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequest(http.MethodPost, s.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	began := time.Now()
	response, err := s.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{status: response.StatusCode, bytes: len(text), took: time.Since(began), body: text}
	r.code = gqltest.Read(s.t, r.status, text).Code()
	return r, nil
}

// must is post for an operation of a test of its own goroutine.
func (s *service) must(token, query string) reply {
	s.t.Helper()
	r, err := s.post(token, query)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// freshTokens returns a function that gives somebody's token, renewed before it expires. It may be called at once from
// several goroutines.
func (s *service) freshTokens(user, organization string) func() string {
	var mu sync.Mutex
	var token string
	var renewed time.Time
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(renewed) > 30*time.Second {
			token, renewed = s.token(user, organization), time.Now()
		}
		return token
	}
}

// tally is what a loop of requests saw.
type tally struct {
	mu     sync.Mutex
	took   []time.Duration
	codes  map[string]int
	broken int
}

func (c *tally) add(r reply, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.broken++
		return
	}
	if c.codes == nil {
		c.codes = map[string]int{}
	}
	c.took = append(c.took, r.took)
	c.codes[fmt.Sprintf("%d %s", r.status, r.code)]++
}

func (c *tally) quantile(q float64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.took) == 0 {
		return 0
	}
	slices.Sort(c.took)
	return c.took[min(int(q*float64(len(c.took))), len(c.took)-1)]
}

func (c *tally) String() string {
	p50, p95, p99 := c.quantile(0.5), c.quantile(0.95), c.quantile(0.99)
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d answers %v, %d broken, p50 %s, p95 %s, p99 %s", len(c.took), c.codes, c.broken, round(p50), round(p95), round(p99))
}

// only reports whether every answer was of one kind.
func (c *tally) only(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken == 0 && len(c.codes) == 1 && c.codes[kind] > 0
}

// peak is the most memory that the program has had so far, in MB.
func (s *service) peak() int {
	s.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(content), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return kib / 1024
}
