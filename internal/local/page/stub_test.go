package page_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/internal/local/page"
)

// stub is the page with a real local Clerk and a /graphql that knows the page's
// own operations. What it says of a person comes from the token, corrected by
// the webhooks that it has received.
type stub struct {
	*httptest.Server

	mu     sync.Mutex
	roles  map[string]string // by user and organization; "" after a removal
	tokens []string          // each that came, "" without one
}

// hostile is a title that would run if it ever became HTML.
const hostile = `<img src=x onerror="document.title='run'"><script>document.title='run'</script>`

// rights are what the page is tried with: reading for members, everything for admins.
var rights = clerk.Rights{
	Permissions: []clerk.Permission{
		{Key: "org:documents:read", Name: "Read"},
		{Key: "org:documents:create", Name: "Create"},
		{Key: "org:documents:update", Name: "Update"},
		{Key: "org:documents:delete", Name: "Delete"},
	},
	Roles: []clerk.Role{
		{Key: "org:admin", Name: "Admin", Permissions: []string{
			"org:sys_profile:manage", "org:sys_profile:delete", "org:sys_memberships:read", "org:sys_memberships:manage",
			"org:documents:read", "org:documents:create", "org:documents:update", "org:documents:delete",
		}},
		{Key: "org:member", Name: "Member", Permissions: []string{
			"org:sys_memberships:read", "org:documents:read", "org:documents:create", "org:documents:update",
		}},
		{Key: "org:guest", Name: "Guest"},
	},
}

func serve(t *testing.T, now func() time.Time) *stub {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir(), Now: now, Rights: rights})
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{roles: map[string]string{}}
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler())
	mux.Handle("/__clerk/", local.Handler())
	mux.HandleFunc("POST /graphql", s.graphql)
	mux.HandleFunc("POST /webhooks/clerk", s.webhook)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- local.Run(ctx, s.URL+"/webhooks/clerk") }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// received are the tokens that came to /graphql since the last call.
func (s *stub) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens := s.tokens
	s.tokens = nil
	return tokens
}

func (s *stub) webhook(_ http.ResponseWriter, r *http.Request) {
	var event struct {
		Type string
		Data struct {
			Role           string
			Organization   struct{ Slug string }
			PublicUserData struct {
				UserID string `json:"user_id"`
			} `json:"public_user_data"`
		}
	}
	if json.NewDecoder(r.Body).Decode(&event) != nil || !strings.HasPrefix(event.Type, "organizationMembership.") {
		return
	}
	role := event.Data.Role
	if strings.HasSuffix(event.Type, ".deleted") {
		role = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[event.Data.PublicUserData.UserID+event.Data.Organization.Slug] = role
}

// viewer is who asks.
type viewer struct {
	user, organization, role, reason string
}

// viewer reads the token, without checking its signature. It is false for one
// that is none.
func (s *stub) viewer(r *http.Request) (viewer, bool) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, token)
	if token == "" {
		return viewer{}, true
	}
	var claims struct {
		Sub string
		O   struct {
			Slug string `json:"slg"`
			Role string `json:"rol"`
		}
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(parts[2]) != 342 { // 2,048 bits
		return viewer{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return viewer{}, false
	}
	v := viewer{user: claims.Sub, organization: claims.O.Slug, role: "org:" + claims.O.Role}
	if role, told := s.roles[v.user+v.organization]; told {
		v.role = role
	}
	if v.organization != "" && v.role == "" {
		v.organization, v.reason = "", "MEMBERSHIP_ENDED"
	}
	return v, true
}

func (s *stub) graphql(w http.ResponseWriter, r *http.Request) {
	var request struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/graphql-response+json")
	v, good := s.viewer(r)
	if !good {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED","requestId":"1"}}]}`)
		return
	}
	data, errs := answer(request.Query, v)
	body := map[string]any{"data": data}
	if len(errs) > 0 {
		body["errors"] = errs
	}
	_ = json.NewEncoder(w).Encode(body)
}

type object = map[string]any

// answer knows an operation by what it asks for.
func answer(query string, v viewer) (data object, errs []object) {
	data = object{}
	refuse := func(field, code string, extensions object) {
		data[field] = nil
		extensions["code"], extensions["requestId"] = code, "1"
		errs = append(errs, object{"message": "no", "path": []string{field}, "extensions": extensions})
	}
	inOrganization := func(field string) bool {
		if v.organization == "" {
			extensions := object{}
			if v.reason != "" {
				extensions["reason"] = v.reason
			}
			refuse(field, "NO_ACTIVE_ORGANIZATION", extensions)
		}
		return v.organization != ""
	}
	if strings.Contains(query, "viewer {") {
		if v.user == "" {
			refuse("viewer", "UNAUTHENTICATED", object{})
		} else {
			data["viewer"] = v.view()
		}
	}
	switch {
	case strings.Contains(query, "deleteDocument("):
		if inOrganization("deleteDocument") && v.role != "org:admin" {
			refuse("deleteDocument", "FORBIDDEN", object{"permission": "org:documents:delete"})
		}
	case strings.Contains(query, "document(id:"):
		data["document"] = nil
	case strings.Contains(query, "organization {") && !strings.Contains(query, "organization { id name") || strings.Contains(query, "\n  organization { id }"):
		if inOrganization("organization") {
			document := object{"id": "document_1", "title": hostile, "version": 1}
			data["organization"] = object{"id": "org_1", "documents": object{
				"nodes": []object{document}, "pageInfo": object{"hasNextPage": false, "endCursor": "c"},
			}}
		}
	}
	return data, errs
}

func (v viewer) view() object {
	names := map[string]string{"Ada": "Ada Lovelace", "Max": "Max Planck", "Gus": "Gus Grissom", "Nora": "Nora Noether"}
	view := object{"organization": nil, "membership": nil, "permissions": []string{}}
	for part, name := range names {
		if strings.Contains(v.user, part) {
			view["user"] = object{"id": v.user, "name": name}
		}
	}
	if v.organization == "" {
		return view
	}
	permissions := []string{"org:documents:create", "org:documents:read", "org:documents:update", "org:reports:print"}
	if v.role == "org:admin" {
		permissions = append(permissions, "org:documents:delete")
	}
	view["organization"] = object{"id": "org_1", "name": strings.ToUpper(v.organization[:1]) + v.organization[1:]}
	view["membership"] = object{"role": v.role}
	view["permissions"] = permissions
	return view
}
