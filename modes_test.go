package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/spectest"
)

// instance is a Clerk instance as far as a server with keys meets it: a key, and tokens signed with it.
type instance struct {
	t   testing.TB
	key *rsa.PrivateKey
	iss string
}

func newInstance(t testing.TB, issuer string) *instance {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &instance{t: t, key: key, iss: issuer}
}

func (i *instance) pem() string {
	der, err := x509.MarshalPKIXPublicKey(&i.key.PublicKey)
	if err != nil {
		i.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func (i *instance) jwks() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.key.PublicKey, KeyID: "ins_test", Algorithm: "RS256", Use: "sig"}}}
}

// token is a session token of an admin with the right to read documents.
func (i *instance) token(organizationID, azp string) string {
	i.t.Helper()
	return i.tokenOf("user_Live", organizationID, azp)
}

func (i *instance) tokenOf(userID, organizationID, azp string) string {
	i.t.Helper()
	return i.tokenIn("sess_Live", userID, organizationID, azp)
}

func (i *instance) tokenIn(sessionID, userID, organizationID, azp string) string {
	i.t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": i.iss, "sub": userID, "sid": sessionID, "iat": now, "nbf": now - 10, "exp": now + 60, "v": 2, "sts": "active",
		"fea": "o:documents", "o": map[string]any{"id": organizationID, "slg": "live", "rol": "admin", "per": "read,create", "fpm": "3"},
	}
	if azp != "" {
		claims["azp"] = azp
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "ins_test"))
	if err != nil {
		i.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		i.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		i.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

const liveSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// With live keys: your Clerk, your PostgreSQL, a PEM so that no key is fetched, and a Clerk that nobody can reach.
func TestLiveKeys(t *testing.T) {
	t.Parallel()
	const issuer, frontend = "https://clerk.app.example", "https://app.example"
	clerk := newInstance(t, issuer)
	env := append(databaseEnv(dbtest.Config(t)),
		"CLERK_SECRET_KEY=sk_live_secretcanary0123456789",
		"CLERK_PUBLISHABLE_KEY=pk_live_"+base64.RawStdEncoding.EncodeToString([]byte("clerk.app.example$")),
		"CLERK_WEBHOOK_SIGNING_SECRET=whsec_"+base64.StdEncoding.EncodeToString([]byte("an older secret of thirty-two by"))+","+liveSecret,
		"CLERK_JWT_KEY="+clerk.pem(),
		"CLERK_API_URL=http://127.0.0.1:1/v1",
		"CLERK_AUTHORIZED_PARTIES="+frontend,
	)
	p := start(t, dbtest.Dir(t), env...)

	if status, _, body := p.do(http.MethodGet, "/readyz", nil, nil); status != 200 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	for _, path := range []string{"/", "/__clerk/control/v1/state", "/__clerk/.well-known/jwks.json"} {
		if status, _, _ := p.do(http.MethodGet, path, nil, nil); status != 404 {
			t.Errorf("%s is served with live keys: %d", path, status)
		}
	}
	const query = `{ viewer { permissions } organization { id name } }`
	early := p.ask(clerk.token("org_Live", frontend), query, nil)
	if early.At("organization", "name") != "live" || !strings.Contains(early.Body, "org:documents:create") {
		t.Errorf("before any webhook: %s", early)
	}
	if got := p.ask(clerk.token("org_Live", "https://evil.example"), query, nil); got.Status != 401 {
		t.Errorf("from another origin: %s", got)
	}
	if got := p.ask(clerk.token("org_Live", ""), query, nil); got.Status != 401 {
		t.Errorf("from no origin: %s", got)
	}
	if got := p.ask(newInstance(t, issuer).token("org_Live", frontend), query, nil); got.Status != 401 {
		t.Errorf("of another key: %s", got)
	}
	if got := p.ask(clerk.token("org_Live", frontend), `{ __schema { queryType { name } } }`, nil); got.Code() == "" {
		t.Errorf("introspection with live keys: %s", got)
	}

	now := time.Now()
	body := organizationCreated("ins_test", "org_Live", "Alive", now)
	if status, _, answer := p.do(http.MethodPost, webhookPath, delivery(t, liveSecret, "msg_live", now, body), body); status != 204 {
		t.Errorf("a webhook: %d %s", status, answer)
	}
	if named := p.ask(clerk.token("org_Live", frontend), query, nil); named.At("organization", "name") != "Alive" {
		t.Errorf("after the webhook: %s", named)
	}
	if other := p.ask(clerk.token("org_Other", frontend), query, nil); strings.Contains(other.Body, "Alive") {
		t.Errorf("another organization: %s", other)
	}

	for origin, want := range map[string]string{frontend: frontend, "http://localhost:3000": "", "https://evil.example": ""} {
		_, header, _ := p.do(http.MethodOptions, "/graphql", http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,content-type"},
		}, nil)
		if got := header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a page of %s is allowed as %q", origin, got)
		}
	}
	stopped := make(chan time.Duration, 1)
	go func() { stopped <- p.stop(syscall.SIGTERM) }()
	var status int
	for deadline := time.Now().Add(2 * time.Second); status != 503 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		status, _, _ = p.do(http.MethodGet, "/readyz", nil, nil)
	}
	if answer := p.ask(clerk.token("org_Live", frontend), query, nil); status != 503 || answer.Status != 200 {
		t.Errorf("after SIGTERM /readyz is %d, and a request gets %s", status, answer)
	}
	if status, _, _ := p.do(http.MethodPost, webhookPath, delivery(t, liveSecret, "msg_late", now, body), body); status != 503 {
		t.Errorf("after SIGTERM a webhook gets %d", status)
	}
	if took := <-stopped; took > 25*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if log := p.stderr.String() + p.stdout.String(); strings.Contains(log, "secretcanary") || strings.Contains(log, "MfKQ9r8G") {
		t.Error("a secret is in the log")
	}
}

// developed is what the Backend API of a development instance tells.
var developed = map[string]any{
	"/v1/organizations": list(developedOrganization),
	"/v1/users": []any{map[string]any{
		"id": "user_Live", "first_name": "Dora", "created_at": 1_782_900_000_001, "updated_at": 1_782_900_000_001,
	}},
	"/v1/organization_roles": list(map[string]any{
		"id": "role_1", "key": "org:admin", "name": "Admin", "created_at": 1_782_900_000_000, "updated_at": 1_782_900_000_000,
		"permissions": []any{map[string]any{"key": "org:sys_memberships:read"}, map[string]any{"key": "org:documents:read"}},
	}),
	"/v1/organization_memberships": list(map[string]any{
		"id": "orgmem_1", "role": "org:admin", "created_at": 1_782_900_000_002, "updated_at": 1_782_900_000_002,
		"organization": developedOrganization, "public_user_data": map[string]any{"user_id": "user_Live"},
	}),
	"/v1/organizations/org_Late/memberships": list(map[string]any{
		"id": "orgmem_2", "role": "org:admin", "created_at": 1_782_900_000_020, "updated_at": 1_782_900_000_020,
		"organization": lateOrganization, "public_user_data": map[string]any{"user_id": "user_Live"},
	}),
}

// lateOrganization is new: no list has it yet.
var lateOrganization = map[string]any{
	"id": "org_Late", "name": "Late", "created_at": 1_782_900_000_010, "updated_at": 1_782_900_000_010,
}

var developedOrganization = map[string]any{
	"id": "org_Dev", "name": "Developed", "created_at": 1_782_900_000_000, "updated_at": 1_782_900_000_000,
}

func list(objects ...any) map[string]any {
	return map[string]any{"data": append([]any{}, objects...), "total_count": len(objects)}
}

// Development keys: no webhook secret, no database, and Clerk comes into reach only after the start.
func TestDevelopmentKeys(t *testing.T) {
	t.Parallel()
	var reachable atomic.Bool
	var clerk *instance
	stand := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(spectest.HeaderStandIn, "it shows what the mirror reads, and no more")
		answer, known := developed[r.URL.Path]
		if strings.HasSuffix(r.URL.Path, "/jwks") || strings.HasSuffix(r.URL.Path, "/jwks.json") {
			answer, known = clerk.jwks(), true
		}
		if !reachable.Load() || !known {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	defer stand.Close()
	clerk = newInstance(t, "http://"+stand.Listener.Addr().String())
	stand.Start()
	dir := dbtest.Dir(t)
	env := []string{
		"CLERK_SECRET_KEY=sk_test_secretcanary0123456789", "CLERK_ISSUER=" + stand.URL,
		"CLERK_PUBLISHABLE_KEY=pk_test_" + base64.RawStdEncoding.EncodeToString([]byte("some.clerk.accounts.dev$")),
		"CLERK_API_URL=" + stand.URL + "/v1",
	}
	p := start(t, dir, env...)

	if status, _, body := p.do(http.MethodGet, "/readyz", nil, nil); status != 503 || !strings.Contains(body, "keys") {
		t.Errorf("/readyz without keys: %d %s", status, body)
	}
	if status, _, _ := p.do(http.MethodGet, "/livez", nil, nil); status != 200 {
		t.Errorf("/livez: %d", status)
	}
	if got := p.ask(clerk.token("org_Dev", ""), `{ organization { id } }`, nil); got.Status != 503 || got.Code() != "UNAVAILABLE" {
		t.Errorf("a token that cannot be verified: %s", got)
	}
	reachable.Store(true)
	var got gqltest.Answer
	for deadline := time.Now().Add(40 * time.Second); got.Status != 200 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		got = p.ask(clerk.token("org_Dev", ""), `{ organization { id } }`, nil)
	}
	if got.At("organization", "id") != "org_Dev" {
		t.Errorf("once Clerk can be reached: %s", got)
	}
	const named = `{ organization { name members(first: 5) { edges { node { name } } } } }`
	for deadline := time.Now().Add(40 * time.Second); !strings.Contains(got.Body, "Dora") && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		got = p.ask(clerk.token("org_Dev", ""), named, nil)
	}
	if got.At("organization", "name") != "Developed" || !strings.Contains(got.Body, "Dora") {
		t.Errorf("what was in Clerk before, without any webhook: %s", got)
	}
	for deadline := time.Now().Add(20 * time.Second); got.At("organization", "name") != "Late" && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		got = p.ask(clerk.token("org_Late", ""), named, nil)
	}
	if got.At("organization", "name") != "Late" {
		t.Errorf("an organization that only the token told of: %s", got)
	}
	if other := p.ask(clerk.token("org_Other", ""), named, nil); strings.Contains(other.Body, "Dora") || strings.Contains(other.Body, "Developed") {
		t.Errorf("another organization: %s", other)
	}
	if status, _, _ := p.do(http.MethodPost, webhookPath, nil, []byte("{}")); status != 404 {
		t.Errorf("webhooks without a secret: %d", status)
	}
	if said := p.stderr.String(); !strings.Contains(said, "CLERK_WEBHOOK_SIGNING_SECRET") || strings.Contains(said, "secretcanary") {
		t.Errorf("it says:\n%s", said)
	}
}

// Missing variables are all named at once, and nothing is started.
func TestLiveKeysNeedEverything(t *testing.T) {
	t.Parallel()
	p := launchWith(t, dbtest.Dir(t), "CLERK_SECRET_KEY=sk_live_secretcanary0123456789")
	<-p.exited
	said := p.stderr.String()
	for _, missing := range []string{"CLERK_PUBLISHABLE_KEY", "CLERK_WEBHOOK_SIGNING_SECRET", "DATABASE_URL"} {
		if !strings.Contains(said, missing) {
			t.Errorf("%s is not named:\n%s", missing, said)
		}
	}
	if strings.Contains(said, "secretcanary") {
		t.Error("the secret is repeated")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d", code)
	}
}

// SIGTERM: not ready any more, what is in flight is finished, and then it ends.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	token := p.token("ada", "acme")
	body := newHeldBody(`{"query":"{ organization { name } }"}`)
	request, err := http.NewRequest(http.MethodPost, p.url+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	// The server says 100 Continue when it begins to read the body, and only then the client does.
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}, "Expect": {"100-continue"}}
	client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute, DisableKeepAlives: true}}
	done := make(chan string, 1)
	go func() {
		response, err := client.Do(request)
		if err != nil {
			done <- err.Error()
			return
		}
		defer response.Body.Close()
		done <- fmt.Sprint(response.StatusCode)
	}()
	<-body.wanted
	ended := make(chan time.Duration, 1)
	go func() { ended <- p.stop(syscall.SIGTERM) }()
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := http.Get(p.url + "/livez"); err != nil {
			break // it takes nothing in any more
		}
		if time.Now().After(deadline) {
			t.Error("it still takes requests in")
			break
		}
	}
	close(body.hold)
	if got := <-done; got != "200" {
		t.Errorf("the request in flight: %s", got)
	}
	if took := <-ended; took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// heldBody is a body that is sent once hold is closed. wanted is closed when somebody wants to read it.
type heldBody struct {
	text         *strings.Reader
	once         sync.Once
	wanted, hold chan struct{}
}

func newHeldBody(text string) *heldBody {
	return &heldBody{text: strings.NewReader(text), wanted: make(chan struct{}), hold: make(chan struct{})}
}

func (b *heldBody) Read(p []byte) (int, error) {
	b.once.Do(func() { close(b.wanted) })
	<-b.hold
	return b.text.Read(p)
}
