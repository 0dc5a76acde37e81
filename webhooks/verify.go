package webhooks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a signature's time may be from ours: what was recorded cannot be played back later.
const tolerance = 5 * time.Minute

// longestID is more than any message id; the inbox is keyed by it.
const longestID = 256

var (
	errHeaders   = errors.New("signature headers are missing or malformed")
	errTimestamp = errors.New("signature is too old or too new")
	errSignature = errors.New("signature does not match")
)

// checkHeaders returns the headers that sign a delivery, or why it cannot be believed whatever its
// body is.
func (h *handler) checkHeaders(header http.Header) (signed http.Header, err error) {
	signed, ok := signatureHeaders(header)
	if !ok {
		return nil, errHeaders
	}
	id := signed.Get("svix-id")
	seconds, err := strconv.ParseInt(signed.Get("svix-timestamp"), 10, 64)
	if err != nil || len(id) > longestID || !printable(id) || !hasSignature(signed.Get("svix-signature")) {
		return nil, errHeaders
	}
	if age := h.config.Now().Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return nil, errTimestamp
	}
	return signed, nil
}

// checkSignature returns an error unless the headers sign this body.
func (h *handler) checkSignature(signed http.Header, body []byte) error {
	for _, secret := range h.secrets {
		if secret.VerifyIgnoringTimestamp(body, signed) == nil {
			return nil
		}
	}
	return errSignature
}

// hasSignature reports whether one of the signatures in a header is of the version that is checked.
func hasSignature(header string) bool {
	for signature := range strings.FieldsSeq(header) {
		if strings.HasPrefix(signature, "v1,") {
			return true
		}
	}
	return false
}

// signatureHeaders takes the three headers from one of the two families, and never one from each: what is verified is
// what is used.
func signatureHeaders(header http.Header) (signed http.Header, ok bool) {
	for _, family := range []string{"svix-", "webhook-"} {
		signed, ok = http.Header{}, true
		for _, name := range []string{"id", "timestamp", "signature"} {
			value := header.Get(family + name)
			signed.Set("svix-"+name, value)
			ok = ok && value != ""
		}
		if ok {
			return signed, true
		}
	}
	return nil, false
}

func printable(text string) bool {
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}
