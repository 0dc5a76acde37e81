package cli

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/url"
	"slices"
	"strings"
)

// jwksPath is where an issuer has its keys.
const jwksPath = "/.well-known/jwks.json"

// readClerk reads what belongs to a Clerk instance of one's own.
func (r *reader) readClerk(c *Config) {
	c.SecretKey, c.PublishableKey = r.secretKey.text, r.publishableKey.text
	c.WebhookSecrets = r.readWebhookSecrets()
	c.Issuer = r.readIssuer()
	c.JWTKey = r.readJWTKey()
	if c.JWTKey == "" && c.Issuer != "" {
		c.JWKSURL = c.Issuer + jwksPath
	}
	c.APIURL = defaultAPIURL
	if r.flags.ClerkAPIURL != "" {
		c.APIURL = r.readURL(varAPIURL, r.flags.ClerkAPIURL)
	}
}

// readWebhookSecrets takes the secrets of both variables: while rotating, the old and the new one.
func (r *reader) readWebhookSecrets() []string {
	var list []string
	for _, setting := range []struct{ variable, value string }{
		{varWebhookSecret, r.webhookSecret}, {varWebhookSecretToo, r.webhookSecretToo},
	} {
		if setting.value == "" {
			continue
		}
		for _, one := range strings.Split(setting.value, ",") {
			one = strings.TrimSpace(one)
			encoded, found := strings.CutPrefix(one, "whsec_")
			key, err := base64.StdEncoding.DecodeString(encoded)
			switch {
			case one == "" || found && encoded == "":
				r.problems.add(setting.variable, "has an empty secret, with which anyone could sign: copy it again from "+placeWebhookSecret)
			case !found || err != nil || len(key) == 0:
				r.problems.add(setting.variable, "is not a signing secret: it is whsec_ and base64, see "+placeWebhookSecret)
			case !slices.Contains(list, one):
				list = append(list, one)
			}
		}
	}
	return list
}

// readIssuer is CLERK_ISSUER, or the host in the publishable key. Clerk writes issuers without a slash at the end.
func (r *reader) readIssuer() string {
	if r.flags.ClerkIssuer != "" {
		return r.readURL(varIssuer, strings.TrimRight(r.flags.ClerkIssuer, "/"))
	}
	if r.publishableKey.host == "" {
		return ""
	}
	return "https://" + r.publishableKey.host
}

// readURL takes https, and http where nothing leaves this machine: over these URLs go the keys that tokens are checked
// with, and the secret key.
func (r *reader) readURL(variable, text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		r.problems.add(variable, "must be an https:// URL without a query (http:// only for this machine itself)")
		return ""
	}
	return strings.TrimRight(text, "/")
}

// readJWTKey checks a PEM of an RSA public key. One-line variables carry its line breaks as the two characters \n.
func (r *reader) readJWTKey() string {
	if r.flags.ClerkJWTKey == "" {
		return ""
	}
	text := strings.TrimSpace(strings.ReplaceAll(r.flags.ClerkJWTKey, `\n`, "\n")) + "\n"
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(rest) > 0 || !isRSAPublicKey(block) {
		r.problems.add(varJWTKey, "is not one RSA public key in PEM (-----BEGIN PUBLIC KEY-----), see "+placeJWTKey)
		return ""
	}
	return text
}

func isRSAPublicKey(block *pem.Block) bool {
	if block.Type != "PUBLIC KEY" {
		return false
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return false
	}
	_, ok := key.(*rsa.PublicKey)
	return ok
}

// isLoopback tells whether a host without a port names this machine itself.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
