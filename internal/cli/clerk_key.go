package cli

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// clerkKey is one of the two keys of a Clerk instance.
type clerkKey struct {
	text string
	kind string // "test" or "live"; "" when there is none or it is malformed
	host string // of the Frontend API, in a publishable key only
}

// readSecretKey checks `sk_test_...` or `sk_live_...`.
func (r *reader) readSecretKey(text string) clerkKey {
	key := clerkKey{text: text}
	if text == "" {
		return key
	}
	kind, rest := splitKey(text, "sk_")
	if kind == "" || rest == "" || strings.ContainsFunc(rest, func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.problems.add(varSecretKey, "is not a secret key: it begins with sk_test_ or sk_live_, see "+placeSecretKey)
		return key
	}
	key.kind = kind
	return key
}

// readPublishableKey checks `pk_test_` or `pk_live_` and the base64 of the Frontend API's host followed by a dollar
// sign, which is how Clerk's own libraries read it.
func (r *reader) readPublishableKey(text string) clerkKey {
	key := clerkKey{text: text}
	if text == "" {
		return key
	}
	kind, rest := splitKey(text, "pk_")
	if kind == "" {
		r.problems.add(varPublishableKey, "is not a publishable key: it begins with pk_test_ or pk_live_, see "+placePublishableKey)
		return key
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "="))
	host, ends := strings.CutSuffix(string(decoded), "$")
	if err != nil || !ends || !isHost(host) {
		r.problems.add(varPublishableKey, "is damaged or cut short (no host can be read from it): copy it again from "+placePublishableKey)
		return key
	}
	key.kind, key.host = kind, host
	return key
}

// splitKey returns the kind and the rest of a key that begins with the prefix, else "".
func splitKey(text, prefix string) (kind, rest string) {
	after, found := strings.CutPrefix(text, prefix)
	if !found {
		return "", ""
	}
	kind, rest, _ = strings.Cut(after, "_")
	if _, known := modeOfKind[kind]; !known {
		return "", ""
	}
	return kind, rest
}

// isHost tells whether text is a host with a dot and perhaps a port, and nothing else. The dot is Clerk's own check.
func isHost(text string) bool {
	u, err := url.Parse("https://" + text)
	return err == nil && u.Host == text && strings.Contains(text, ".") && !strings.ContainsFunc(text, func(c rune) bool {
		return c > '~' || strings.ContainsRune("$_,;*'()!&+= ", c)
	})
}
