package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// factsFunc is a FactsSource.
type factsFunc func(organizationID, userID, sessionID string) (Facts, error)

func (f factsFunc) Facts(_ context.Context, organizationID, userID, sessionID, _ string) (Facts, error) {
	return f(organizationID, userID, sessionID)
}

func noFacts(string, string, string) (Facts, error) { return Facts{}, nil }

func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	token := mint(goodClaims(testNow))
	a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(noFacts))
	for name, test := range map[string]struct {
		header []string
		reason string // "": signed in; "anonymous": nobody
	}{
		"no header":                {nil, "anonymous"},
		"Bearer":                   {[]string{"Bearer " + token}, ""},
		"bearer in small letters":  {[]string{"bearer " + token}, ""},
		"BEARER in capitals":       {[]string{"BEARER " + token}, ""},
		"several spaces":           {[]string{"Bearer   " + token + " "}, ""},
		"empty":                    {[]string{""}, ReasonScheme},
		"the token alone":          {[]string{token}, ReasonScheme},
		"another scheme":           {[]string{"Basic YWRhOnNlY3JldA=="}, ReasonScheme},
		"scheme runs into token":   {[]string{"Bearer" + token}, ReasonScheme},
		"tab for a space":          {[]string{"Bearer\t" + token}, ReasonScheme},
		"no token":                 {[]string{"Bearer"}, ReasonEmptyToken},
		"empty token":              {[]string{"Bearer  "}, ReasonEmptyToken},
		"two headers":              {[]string{"Bearer " + token, "Bearer " + token}, ReasonSeveralHeaders},
		"a good and an empty one":  {[]string{"Bearer " + token, ""}, ReasonSeveralHeaders},
		"two tokens in one header": {[]string{"Bearer " + token + ", Bearer " + token}, ReasonShape},
		"quoted":                   {[]string{`Bearer "` + token + `"`}, ReasonShape},
		"Bearer twice":             {[]string{"Bearer Bearer " + token}, ReasonShape},
		"not a token":              {[]string{"Bearer secret"}, ReasonShape},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := a.Viewer(t.Context(), test.header)
			switch test.reason {
			case "", "anonymous":
				if err != nil {
					t.Fatal(err)
				}
				if v.SignedIn() != (test.reason == "") {
					t.Errorf("signed in is %t", v.SignedIn())
				}
			default:
				if v != nil {
					t.Error("a viewer came back")
				}
				wantRefusal(t, err, test.reason)
			}
		})
	}
}

func TestAuthenticatorAsksForTheTokensPair(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		claims       object
		organization string
	}{
		"active":  {goodClaims(testNow), "org_2Acme"},
		"none":    {goodClaims(testNow).with(object{"o": nil}), ""},
		"pending": {goodClaims(testNow).with(object{"sts": "pending"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked [][3]string
			a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(func(organizationID, userID, sessionID string) (Facts, error) {
				asked = append(asked, [3]string{organizationID, userID, sessionID})
				return Facts{}, nil
			}))
			if _, err := a.Viewer(t.Context(), []string{"Bearer " + mint(test.claims)}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][3]string{{test.organization, "user_2Ada", "sess_2Ada"}}, asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The same token, request after request, while the facts change: each request is judged anew.
func TestFactsCorrectATokenThatIsKnown(t *testing.T) {
	t.Parallel()
	var facts Facts
	a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(func(string, string, string) (Facts, error) { return facts, nil }))
	header := []string{"Bearer " + mint(goodClaims(testNow))}
	ask := func() *Viewer {
		v, err := a.Viewer(t.Context(), header)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := &Viewer{
		InDoubt: true, // the facts name no membership
		UserID:  "user_2Ada", SessionID: "sess_2Ada", ExpiresAt: time.Unix(testNow.Unix()+60, 0),
		FactorVerificationAge: &[2]int{3, -1}, Features: []string{"o:documents", "u:beta"}, Plans: []string{"o:pro"},
		Organization: &ActiveOrganization{ID: "org_2Acme", Slug: "acme", Role: "org:admin", Permissions: []string{
			"org:documents:create", "org:documents:delete", "org:documents:read", "org:documents:update",
		}},
	}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Error(diff)
	}
	facts = Facts{Membership: MembershipEnded, Role: "org:admin", At: testNow.Add(time.Second)}
	if v := ask(); v.Organization != nil || v.NoOrganizationReason != ReasonMembershipEnded {
		t.Errorf("a removed member is still one: %+v", v.Organization)
	}
	want.InDoubt = false
	facts = Facts{Membership: MembershipLive, Role: "org:admin", At: testNow.Add(time.Minute)}
	if diff := cmp.Diff(want, ask(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("joined again: %s", diff)
	}
	facts = Facts{UserDead: true}
	_, err := a.Viewer(t.Context(), header)
	wantRefusal(t, err, ReasonUserDeleted)
	facts = Facts{SessionRevoked: true, Membership: MembershipLive, Role: "org:admin"}
	_, err = a.Viewer(t.Context(), header)
	wantRefusal(t, err, ReasonSessionRevoked)
}

// What cannot be judged is no refusal: the caller may try again.
func TestAuthenticatorErrorsThatAreNoRefusals(t *testing.T) {
	t.Parallel()
	away := errors.New("database away")
	for name, test := range map[string]struct {
		config Config
		facts  error
		want   error
	}{
		"no facts": {Config{}, away, away},
		"no keys":  {Config{JWKSURL: "http://127.0.0.1:1/jwks.json"}, nil, ErrKeysUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := NewAuthenticator(newVerifier(t, test.config), factsFunc(func(string, string, string) (Facts, error) {
				return Facts{}, test.facts
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			v, err := a.Viewer(ctx, []string{"Bearer " + mint(goodClaims(testNow))})
			if v != nil || !errors.Is(err, test.want) || errors.Is(err, ErrUnauthenticated) {
				t.Errorf("got %v, %v", v, err)
			}
		})
	}
}

// While the facts are out of reach nobody gets through: the request waits, not too busily, and gives up while there is time
// to say so.
func TestWithoutFactsThereAreNoRights(t *testing.T) {
	t.Parallel()
	asked := 0
	a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(func(string, string, string) (Facts, error) {
		asked++
		return Facts{}, fmt.Errorf("%w: database away", ErrNoFacts)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	v, err := a.Viewer(ctx, []string{"Bearer " + mint(goodClaims(testNow))})
	if v != nil || !errors.Is(err, ErrNoFacts) || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("got %+v, %v", v, err)
	}
	if ctx.Err() != nil {
		t.Error("no time was left to answer")
	}
	if asked < 3 || asked > 20 {
		t.Errorf("asked %d times in a second", asked)
	}
	_, err = a.Viewer(t.Context(), []string{"Bearer " + mint(goodClaims(testNow.Add(-2*time.Minute)))})
	wantRefusal(t, err, ReasonExpired)
}

// Facts that come late count like any others: a member is let in, and a removed one is not.
func TestFactsThatComeLate(t *testing.T) {
	t.Parallel()
	for name, facts := range map[string]Facts{
		"member":         {Membership: MembershipLive, Role: "org:admin", At: testNow.Add(-time.Hour)},
		"removed member": {Membership: MembershipEnded, Role: "org:admin", At: testNow},
	} {
		away := 4
		a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(func(string, string, string) (Facts, error) {
			if away--; away >= 0 {
				return Facts{}, ErrNoFacts
			}
			return facts, nil
		}))
		v, err := a.Viewer(t.Context(), []string{"Bearer " + mint(goodClaims(testNow))})
		if err != nil || (v.Organization != nil) != (facts.Membership == MembershipLive) {
			t.Errorf("%s: got %+v, %v", name, v, err)
		}
	}
}

// The wait ends with the request.
func TestNobodyWaitsForFactsWhoHungUp(t *testing.T) {
	t.Parallel()
	ctx, hangUp := context.WithCancel(t.Context())
	a := NewAuthenticator(newVerifier(t, Config{}), factsFunc(func(string, string, string) (Facts, error) {
		hangUp()
		return Facts{}, ErrNoFacts
	}))
	began := time.Now()
	if v, err := a.Viewer(ctx, []string{"Bearer " + mint(goodClaims(testNow))}); v != nil || !errors.Is(err, ErrNoFacts) {
		t.Errorf("got %+v, %v", v, err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if v := FromContext(t.Context()); v == nil || v.SignedIn() {
		t.Errorf("a context without a viewer has %+v", v)
	}
	if v := FromContext(NewContext(t.Context(), nil)); v == nil || v.SignedIn() {
		t.Errorf("a context with a nil viewer has %+v", v)
	}
	ada := &Viewer{UserID: "user_2Ada"}
	if FromContext(NewContext(t.Context(), ada)) != ada {
		t.Error("another viewer came back")
	}
	// Nobody can be made somebody for all by changing what an anonymous caller got.
	FromContext(t.Context()).UserID = "user_2Evil"
	if FromContext(t.Context()).SignedIn() {
		t.Error("the anonymous viewer is shared")
	}
}
