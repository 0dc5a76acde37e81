package transport

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

const (
	mediaJSON     = "application/json"
	mediaResponse = "application/graphql-response+json"
)

// wantsResponse reports whether the client asks for application/graphql-response+json by name and does not prefer
// application/json. Everything else gets application/json: */*, what we do not speak, and the event streams and
// multipart answers that urql and Apollo list on every request.
func wantsResponse(header http.Header) bool {
	accept := header["Accept"]
	var response, plain float64
	for _, line := range accept {
		// Most requests name it nowhere, and parsing media types allocates.
		if !strings.Contains(strings.ToLower(line), "graphql-response+json") && response == 0 && len(accept) == 1 {
			return false
		}
		for entry := range strings.SplitSeq(line, ",") {
			name, params, err := mime.ParseMediaType(entry)
			if err != nil {
				continue
			}
			switch name {
			case mediaResponse:
				response = max(response, quality(params))
			case mediaJSON:
				plain = max(plain, quality(params))
			}
		}
	}
	return response > 0 && response >= plain
}

// quality is the weight of an entry: 1 unless it says otherwise.
func quality(params map[string]string) float64 {
	q, err := strconv.ParseFloat(params["q"], 64)
	if err != nil || q < 0 || q > 1 {
		return 1
	}
	return q
}

// speaksJSON reports whether a Content-Type header is application/json in UTF-8.
func speaksJSON(contentType string) bool {
	if contentType == mediaJSON {
		return true
	}
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil || name != mediaJSON {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}
