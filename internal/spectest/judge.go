package spectest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// Judge holds exchanges against the specification. What is the same in all that it judges by is judged once.
func (s *Specification) Judge(exchanges []Exchange) *Summary {
	summary, known := &Summary{Operations: map[string]*Tally{}}, map[[32]byte]bool{}
	for _, x := range exchanges {
		digest := x.digest()
		problems := []string(nil)
		if !known[digest] {
			known[digest] = true
			problems = s.problems(x)
		}
		summary.add(s.name(x), x, problems)
	}
	return summary
}

func (x Exchange) digest() [32]byte {
	hash := sha256.New()
	_ = json.NewEncoder(hash).Encode([]any{
		x.Method, x.Path, x.Header.Get("Content-Type"), x.Header.Get(headerWrong), x.Body, x.checked(), x.checked() && x.Answer != nil,
	})
	if x.checked() {
		_ = json.NewEncoder(hash).Encode([]any{x.Answer.Status, x.Answer.Header.Get("Content-Type"), x.Answer.Body})
	}
	return [32]byte(hash.Sum(nil))
}

// checked tells whether there is an answer that is to be as Clerk's.
func (x Exchange) checked() bool { return x.Answer != nil && x.Answer.Header.Get(HeaderStandIn) == "" }

func (x Exchange) wrong() bool { return x.Header.Get(headerWrong) != "" }

func (x Exchange) route() string {
	path, _, _ := strings.Cut(x.Path, "?")
	return path
}

// name is the operation's.
func (s *Specification) name(x Exchange) string {
	if _, operation := s.operation(x.Method, x.route()); operation != nil {
		return operation.OperationId
	}
	return "none"
}

func (s *Specification) problems(x Exchange) []string {
	var problems []string
	if !x.wrong() {
		problems = s.requestProblems(x)
	}
	if x.checked() && len(problems) == 0 {
		request := x.request()
		if x.wrong() {
			request.URL.RawQuery, request.Body = "", nil
		}
		problems = s.AnswerProblems(request, x.route(), x.Answer.Status, x.Answer.Header, x.Answer.Body)
	}
	for i, p := range problems {
		problems[i] = fmt.Sprintf("%s %s: %s", x.Method, x.Path, p)
	}
	return problems
}

// request is what was sent, as to Clerk.
func (x Exchange) request() *http.Request {
	request, err := http.NewRequestWithContext(context.Background(), x.Method, "https://api.clerk.com/v1"+x.Path, bytes.NewReader(x.Body))
	if err != nil {
		panic(err) // it has been one before
	}
	request.Header = x.Header.Clone()
	// The record has no keys.
	request.Header.Set("Authorization", "Bearer sk_test_specification")
	return request
}

// requestProblems holds a request against the specification: that there is the operation, its parameters, and the body
// with its media type. Other than in a specification's own eyes, a parameter or a field that it does not name is a problem.
func (s *Specification) requestProblems(x Exchange) []string {
	template, operation := s.operation(x.Method, x.route())
	if operation == nil {
		return []string{"the specification has no such operation"}
	}
	request := x.request()
	var problems []string
	if _, found := s.validator.ValidateHttpRequest(request); found != nil {
		for _, p := range found {
			problems = append(problems, p.Message+": "+p.Reason)
			for _, detail := range p.SchemaValidationErrors {
				problems = append(problems, detail.FieldPath+": "+detail.Reason)
			}
		}
	}
	item := s.model.Paths.PathItems.GetOrZero(template)
	named := slices.Concat(item.Parameters, operation.Parameters)
	for name := range request.URL.Query() {
		if template == usersCount && pageOfUsers[name] {
			continue
		}
		if !slices.ContainsFunc(named, func(p *v3.Parameter) bool { return p.In == "query" && p.Name == name }) {
			problems = append(problems, "the specification names no parameter "+name)
		}
	}
	return append(problems, bodyProblems(x, operation)...)
}

// usersCount is asked by Clerk's own client, whenever it lists users, with the parameters of the list.
const usersCount = "/users/count"

var pageOfUsers = map[string]bool{"limit": true, "offset": true, "order_by": true}

// bodyProblems is what a validator lets pass. Clerk's client never leaves a body out: null or an empty object says nothing.
func bodyProblems(x Exchange, operation *v3.Operation) []string {
	if body := string(x.Body); body == "" || body == "null" || body == "{}" {
		return nil
	}
	if operation.RequestBody == nil {
		return []string{"the specification names no body"}
	}
	media, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	content := operation.RequestBody.Content.GetOrZero(media)
	if err != nil || content == nil {
		return []string{"the specification names no body of the type " + x.Header.Get("Content-Type")}
	}
	schema := content.Schema.Schema()
	var fields map[string]json.RawMessage
	if schema.Properties == nil || json.Unmarshal(x.Body, &fields) != nil {
		return nil // a list or a union, which the validator has judged
	}
	var problems []string
	for name := range fields {
		if schema.Properties.GetOrZero(name) == nil {
			problems = append(problems, "the specification names no field "+name)
		}
	}
	return problems
}
