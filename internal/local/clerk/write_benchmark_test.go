package clerk

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What one write costs in an instance of 50,000 memberships, and the first read
// after it, which indexes the new state.
func BenchmarkWithManyMemberships(b *testing.B) {
	c, err := Open(Config{Dir: b.TempDir(), RateLimit: -1})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Populate(Population{Organizations: 50, Users: 5000, MembersEach: 1000}); err != nil {
		b.Fatal(err)
	}
	handler := c.Handler()
	s := c.current.Load()
	path := "/organizations/" + s.Memberships[1000].OrganizationID + "/memberships"
	ask := func(method, path, body string) {
		r := httptest.NewRequestWithContext(b.Context(), method, "http://localhost"+backendPath+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+c.SecretKey())
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusOK {
			b.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
		}
	}
	write := func() { ask(http.MethodPatch, path+"/"+s.Memberships[1003].UserID, `{"role":"org:member"}`) }
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write()
		}
	})
	b.Run("write and read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write()
			ask(http.MethodGet, path+"?limit=100", "")
		}
	})
}
