package spectest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// Specification is Clerk's of the Backend API.
type Specification struct {
	model     *v3.Document
	validator validator.Validator
}

// Open reads the specification from the folder that Variable names, of the paths that are wanted: making a validator
// compiles every schema that is left.
func Open(wanted func(path string) bool) (*Specification, error) {
	data, err := os.ReadFile(specificationFile())
	if err != nil {
		return nil, err
	}
	document, err := libopenapi.NewDocument(data)
	if err != nil {
		return nil, err
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, err
	}
	model.Model.Paths.PathItems.Filter(func(path string, _ *v3.PathItem) bool { return path == anyUser || wanted(path) })
	return &Specification{&model.Model, validator.NewValidatorFromV3Model(&model.Model)}, nil
}

// anyUser is the path whose refusals stand for those that operations do not name.
const anyUser = "/users"

// operation is an operation of the specification with its path; nil where there is none. Where several paths fit, it is
// the one with the fewest parameters.
func (s *Specification) operation(method, path string) (template string, found *v3.Operation) {
	for pair := s.model.Paths.PathItems.First(); pair != nil; pair = pair.Next() {
		if !SameRoute(path, pair.Key()) || found != nil && strings.Count(pair.Key(), "{") >= strings.Count(template, "{") {
			continue
		}
		if operation, there := pair.Value().GetOperations().Get(strings.ToLower(method)); there {
			template, found = pair.Key(), operation
		}
	}
	return template, found
}

// AnswerProblems holds an answer against the specification: its status, its media type and every field of its body, and
// for a 200 the request too. path is the request's or a template with parameters. The refusals that any operation may have
// and few name, also those by Clerk's rules of memberships (400) and of what an instance allows (403), are held against
// those of users: their body is the same everywhere.
func (s *Specification) AnswerProblems(request *http.Request, path string, status int, header http.Header, body []byte) []string {
	_, operation := s.operation(request.Method, path)
	named := false
	if operation != nil {
		_, named = operation.Responses.Codes.Get(strconv.Itoa(status))
	}
	target, validate := request.URL.Path, s.validator.ValidateHttpResponse
	switch {
	case named && status == http.StatusOK:
		validate = s.validator.ValidateHttpRequestResponse
	case named:
	case refusals[status]:
		status, request = http.StatusUnprocessableEntity, request.Clone(request.Context())
		request.Method, request.URL.Path, request.URL.RawQuery, request.Body = http.MethodGet, "/v1"+anyUser, "", nil
	default:
		return []string{fmt.Sprintf("%s: the specification names no answer %d", target, status)}
	}
	answer := &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))}
	var problems []string
	_, found := validate(request, answer)
	for _, p := range found {
		problems = append(problems, fmt.Sprintf("%s: %d %s: %s: %s", target, status, short(body), p.Message, p.Reason))
		for _, detail := range p.SchemaValidationErrors {
			problems = append(problems, detail.FieldPath+": "+detail.Reason)
		}
	}
	return problems
}

var refusals = map[int]bool{
	http.StatusBadRequest: true, http.StatusUnauthorized: true, http.StatusForbidden: true, http.StatusNotFound: true,
	http.StatusUnprocessableEntity: true, http.StatusTooManyRequests: true,
}

func short(body []byte) string {
	const most = 600
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}
