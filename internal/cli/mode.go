package cli

// Mode says whose Clerk the server works with. The Clerk variables alone choose it.
type Mode string

// The modes.
const (
	ModeLocal       Mode = "local"       // no Clerk keys: the local Clerk
	ModeDevelopment Mode = "development" // sk_test_ and pk_test_: a development instance of yours
	ModeProduction  Mode = "production"  // sk_live_ and pk_live_
)

// Where things are found in Clerk's dashboard.
const (
	placeSecretKey      = "Clerk's dashboard, Configure → API keys → Secret keys"
	placePublishableKey = "Clerk's dashboard, Configure → API keys → Publishable key"
	placeWebhookSecret  = "Clerk's dashboard, Configure → Webhooks → your endpoint → Signing Secret"
	placeJWTKey         = "Clerk's dashboard, Configure → API keys → JWKS Public Key"
)

// The modes' names for an instance, as they stand in a key.
var modeOfKind = map[string]Mode{"test": ModeDevelopment, "live": ModeProduction}

// chooseMode decides by the keys and notes what is wrong with them: one without the other, two kinds, or settings of a
// Clerk instance without any key, which must not quietly run with the local Clerk.
func (r *reader) chooseMode() Mode {
	secretSet, publishableSet := r.isSet(varSecretKey, r.secretKey.text), r.isSet(varPublishableKey, r.publishableKey.text)
	switch {
	case !secretSet && !publishableSet:
		others := r.instanceSettings()
		if len(others) == 0 {
			return ModeLocal
		}
		r.missing(varSecretKey, "since "+others[0]+" is set", placeSecretKey)
		r.missing(varPublishableKey, "since "+others[0]+" is set", placePublishableKey)
	case !secretSet:
		r.missing(varSecretKey, "since "+varPublishableKey+" is set", placeSecretKey)
	case !publishableSet:
		r.missing(varPublishableKey, "since "+varSecretKey+" is set", placePublishableKey)
	}
	s, p := r.secretKey.kind, r.publishableKey.kind
	if s != "" && p != "" && s != p {
		r.problems.add(varPublishableKey, "is a "+p+" key and "+varSecretKey+" a "+s+
			" key: both must be of the same instance, see Clerk's dashboard, Configure → API keys")
		return ""
	}
	if s == "" {
		s = p
	}
	return modeOfKind[s]
}

// instanceSettings names the given settings that belong to a Clerk instance of one's own, apart from its keys.
func (r *reader) instanceSettings() []string {
	var given []string
	for _, setting := range []struct{ variable, value string }{
		{varWebhookSecret, r.webhookSecret},
		{varWebhookSecretToo, r.webhookSecretToo},
		{varIssuer, r.flags.ClerkIssuer},
		{varJWTKey, r.flags.ClerkJWTKey},
		{varAPIURL, r.flags.ClerkAPIURL},
	} {
		if r.isSet(setting.variable, setting.value) {
			given = append(given, setting.variable)
		}
	}
	return given
}

// requireAll notes what production cannot do without.
func (r *reader) requireAll() {
	if !r.isSet(varWebhookSecret, r.webhookSecret) && !r.isSet(varWebhookSecretToo, r.webhookSecretToo) {
		r.missing(varWebhookSecret, "with live keys", placeWebhookSecret)
	}
	r.requireDatabase()
}

// requireDatabase notes that production has no private PostgreSQL.
func (r *reader) requireDatabase() {
	if !r.isSet(varDatabaseURL, r.databaseURL) {
		r.missing(varDatabaseURL, "with live keys", "your PostgreSQL provider's console: postgres://user:password@host:5432/database")
	}
}

// isSet tells whether a value was given, also a blank one, which has a problem of its own already.
func (r *reader) isSet(variable, value string) bool {
	return value != "" || r.problems.has(variable)
}

func (r *reader) missing(variable, why, place string) {
	r.problems.add(variable, "is missing "+why+": found in "+place)
}
