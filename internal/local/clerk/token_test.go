package clerk

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// verify checks a token against the published keys, as a server would, and
// gives its header and claims.
func verify(t *testing.T, a api, token string) (header, claims object) {
	t.Helper()
	var keys jose.JSONWebKeySet
	a.ok("GET", publicKeysPath, nil, &keys)
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	protected, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	h := protected.Signatures[0].Protected
	header = object{"alg": h.Algorithm, "kid": h.KeyID, "typ": h.ExtraHeaders["typ"], "cat": h.ExtraHeaders["cat"]}
	return header, claims
}

func mint(a api, body object) string {
	a.t.Helper()
	var out tokenOutput
	a.ok("POST", tokensPath, body, &out)
	return out.Token
}

func keysOf(claims object) []string {
	keys := make([]string, 0, len(claims))
	for key := range claims {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestTokenIsASessionToken(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	before := time.Now().Unix()
	var out tokenOutput
	a.ok("POST", tokensPath, object{"user": "max", "organization": "acme"}, &out)
	header, claims := verify(t, a, out.Token)

	if diff := cmp.Diff(object{"alg": "RS256", "typ": "JWT", "kid": c.InstanceID(), "cat": "cl_B7d4PD111AAA"}, header); diff != "" {
		t.Errorf("header:\n%s", diff)
	}
	issued := int64(claims["iat"].(float64))
	if issued < before || issued > time.Now().Unix() || !out.ExpiresAt.Equal(time.Unix(issued+60, 0)) {
		t.Errorf("issued at %d, expires at %v", issued, out.ExpiresAt)
	}
	id, _ := claims["jti"].(string)
	if len(id) != 20 {
		t.Errorf("jti %q", id)
	}
	want := object{
		"exp": float64(issued + 60), "iat": float64(issued), "nbf": float64(issued - 10), "jti": id,
		"iss": "https://clerk.tenantry.localhost", "sub": "user_2LocalMax0000000000000000000",
		"sid": "sess_2LocalMax0000000000000000000", "sts": "active", "v": 2.0, "fva": []any{0.0, -1.0},
		"fea": "o:audit_log,o:documents",
		"o": object{
			"id": "org_2LocalAcme000000000000000000", "slg": "acme", "rol": "member",
			"per": "read,create,update", "fpm": "0,7",
		},
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if _, again := verify(t, a, mint(a, object{"user": "max", "organization": "acme"})); again["jti"] == id || again["sid"] != claims["sid"] {
		t.Error("two tokens of one session must differ in jti only")
	}
}

func TestTokenCarriesTheRolesCustomPermissions(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	var ignored object
	a.ok("POST", membershipsPath, object{"organization": "globex", "user": "nora", "role": "org:guest"}, &ignored)
	for name, test := range map[string]struct {
		user, organization, role string
		permissions              []string
	}{
		"admin":                 {"ada", "acme", "admin", []string{"org:audit_log:read", "org:documents:create", "org:documents:delete", "org:documents:read", "org:documents:update"}},
		"elsewhere only member": {"ada", "globex", "member", []string{"org:documents:create", "org:documents:read", "org:documents:update"}},
		"guest":                 {"nora", "globex", "guest", nil},
		"by id":                 {"user_2LocalGus0000000000000000000", "org_2LocalGlobex0000000000000000", "admin", []string{"org:audit_log:read", "org:documents:create", "org:documents:delete", "org:documents:read", "org:documents:update"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, claims := verify(t, a, mint(a, object{"user": test.user, "organization": test.organization, "version": 2}))
			o := claims["o"].(object)
			per, _ := o["per"].(string)
			fpm, _ := o["fpm"].(string)
			// What the organization's features are does not depend on the role.
			if o["rol"] != test.role || claims["fea"] != "o:audit_log,o:documents" {
				t.Errorf("role %v, features %v", o["rol"], claims["fea"])
			}
			one, other := unpack("o:audit_log,o:documents", per, fpm)
			if !slices.Equal(one, test.permissions) || !slices.Equal(other, test.permissions) {
				t.Errorf("decoded %v and %v, want %v", one, other, test.permissions)
			}
		})
	}
}

func TestVersion1(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	_, claims := verify(t, a, mint(a, object{"user": "max", "organization": "acme", "version": 1}))
	got := object{}
	for _, key := range []string{"org_id", "org_slug", "org_role", "org_permissions"} {
		got[key] = claims[key]
	}
	want := object{
		"org_id": "org_2LocalAcme000000000000000000", "org_slug": "acme", "org_role": "org:member",
		"org_permissions": []any{"org:documents:read", "org:documents:create", "org:documents:update"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantKeys := []string{"exp", "fva", "iat", "iss", "nbf", "org_id", "org_permissions", "org_role", "org_slug", "sid", "sts", "sub"}
	if diff := cmp.Diff(wantKeys, keysOf(claims)); diff != "" {
		t.Error(diff)
	}

	var ignored object
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "max", "role": "guest"}, &ignored)
	if _, claims = verify(t, a, mint(a, object{"user": "max", "organization": "acme", "version": 1})); !cmp.Equal(claims["org_permissions"], []any{}) {
		t.Errorf("a guest has org_permissions %v, want an empty list", claims["org_permissions"])
	}
}

func TestTokenWithoutAnActiveOrganization(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for version, want := range map[int][]string{
		1: {"exp", "fva", "iat", "iss", "nbf", "sid", "sts", "sub"},
		2: {"exp", "fva", "iat", "iss", "jti", "nbf", "sid", "sts", "sub", "v"},
	} {
		for _, body := range []object{
			{"user": "nora", "version": version},
			{"user": "ada", "organization": "", "version": version},
		} {
			_, claims := verify(t, a, mint(a, body))
			if diff := cmp.Diff(want, keysOf(claims)); diff != "" {
				t.Errorf("%v:\n%s", body, diff)
			}
		}
	}
}

func TestAuthorizedPartyIsTheOrigin(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for name, test := range map[string]struct {
		header, given string
		want          any
	}{
		"a command has none":      {"", "", nil},
		"the page's own":          {a.base, "", a.base},
		"given":                   {"", "http://localhost:3000", "http://localhost:3000"},
		"given wins":              {a.base, "http://localhost:3000", "http://localhost:3000"},
		"what is no origin: none": {"", "null", nil},
	} {
		body := object{"user": "max"}
		if test.given != "" {
			body["origin"] = test.given
		}
		r := a.request("POST", tokensPath, body)
		if test.header != "" {
			r.Header.Set("Origin", test.header)
		}
		_, data := a.send(r)
		var out tokenOutput
		if err := json.Unmarshal(data, &out); err != nil {
			t.Fatal(err)
		}
		if _, claims := verify(t, a, out.Token); claims["azp"] != test.want {
			t.Errorf("%s: azp %v, want %v", name, claims["azp"], test.want)
		}
	}
	for _, origin := range []string{"localhost", "http://localhost/path", "javascript:alert(1)", "http://user@localhost"} {
		a.refused(a.request("POST", tokensPath, object{"user": "max", "origin": origin}), 422, "form_param_value_invalid")
	}
}

func TestNoTokenForAnotherOrganization(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	post := func(body object) string {
		return a.refused(a.request("POST", tokensPath, body), 403, "not_a_member_in_organization")
	}
	for _, version := range []int{1, 2} {
		if long := post(object{"user": "max", "organization": "globex", "version": version}); !strings.Contains(long, "max is not a member of globex") {
			t.Error(long)
		}
		post(object{"user": "nora", "organization": "acme", "version": version})
		post(object{"user": "gus", "organization": "org_2LocalAcme000000000000000000", "version": version})
	}

	var ignored object
	mint(a, object{"user": "max", "organization": "acme"})
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &ignored)
	post(object{"user": "max", "organization": "acme"})
	mint(a, object{"user": "max"})
	a.ok("POST", membershipsPath, object{"organization": "acme", "user": "max", "role": "org:guest"}, &ignored)
	if _, claims := verify(t, a, mint(a, object{"user": "max", "organization": "acme"})); claims["o"].(object)["rol"] != "guest" {
		t.Error("the new role is not in the next token")
	}
}

func TestTokenSaysWhenThePersonProvedWhoTheyAre(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	_, claims := verify(t, a, mint(a, object{"user": "max", "provedMinutesAgo": 30}))
	if diff := cmp.Diff([]any{30.0, -1.0}, claims["fva"]); diff != "" {
		t.Error(diff)
	}
}

// Somebody who acts in the person's name is in act, and an agent says so.
func TestTokenOfAnActor(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for actor, want := range map[string]any{
		"":       nil,
		"person": object{"iss": "https://dashboard.clerk.com", "sid": "sess_support", "sub": "user_support"},
		"agent":  object{"iss": "https://" + frontendHost, "sid": "sess_agent", "sub": "agent_local", "type": "agent"},
	} {
		_, claims := verify(t, a, mint(a, object{"user": "max", "organization": "acme", "actor": actor}))
		if diff := cmp.Diff(want, claims["act"]); diff != "" || claims["sub"] == nil {
			t.Errorf("%q: %s", actor, diff)
		}
	}
}

func TestTokenRequestsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	for _, test := range []struct {
		body   object
		status int
		code   string
		says   []string
	}{
		{object{"user": "bob"}, 404, "resource_not_found", []string{`"bob"`, "ada, max, gus, nora"}},
		{object{"user": "max", "organization": "initech"}, 404, "organization_not_found_or_unauthorized", []string{`"initech"`, "acme, globex"}},
		{object{"user": "max", "version": 3}, 422, "form_param_value_invalid", []string{"version"}},
		{object{"user": "max", "version": 0}, 422, "form_param_value_invalid", []string{"version"}},
		{object{"user": "max", "provedMinutesAgo": -1}, 422, "form_param_value_invalid", []string{"provedMinutesAgo"}},
		{object{"user": "max", "actor": "robot"}, 422, "form_param_value_invalid", []string{"actor"}},
		{object{"organization": "acme"}, 422, "form_param_nil", []string{"user"}},
		{object{"user": "max", "org": "acme"}, 400, "request_body_invalid", []string{"org"}},
		{object{"user": "max", "version": "2"}, 400, "request_body_invalid", nil},
		{object{"user": strings.Repeat("x", 70_000)}, 413, "request_body_invalid", nil},
		{object{"user": strings.Repeat("ü", 1000) + "\x1b"}, 404, "resource_not_found", []string{"…"}},
	} {
		long := a.refused(a.request("POST", tokensPath, test.body), test.status, test.code)
		for _, part := range test.says {
			if !strings.Contains(long, part) {
				t.Errorf("%v: %q does not say %q", test.body, long, part)
			}
		}
		if len(long) > 500 {
			t.Errorf("%d bytes of error", len(long))
		}
	}
}
