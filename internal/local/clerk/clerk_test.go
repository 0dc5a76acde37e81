package clerk

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenMakesAnInstanceOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), ".tenantry")
	first := openIn(t, dir)

	for name, mode := range map[string]os.FileMode{"": 0o700, "key.pem": 0o600, "state.json": 0o600} {
		info, err := os.Stat(filepath.Join(dir, "clerk", name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("clerk/%s has mode %v, want %v", name, info.Mode().Perm(), mode)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "clerk"))
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want the key and the state only", entries, err)
	}
	for value, form := range map[string]string{
		first.InstanceID():    `^ins_[0-9A-Za-z]{27}$`,
		first.SecretKey():     `^sk_test_[0-9A-Za-z]{42}$`,
		first.WebhookSecret(): `^whsec_[0-9A-Za-z+/]{43}=$`,
	} {
		if !regexp.MustCompile(form).MatchString(value) {
			t.Errorf("%q is not of the form %s", value, form)
		}
	}

	second := openIn(t, dir)
	if diff := cmp.Diff(first.current.Load(), second.current.Load()); diff != "" {
		t.Errorf("opening again changed the state:\n%s", diff)
	}
	if diff := cmp.Diff(keysJSON(t, first), keysJSON(t, second)); diff != "" {
		t.Errorf("opening again changed the key:\n%s", diff)
	}
	if other := openNew(t); other.InstanceID() == first.InstanceID() || other.WebhookSecret() == first.WebhookSecret() {
		t.Error("two folders share an instance")
	}
}

func keysJSON(t *testing.T, c *Clerk) string {
	t.Helper()
	data, err := json.Marshal(c.keys)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPublishableKeyNamesTheIssuer(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	encoded, ok := strings.CutPrefix(c.PublishableKey(), "pk_test_")
	host, err := base64.RawStdEncoding.DecodeString(encoded)
	if !ok || err != nil || string(host) != "clerk.tenantry.localhost$" || c.Issuer() != "https://clerk.tenantry.localhost" {
		t.Errorf("%s decodes to %q, issuer %s", c.PublishableKey(), host, c.Issuer())
	}
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	if _, err := Open(Config{}); err == nil {
		t.Error("an empty folder name was taken")
	}
	damage := func(change func(s *state)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			s, err := loadState(filepath.Join(dir, "state.json"))
			if err != nil {
				t.Fatal(err)
			}
			change(s)
			if err := saveState(filepath.Join(dir, "state.json"), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name, content string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		file string
		do   func(t *testing.T, dir string)
	}{
		"state cut":            {"state.json", put("state.json", `{"version":1,"secretKey":"sk_test_hush`)},
		"state empty":          {"state.json", put("state.json", ``)},
		"state of another age": {"state.json", damage(func(s *state) { s.Version = 2 })},
		"no webhook secret":    {"state.json", damage(func(s *state) { s.WebhookSecret = "whsec_" })},
		"webhook secret bad":   {"state.json", damage(func(s *state) { s.WebhookSecret = "whsec_%" })},
		"no instance id":       {"state.json", damage(func(s *state) { s.InstanceID = "" })},
		"unknown member":       {"state.json", damage(func(s *state) { s.Memberships[0].UserID = "user_x" })},
		"unknown role":         {"state.json", damage(func(s *state) { s.Memberships[0].Role = "org:x" })},
		"unknown permission":   {"state.json", damage(func(s *state) { s.Roles[0].Permissions[0] = "org:x:y" })},
		"event without body":   {"state.json", damage(func(s *state) { s.Queue[0].Body = "" })},
		"key cut":              {"key.pem", put("key.pem", "-----BEGIN PRIVATE KEY-----\nhush")},
		"key of no kind":       {"key.pem", put("key.pem", "-----BEGIN PRIVATE KEY-----\naHVzaA==\n-----END PRIVATE KEY-----\n")},
		"key gone": {"key.pem", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "key.pem")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			openIn(t, dir)
			test.do(t, filepath.Join(dir, "clerk"))
			before, _ := os.ReadFile(filepath.Join(dir, "clerk", test.file))

			_, err := Open(Config{Rights: ours(t), Dir: dir})
			if err == nil || !strings.Contains(err.Error(), test.file) || !strings.Contains(err.Error(), "--reset") {
				t.Fatalf("got %v, want an error that names %s and --reset", err, test.file)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the error shows content: %v", err)
			}
			if after, _ := os.ReadFile(filepath.Join(dir, "clerk", test.file)); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestAFailedWriteChangesNothing(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	c := openIn(t, dir)
	a := serve(t, c)
	before := c.current.Load()
	// A folder in the way of the temporary file, for a full disk.
	if err := os.MkdirAll(filepath.Join(dir, "clerk", "state.json.tmp", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	long := a.refused(a.request("POST", membershipsPath, object{"organization": "acme", "user": "nora", "role": "org:member"}),
		500, "internal_clerk_error")
	if strings.Contains(long, dir) {
		t.Errorf("the answer shows a path: %s", long)
	}
	if c.current.Load() != before {
		t.Error("a change was published that is not on disk")
	}
}
