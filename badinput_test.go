package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	svix "github.com/svix/svix-webhooks/go"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// Bad input gets a clear error, repeats nothing of what was sent, and loses nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	ada := p.token("ada", "acme")
	one := p.ask(ada, `mutation { createDocument(input: {title: "Kept", content: "Kept"}) { document { id } } }`, nil)
	id := one.At("createDocument", "document", "id").(string)
	members := p.ask(ada, `{ organization { members(first: 1) { pageInfo { endCursor } } } }`, nil)
	memberCursor := members.At("organization", "members", "pageInfo", "endCursor").(string)
	globex := p.ask(p.token("ada", "globex"), `{ organization { documents(first: 1) { pageInfo { endCursor } } } }`, nil)
	foreignCursor := globex.At("organization", "documents", "pageInfo", "endCursor").(string)

	const create = `mutation($title: String!, $content: String!) { createDocument(input: {title: $title, content: $content}) { document { id } } }`
	const documents = `query($first: Int, $after: String, $last: Int) { organization { documents(first: $first, after: $after, last: $last) { nodes { id } } } }`
	const update = `mutation($id: ID!, $version: Int!) { updateDocument(input: {id: $id, expectedVersion: $version, title: "x"}) { document { id } } }`

	for name, test := range map[string]struct {
		query     string
		variables variables
		status    int
		code      string
		field     string
	}{
		"unknown field":                  {`{ viewer { secretSauce } }`, nil, 200, "GRAPHQL_VALIDATION_FAILED", ""},
		"syntax error":                   {`{ viewer { `, nil, 200, "GRAPHQL_PARSE_FAILED", ""},
		"empty title":                    {create, variables{"title": "", "content": "c"}, 200, "BAD_USER_INPUT", "title"},
		"blank title":                    {create, variables{"title": " \t ", "content": "c"}, 200, "BAD_USER_INPUT", "title"},
		"title of 201":                   {create, variables{"title": strings.Repeat("é", 201), "content": "c"}, 200, "BAD_USER_INPUT", "title"},
		"title of 100,000":               {create, variables{"title": strings.Repeat("t", 100_000), "content": "c"}, 200, "BAD_USER_INPUT", "title"},
		"content of 32,769":              {create, variables{"title": "t", "content": strings.Repeat("c", 32_769)}, 200, "BAD_USER_INPUT", "content"},
		"NUL in the title":               {create, variables{"title": "a\x00b", "content": "c"}, 200, "BAD_USER_INPUT", "title"},
		"NUL in an id":                   {`query($id: ID!) { document(id: $id) { id } }`, variables{"id": "document_\x00"}, 200, "", ""},
		"NUL in a cursor":                {documents, variables{"after": "\x00"}, 200, "BAD_USER_INPUT", "after"},
		"missing variable":               {create, variables{"content": "c"}, 200, "GRAPHQL_VALIDATION_FAILED", ""},
		"variable of another type":       {create, variables{"title": 7, "content": map[string]any{}}, 200, "GRAPHQL_VALIDATION_FAILED", ""},
		"first of 0":                     {documents, variables{"first": 0}, 200, "BAD_USER_INPUT", "first"},
		"first of 101":                   {documents, variables{"first": 101}, 200, "BAD_USER_INPUT", "first"},
		"first beyond 32 bits":           {`{ organization { documents(first: 99999999999) { nodes { id } } } }`, nil, 200, "BAD_USER_INPUT", ""},
		"first and last":                 {documents, variables{"first": 1, "last": 1}, 200, "BAD_USER_INPUT", "last"},
		"cursor of another list":         {documents, variables{"after": memberCursor}, 200, "BAD_USER_INPUT", "after"},
		"cursor of another organization": {documents, variables{"after": foreignCursor}, 200, "BAD_USER_INPUT", "after"},
		"no cursor at all":               {documents, variables{"after": "hello"}, 200, "BAD_USER_INPUT", "after"},
		"id of another type":             {`query($id: ID!) { document(id: $id) { id } }`, variables{"id": "member_" + id[len("document_"):]}, 200, "", ""},
		"id of no type":                  {`query($id: ID!) { node(id: $id) { id } }`, variables{"id": "'; DROP TABLE documents; --"}, 200, "", ""},
		"101 ids":                        {`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, variables{"ids": make101()}, 200, "BAD_USER_INPUT", "ids"},
		"change of another type's id":    {update, variables{"id": "member_" + id[len("document_"):], "version": 1}, 200, "NOT_FOUND", ""},
		"stale version":                  {update, variables{"id": id, "version": 7}, 200, "CONFLICT", ""},
		"26 chained fragments":           {chainedFragments(26), nil, 200, "QUERY_TOO_COMPLEX", ""},
		"depth 11":                       {strings.Repeat("{ a ", 11) + strings.Repeat("}", 11), nil, 200, "QUERY_TOO_DEEP", ""},
		"depth 26 by fragments":          {deepFragments(26), nil, 200, "QUERY_TOO_DEEP", ""},
		"1,001 tokens":                   {"{ viewer {" + strings.Repeat(" permissions", 1001) + "} }", nil, 200, "GRAPHQL_PARSE_FAILED", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &program{t: t, url: p.url, dir: p.dir, database: p.database, mutations: p.mutations}
			ask := p.ask
			if name == "change of another type's id" {
				ask = p.askInVain
			}
			got := ask(ada, test.query, test.variables)
			if got.Status != test.status || got.Code() != test.code {
				t.Fatalf("%.300s, want %d %q", got, test.status, test.code)
			}
			if test.field != "" && !strings.Contains(got.Body, fmt.Sprintf(`"path":%q`, test.field)) {
				t.Errorf("does not name the field %s: %.300s", test.field, got)
			}
			for _, e := range got.Errors {
				if e.Extensions["requestId"] != "the-same-request-id" {
					t.Errorf("an error without the request id: %s", got)
				}
			}
			if len(got.Body) > 3000 {
				t.Errorf("an answer of %d bytes repeats what was sent", len(got.Body))
			}
		})
	}

	for name, test := range map[string]struct {
		contentType, body string
		status            int
		code              string
	}{
		"malformed JSON":   {"application/json", `{"query": "canary`, 400, "BAD_REQUEST"},
		"two values":       {"application/json", `{"query":"{ viewer { permissions } }"} canary`, 400, "BAD_REQUEST"},
		"a batch":          {"application/json", `[{"query":"canary"}]`, 400, "BAD_REQUEST"},
		"no query":         {"application/json", `{"canary":1}`, 400, "BAD_REQUEST"},
		"form encoded":     {"application/x-www-form-urlencoded", `query=canary`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"body of 300 KiB":  {"application/json", `{"query":"` + strings.Repeat("canary ", 50_000) + `"}`, 413, "PAYLOAD_TOO_LARGE"},
		"bytes, no UTF-8":  {"application/json", "{\"query\":\"\xff\xfe canary\"}", 400, "BAD_REQUEST"},
		"deeply nested":    {"application/json", strings.Repeat("[", 100_000), 400, "BAD_REQUEST"},
		"nested variables": {"application/json", `{"query":"{ viewer { permissions } }","variables":` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000) + `}`, 400, "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &program{t: t, url: p.url, mutations: p.mutations}
			got := p.send(ada, test.contentType, []byte(test.body))
			if got.Status != test.status || got.Code() != test.code || strings.Contains(got.Body, "canary") {
				t.Errorf("%.300s, want %d %s and no echo", got, test.status, test.code)
			}
		})
	}

	t.Run("tokens", func(t *testing.T) { badTokens(t, p, ada) })
	t.Run("webhooks", func(t *testing.T) { badWebhooks(t, p) })

	if kept := p.ask(ada, `query($id: ID!) { document(id: $id) { title content version } }`, variables{"id": id}); kept.At("document", "title") != "Kept" || kept.At("document", "version") != 1.0 {
		t.Errorf("the document afterwards: %s", kept)
	}
	if log := p.stderr.String(); strings.Contains(log, ada) || strings.Contains(log, "Kept") || strings.Contains(log, "whsec_") {
		t.Error("the log has a token, content or a secret")
	}
}

func make101() []string {
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprintf("document_%026d", i)
	}
	return ids
}

// chainedFragments is the query that takes exponential time where each spread is walked anew.
func chainedFragments(length int) string {
	var query strings.Builder
	query.WriteString("{ viewer { ...f0 } }")
	for i := range length {
		fmt.Fprintf(&query, " fragment f%d on Viewer { a%d: permissions ...f%d ...f%d }", i, i, i+1, i+1)
	}
	fmt.Fprintf(&query, " fragment f%d on Viewer { permissions }", length)
	return query.String()
}

// deepFragments hides its depth: each fragment is one level deep.
func deepFragments(depth int) string {
	var query strings.Builder
	query.WriteString("{ viewer { ...f0 } }")
	for i := range depth {
		fmt.Fprintf(&query, " fragment f%d on Viewer { a { ...f%d ...f%d } }", i, i+1, i+1)
	}
	fmt.Fprintf(&query, " fragment f%d on Viewer { permissions }", depth)
	return query.String()
}

func badTokens(t *testing.T, p *program, good string) {
	key := readKey(t, filepath.Join(p.dir, ".tenantry", "clerk", "key.pem"))
	var claims map[string]any
	parsed, err := jose.ParseSignedCompact(good, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	kid := parsed.Signatures[0].Header.KeyID
	sign := func(key any, kid string, change func(claims map[string]any)) string {
		if err := json.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &claims); err != nil {
			t.Fatal(err)
		}
		change(claims)
		payload, _ := json.Marshal(claims)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := signed.CompactSerialize()
		return token
	}
	same := func(map[string]any) {}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hour := float64(time.Hour / time.Second)
	middle := len(good) / 2
	flipped := byte('A')
	if good[middle] == 'A' {
		flipped = 'B'
	}
	for name, test := range map[string]struct {
		token  string
		status int
	}{
		"as signed by Clerk": {sign(key, kid, same), 200},
		"expired": {sign(key, kid, func(c map[string]any) {
			c["iat"], c["nbf"], c["exp"] = c["iat"].(float64)-hour, c["nbf"].(float64)-hour, c["exp"].(float64)-hour
		}), 401},
		"not yet valid":                     {sign(key, kid, func(c map[string]any) { c["nbf"] = c["nbf"].(float64) + hour }), 401},
		"of another instance":               {sign(key, kid, func(c map[string]any) { c["iss"] = "https://clerk.other.example" }), 401},
		"of another instance's key":         {sign(stranger, "ins_other", same), 401},
		"of a stranger's key, with our kid": {sign(stranger, kid, same), 401},
		"tampered":                          {good[:middle] + string(flipped) + good[middle+1:], 401},
		"without a signature":               {good[:strings.LastIndex(good, ".")+1], 401},
		"no token at all":                   {"hello", 401},
	} {
		t.Run(name, func(t *testing.T) {
			p := &program{t: t, url: p.url, mutations: p.mutations}
			got := p.ask(test.token, `{ organization { name } }`, nil)
			if got.Status != test.status || test.status == 401 && (got.Code() != "UNAUTHENTICATED" || got.Data != nil) {
				t.Errorf("%s, want %d", got, test.status)
			}
		})
	}
	status, header, _ := p.do(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer hello"}}, []byte(`{"query":"{ viewer { permissions } }"}`))
	if status != 401 || !strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("%d with WWW-Authenticate %q", status, header.Get("WWW-Authenticate"))
	}
	if got := p.ask("", `{ viewer { permissions } }`, nil); got.Status != 200 || got.Code() != "UNAUTHENTICATED" {
		t.Errorf("without a token: %s", got)
	}
	if status, _, body := p.do(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Cookie": {"__session=" + good}}, []byte(`{"query":"{ organization { name } }"}`)); status != 200 || strings.Contains(body, "Acme") {
		t.Errorf("a cookie counts: %s", body)
	}
}

func readKey(t *testing.T, path string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// clerkSecrets are what the local Clerk of a running program signs and marks its webhooks with.
func (p *program) clerkSecrets() (secret, instanceID string) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, ".tenantry", "clerk", "state.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var state struct{ WebhookSecret, InstanceID string }
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&state); err != nil {
		p.t.Fatal(err)
	}
	return state.WebhookSecret, state.InstanceID
}

// organizationCreated is Clerk's event for a new organization.
func organizationCreated(instanceID, id, name string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"data":{"object":"organization","id":%q,"name":%q,"slug":%q,"created_at":%d,"updated_at":%d},"object":"event","type":"organization.created","timestamp":%d,"instance_id":%q}`,
		id, name, strings.ToLower(name), at.UnixMilli(), at.UnixMilli(), at.UnixMilli(), instanceID)
}

// delivery signs a body as Svix does.
func delivery(t *testing.T, secret, id string, at time.Time, body []byte) http.Header {
	t.Helper()
	webhook, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := webhook.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{
		"Content-Type": {"application/json"}, "Svix-Id": {id},
		"Svix-Timestamp": {fmt.Sprint(at.Unix())}, "Svix-Signature": {signature},
	}
}

func badWebhooks(t *testing.T, p *program) {
	secret, instanceID := p.clerkSecrets()
	now := time.Now()
	body := organizationCreated(instanceID, "org_Hooked", "Hooked", now)
	good := delivery(t, secret, "msg_good", now, body)
	other := delivery(t, "whsec_"+strings.Repeat("QUFB", 11), "msg_forged", now, body)
	for _, test := range []struct {
		name   string
		header http.Header
		body   []byte
		status int
	}{
		{"unsigned", http.Header{"Content-Type": {"application/json"}}, body, 401},
		{"signed by another", other, body, 401},
		{"tampered", good, bytes.Replace(body, []byte("Hooked"), []byte("Hacked"), 1), 401},
		{"stale", delivery(t, secret, "msg_stale", now.Add(-6*time.Minute), body), body, 401},
		{"from the future", delivery(t, secret, "msg_future", now.Add(6*time.Minute), body), body, 401},
		{"good", good, body, 204},
		{"delivered twice", good, body, 204},
		{"signed but unreadable", delivery(t, secret, "msg_junk", now, []byte("junk")), []byte("junk"), 204},
		{"2 MiB", good, bytes.Repeat([]byte(" "), 2<<20), 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &program{t: t, url: p.url, mutations: p.mutations}
			status, _, answer := p.do(http.MethodPost, webhookPath, test.header, test.body)
			if status != test.status || strings.Contains(answer, "Hooked") {
				t.Errorf("%d %q, want %d", status, answer, test.status)
			}
		})
	}
}
