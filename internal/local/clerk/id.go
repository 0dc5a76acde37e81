package clerk

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomText is letters and digits without bias. crypto/rand never fails.
func randomText(length int) string {
	text := make([]byte, 0, length)
	draw := make([]byte, length)
	for len(text) < length {
		rand.Read(draw)
		for _, b := range draw {
			// 248 is the largest multiple of 62 that a byte holds.
			if b < 248 && len(text) < length {
				text = append(text, alphanumeric[b%62])
			}
		}
	}
	return string(text)
}

// newID makes an id of Clerk's form, such as orgmem_ and 27 characters.
func newID(prefix string) string { return prefix + "_" + randomText(27) }

// seededID makes the fixed id of something seeded, so that curl lines and
// notes stay true after a reset: user, Ada gives user_2LocalAda000….
func seededID(prefix, name string) string {
	const length = 28
	id := "2Local" + name
	return prefix + "_" + id + strings.Repeat("0", max(0, length-len(id)))
}

func newSecretKey() string { return "sk_test_" + randomText(42) }

func newWebhookSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// randomHex makes token and trace ids.
func randomHex(bytes int) string {
	value := make([]byte, bytes)
	rand.Read(value)
	return hex.EncodeToString(value)
}
