package transport

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// marker stands in every bad body where it can, and in no answer.
const marker = "hunter2"

// chained is a query of fragments that each spread the next one twice.
func chained(links int, link string) string {
	var query strings.Builder
	query.WriteString("{...F0}")
	for i := range links {
		fmt.Fprintf(&query, " fragment F%d on Query {%s}", i, strings.ReplaceAll(link, "NEXT", fmt.Sprintf("...F%d", i+1)))
	}
	fmt.Fprintf(&query, " fragment F%d on Query {hello}", links)
	return query.String()
}

func nested(levels int) string {
	return strings.Repeat("{self", levels-1) + "{hello}" + strings.Repeat("}", levels-1)
}

func compressed(text string) string {
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return buffer.String()
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	const get, post = http.MethodGet, http.MethodPost
	query := func(text string) string { return fmt.Sprintf(`{"query":%q}`, text) }
	tests := []struct {
		name   string
		method string
		header string
		body   string
		// status is that in application/graphql-response+json; wellFormed requests have 200 in application/json.
		status     int
		wellFormed bool
		code       string
	}{
		{"a GET request", get, "", "", 405, false, codeBadRequest},
		{"a PUT request", http.MethodPut, "", query("{hello}"), 405, false, codeBadRequest},
		{"an OPTIONS request", http.MethodOptions, "", "", 405, false, codeBadRequest},
		{"a form", post, "Content-Type: application/x-www-form-urlencoded", "query={hello}", 415, false, codeMediaType},
		{"a multipart upload", post, "Content-Type: multipart/form-data; boundary=x", "--x--", 415, false, codeMediaType},
		{"plain text, as a form of another site can send", post, "Content-Type: text/plain", query("{hello}"), 415, false, codeMediaType},
		{"another charset", post, "Content-Type: application/json; charset=utf-16", query("{hello}"), 415, false, codeMediaType},
		{"a broken content type", post, "Content-Type: application/json; =", query("{hello}"), 415, false, codeMediaType},
		{"a compressed body", post, "Content-Encoding: gzip", compressed(query("{hello}")), 415, false, codeMediaType},
		{"no body", post, "", "", 400, false, codeBadRequest},
		{"malformed JSON", post, "", `{"query":"{hello}", "` + marker, 400, false, codeBadRequest},
		{"JSON that stops", post, "", `{"query":"{hello}"`, 400, false, codeBadRequest},
		{"a comma too many", post, "", `{"query":"{hello}",}`, 400, false, codeBadRequest},
		{"something after the object", post, "", query("{hello}") + `{"` + marker + `":1}`, 400, false, codeBadRequest},
		{"a NUL byte after the object", post, "", query("{hello}") + "\x00", 400, false, codeBadRequest},
		{"a NUL byte in the JSON", post, "", "{\"query\":\"{hello}\x00\"}", 400, false, codeBadRequest},
		{"bytes that are not UTF-8", post, "", "{\"query\":\"{hello}\",\"operationName\":\"\xff\"}", 400, false, codeBadRequest},
		{"a batch", post, "", "[" + query("{hello}") + "]", 400, false, codeBadRequest},
		{"a string", post, "", `"` + marker + `"`, 400, false, codeBadRequest},
		{"null", post, "", `null`, 400, false, codeBadRequest},
		{"no query", post, "", `{"doc_id":"` + marker + `"}`, 400, false, codeBadRequest},
		{"no query, and extensions of something else", post, "", `{"extensions":{"persistedQuery":"` + marker + `"}}`, 400, false, codeBadRequest},
		{"Apollo's persisted query", post, "", `{"operationName":"A","variables":{},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + marker + `"}}}`, 200, false, codePersisted},
		{"urql's persisted query", post, "", `{"query":null,"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + marker + `"}}}`, 200, false, codePersisted},
		{"a persisted document", post, "", `{"documentId":"sha256:` + marker + `"}`, 200, false, codePersisted},
		{"an empty query", post, "", query(""), 400, false, codeBadRequest},
		{"null for the query", post, "", `{"query":null}`, 400, false, codeBadRequest},
		{"a name in capitals", post, "", `{"Query":"{hello}"}`, 400, false, codeBadRequest},
		{"variables in a string", post, "", `{"query":"{hello}","variables":"{\"a\":\"` + marker + `\"}"}`, 400, false, codeBadRequest},
		{"variables in an array", post, "", `{"query":"{hello}","variables":["` + marker + `"]}`, 400, false, codeBadRequest},
		{"an operation name that is a number", post, "", `{"query":"{hello}","operationName":1}`, 400, false, codeBadRequest},
		{"extensions in a string", post, "", `{"query":"{hello}","extensions":"` + marker + `"}`, 400, false, codeBadRequest},
		{"a body over the limit", post, "", query("{hello #" + strings.Repeat(marker, defaultMaxBody/len(marker)) + "\n}"), 413, false, codeTooLarge},

		{"a query that does not parse", post, "", query("{hello"), 400, true, codeParse},
		{"a NUL byte in the query", post, "", `{"query":"{hello\u0000}"}`, 400, true, codeParse},
		{"too many tokens", post, "", query("{" + strings.Repeat("hello ", maxTokens) + "}"), 400, true, codeParse},
		{"only a comment", post, "", query("# " + marker), 400, true, codeValidation},
		{"only fragments", post, "", query("fragment F on Query {hello}"), 400, true, codeValidation},
		{"an unknown field", post, "", query("{goodbye}"), 400, true, codeValidation},
		{"an unknown argument", post, "", query("{hello(nam: 1)}"), 400, true, codeValidation},
		{"an unknown fragment", post, "", query("{...F}"), 400, true, codeValidation},
		{"an unused fragment", post, "", query("{hello} fragment F on Query {hello}"), 400, true, codeValidation},
		{"a fragment twice", post, "", query("{...F} fragment F on Query {hello} fragment F on Query {fail}"), 400, true, codeValidation},
		{"a cycle of fragments", post, "", query("{...F} fragment F on Query {...G} fragment G on Query {...F}"), 400, true, codeValidation},
		{"a cycle of fragments that goes deeper", post, "", query("{...F} fragment F on Query {self{...G}} fragment G on Query {self{...F}}"), 400, true, codeValidation},
		{"incremental delivery", post, "", query("{...@defer{hello}}"), 400, true, codeValidation},
		{"an operation that is not there", post, "", `{"query":"query A{hello}","operationName":"B"}`, 400, true, codeValidation},
		{"no choice between operations", post, "", query("query A{hello} query B{hello}"), 400, true, codeValidation},
		{"a subscription", post, "", query("subscription {hello}"), 400, true, codeValidation},
		{"a variable that is missing", post, "", query("query($in: Sum!){add(input: $in)}"), 400, true, codeValidation},
		{"a variable of another type", post, "", `{"query":"query($in: Sum!){add(input: $in)}","variables":{"in":{"left":"` + marker + `"}}}`, 400, true, codeValidation},
		{"a field of an input that is unknown", post, "", `{"query":"query($in: Sum!){add(input: $in)}","variables":{"in":{"left":1,"middle":"` + marker + `"}}}`, 400, true, codeValidation},
		{"a number too large", post, "", `{"query":"query($in: Sum!){add(input: $in)}","variables":{"in":{"left":1e400}}}`, 400, true, codeValidation},
		{"null as a condition", post, "", `{"query":"query($if: Boolean = true){self{hello @skip(if: $if)}}","variables":{"if":null}}`, 400, true, codeValidation},

		{"eleven levels", post, "", query(nested(11)), 400, true, codeTooDeep},
		{"a chain of fragments of depth 26", post, "", query(chained(25, "a:self{NEXT} b:self{NEXT}")), 400, true, codeTooDeep},
		{"fragments that double without depth", post, "", query(chained(26, "NEXT NEXT")), 400, true, codeTooComplex},
		{"many aliases of one fragment", post, "", query("{" + aliases(60, "self{...F}") + "} fragment F on Query {" + aliases(20, "hello") + "}"), 400, true, codeTooComplex},
		{"one field many times", post, "", query("{" + strings.Repeat("hello ", 900) + "}"), 400, true, codeTooComplex},
		{"one field many times where nobody looks", post, "", query("{hello} fragment F on Query {" + strings.Repeat("hello ", 900) + "}"), 400, true, codeTooComplex},
	}
	for _, test := range tests {
		for _, accept := range []string{mediaJSON, mediaResponse} {
			t.Run(test.name+" for "+accept, func(t *testing.T) {
				t.Parallel()
				s := newServer(&fakeSchema{}, Options{Introspection: true})
				header := []string{"Accept: " + accept}
				if test.header != "" {
					header = append(header, test.header)
				}
				if !strings.HasPrefix(test.header, "Content-Type") {
					header = append(header, "Content-Type: application/json; charset=UTF-8")
				}
				got := s.ask(t, test.method, strings.NewReader(test.body), header...)

				status := test.status
				if test.wellFormed && accept == mediaJSON {
					status = http.StatusOK
				}
				if got.Code != status || got.code(t) != test.code {
					t.Errorf("got status %d and code %v, want %d and %s: %s", got.Code, got.code(t), status, test.code, got.Body)
				}
				if _, present := got.body["data"]; present {
					t.Errorf("a request that was not run has data: %s", got.Body)
				}
				if want := accept + "; charset=utf-8"; got.Header().Get("Content-Type") != want {
					t.Errorf("got %s, want %s", got.Header().Get("Content-Type"), want)
				}
				if strings.Contains(got.Body.String(), marker) || strings.Contains(s.logged.String(), marker) {
					t.Errorf("the answer or the log repeats the request: %s\n%s", got.Body, s.logged)
				}
				if got.Body.Len() > 10_000 {
					t.Errorf("the answer has %d bytes", got.Body.Len())
				}
			})
		}
	}
}

func aliases(n int, field string) string {
	var fields strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "a%d:%s ", i, field)
	}
	return fields.String()
}

func TestAllowedMethodsAndTypesAreNamed(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{})
	if got := s.ask(t, http.MethodGet, nil).Header().Get("Allow"); got != "POST" {
		t.Errorf("Allow is %q", got)
	}
	got := s.ask(t, http.MethodPost, strings.NewReader("x"), "Content-Type: text/plain").Header().Get("Accept-Post")
	if got != mediaJSON {
		t.Errorf("Accept-Post is %q", got)
	}
}

// The quotes of gqlparser are as long as what they quote.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 50_000)
	for name, body := range map[string]string{
		"token":          fmt.Sprintf(`{"query":%q}`, `{hello "`+long+`"}`),
		"name":           fmt.Sprintf(`{"query":%q}`, "{"+strings.Repeat("x", 50_000)+"}"),
		"names":          fmt.Sprintf(`{"query":%q}`, "{"+strings.Repeat(strings.Repeat("x", 200)+" ", 90)+"}"),
		"operation name": fmt.Sprintf(`{"query":"query A{hello}","operationName":%q}`, long),
		"input field":    fmt.Sprintf(`{"query":"query($in: Sum!){add(input: $in)}","variables":{"in":{%q:1}}}`, long),
		"condition": fmt.Sprintf(`{"query":"query($%[1]s: Boolean = true){self{hello @skip(if: $%[1]s)}}","variables":{"%[1]s":null}}`,
			strings.Repeat("x", 50_000)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newServer(&fakeSchema{}, Options{}).post(t, body)
			if size := got.Body.Len(); size > maxErrors*(maxMessage+200) {
				t.Errorf("the answer has %d bytes: %.500s", size, got.Body)
			}
		})
	}
}
