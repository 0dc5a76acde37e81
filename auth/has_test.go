package auth

import (
	"encoding/json"
	"testing"
)

// hasVector is a question and the answer of Clerk's has().
type hasVector struct {
	Name           string          `json:"name"`
	NoOrganization bool            `json:"noOrganization"`
	Ages           json.RawMessage `json:"ages"`
	Ask            Requirement     `json:"ask"`
	Want           bool            `json:"want"`
}

// askedViewer is who is asked in the vectors.
func askedViewer() *Viewer {
	return &Viewer{
		UserID: "user_2Ada", SessionID: "sess_2Ada",
		Organization: &ActiveOrganization{
			ID: "org_2Acme", Role: "org:admin", Permissions: []string{"org:documents:create", "org:documents:read"},
		},
		Features: []string{"o:documents", "u:profile", "ou:beta"}, Plans: []string{"o:pro", "u:free"},
	}
}

func TestHasVectors(t *testing.T) {
	t.Parallel()
	var vectors []hasVector
	if err := json.Unmarshal([]byte(readTestdata(t, "has.json")), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 51 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			t.Parallel()
			v := askedViewer()
			if vector.NoOrganization {
				v.Organization = nil
			}
			v.FactorVerificationAge = factorAges([]byte(vector.Ages))
			if got := v.Has(vector.Ask); got != vector.Want {
				t.Errorf("Has(%+v) = %t", vector.Ask, got)
			}
		})
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Viewer)
		ask    Requirement
		want   bool
	}{
		"role without prefix":                 {ask: Requirement{Role: "admin"}, want: true},
		"role with two prefixes":              {ask: Requirement{Role: "org:org:admin"}, want: true},
		"role held without prefix":            {change: func(v *Viewer) { v.Organization.Role = "admin" }, ask: Requirement{Role: "org:admin"}, want: true},
		"role is only a prefix":               {ask: Requirement{Role: "org:"}},
		"role is only a prefix, none held":    {change: func(v *Viewer) { v.Organization.Role = "" }, ask: Requirement{Role: "org:"}},
		"role of which ours is the end":       {ask: Requirement{Role: "superadmin"}},
		"permission without prefix":           {ask: Requirement{Permission: "documents:read"}, want: true},
		"permission in capitals":              {ask: Requirement{Permission: "org:Documents:read"}},
		"permission is a prefix of ours":      {ask: Requirement{Permission: "org:documents"}},
		"permission is only a prefix":         {ask: Requirement{Permission: "org:"}},
		"only prefixes on both sides":         {change: func(v *Viewer) { v.Organization.Permissions = []string{"org:"} }, ask: Requirement{Permission: "org:"}},
		"permission with a star":              {ask: Requirement{Permission: "org:documents:*"}},
		"permission and role":                 {ask: Requirement{Permission: "org:documents:read", Role: "org:admin"}, want: true},
		"permission, but not the role":        {ask: Requirement{Permission: "org:documents:read", Role: "org:member"}},
		"role, but not the permission":        {ask: Requirement{Permission: "org:documents:delete", Role: "org:admin"}},
		"feature on either side":              {ask: Requirement{Feature: "profile"}, want: true},
		"feature of both, asked as user's":    {ask: Requirement{Feature: "user:beta"}, want: true},
		"feature of both, asked as org's":     {ask: Requirement{Feature: "organization:beta"}, want: true},
		"feature with prefix org":             {ask: Requirement{Feature: "org:documents"}, want: true},
		"feature of the user, asked as org's": {ask: Requirement{Feature: "o:profile"}},
		"feature without a name, and held":    {change: func(v *Viewer) { v.Features = []string{"o:"} }, ask: Requirement{Feature: "o:"}},
		"feature without a name":              {ask: Requirement{Feature: "o:"}},
		"plan of the organization":            {ask: Requirement{Plan: "org:pro"}, want: true},
		"plan of the user":                    {ask: Requirement{Plan: "u:free"}, want: true},
		"plan asked for as a feature":         {ask: Requirement{Feature: "pro"}},
		"feature and plan":                    {ask: Requirement{Feature: "documents", Plan: "pro"}, want: true},
		"feature, but not the plan":           {ask: Requirement{Feature: "documents", Plan: "enterprise"}},
		"org's feature without organization":  {change: func(v *Viewer) { v.Organization = nil }, ask: Requirement{Feature: "documents"}},
		"user's feature without it":           {change: func(v *Viewer) { v.Organization = nil }, ask: Requirement{Feature: "profile"}, want: true},
		"permission without organization":     {change: func(v *Viewer) { v.Organization = nil }, ask: Requirement{Permission: "org:documents:read"}},
		"strict and MFA, both fresh":          {change: ages(9, 9), ask: Requirement{Reverification: ReverificationStrictMFA}, want: true},
		"strict and MFA, second is old":       {change: ages(9, 10), ask: Requirement{Reverification: ReverificationStrictMFA}},
		"strict and MFA, first is old":        {change: ages(10, 9), ask: Requirement{Reverification: ReverificationStrictMFA}},
		"strict and MFA, no second factor":    {change: ages(9, -1), ask: Requirement{Reverification: ReverificationStrictMFA}, want: true},
		"strict and MFA, no first factor":     {change: ages(-1, 3), ask: Requirement{Reverification: ReverificationStrictMFA}},
		"lax within a day":                    {change: ages(5000, 1439), ask: Requirement{Reverification: ReverificationLax}, want: true},
		"lax after a day":                     {change: ages(0, 1440), ask: Requirement{Reverification: ReverificationLax}},
		"ages that cannot be":                 {change: ages(-7, -7), ask: Requirement{Reverification: ReverificationLax}},
		"a level without minutes":             {change: ages(0, 0), ask: Requirement{Reverification: Reverification{Level: LevelFirstFactor}}},
		"minutes without a level":             {change: ages(0, 0), ask: Requirement{Reverification: Reverification{AfterMinutes: 10}}},
		"fresh, but not the role":             {change: ages(0, 0), ask: Requirement{Reverification: ReverificationLax, Role: "org:member"}},
		"fresh and the role":                  {change: ages(0, 0), ask: Requirement{Reverification: ReverificationLax, Role: "org:admin"}, want: true},
		"nobody":                              {change: func(v *Viewer) { *v = Viewer{} }, ask: Requirement{Feature: "profile"}},
		"nobody with an organization":         {change: func(v *Viewer) { v.UserID = "" }, ask: Requirement{Role: "org:admin"}},
		"pending session":                     {change: pending, ask: Requirement{Feature: "profile"}},
		"pending session, fresh":              {change: pending, ask: Requirement{Reverification: ReverificationLax}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := askedViewer()
			if test.change != nil {
				test.change(v)
			}
			if got := v.Has(test.ask); got != test.want {
				t.Errorf("Has(%+v) = %t", test.ask, got)
			}
		})
	}
}

func ages(first, second int) func(*Viewer) {
	return func(v *Viewer) { v.FactorVerificationAge = &[2]int{first, second} }
}

func pending(v *Viewer) {
	v.Organization, v.NoOrganizationReason = nil, ReasonSessionPending
	v.FactorVerificationAge = &[2]int{0, 0}
}

func TestHasDoesNotAllocate(t *testing.T) {
	v := askedViewer()
	v.FactorVerificationAge = &[2]int{0, 0}
	for _, ask := range []Requirement{
		{Permission: "org:documents:read", Role: "org:admin", Feature: "o:documents", Plan: "pro", Reverification: ReverificationStrict},
		{Permission: "documents:read"},
		{Permission: "org:documents:delete"},
	} {
		if n := testing.AllocsPerRun(100, func() { v.Has(ask) }); n != 0 {
			t.Errorf("Has(%+v) allocates %v times", ask, n)
		}
	}
}
