package graph

import (
	"context"
	"errors"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tenantry/tenantry/models"
)

// Code is what clients tell errors apart by, in extensions.code. docs/errors.md lists them.
type Code string

// The codes of errors at fields. Those of whole requests are the transport's.
const (
	CodeUnauthenticated      Code = "UNAUTHENTICATED"
	CodeNoActiveOrganization Code = "NO_ACTIVE_ORGANIZATION"
	CodeForbidden            Code = "FORBIDDEN"
	CodeNotFound             Code = "NOT_FOUND"
	CodeBadUserInput         Code = "BAD_USER_INPUT"
	CodeConflict             Code = "CONFLICT"
	CodeUnavailable          Code = "UNAVAILABLE"
	CodeTimeout              Code = "TIMEOUT"
	CodeUpstreamUnavailable  Code = "UPSTREAM_UNAVAILABLE"
	CodeUnknownOutcome       Code = "UNKNOWN_OUTCOME"
	CodeResponseTooLarge     Code = "RESPONSE_TOO_LARGE"
	CodeInternal             Code = "INTERNAL"
)

// denial is a refusal by a directive.
type denial struct {
	code    Code
	reason  DenialReason
	message string
	// extra goes into the error's extensions.
	extra map[string]any
}

func (d *denial) Error() string { return d.message }

// Present is the one place where errors become codes. It starts from silence: what is not named here is INTERNAL, and
// its text goes to the log only.
func Present(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{Path: graphql.GetPath(ctx)}
	var graphErr *gqlerror.Error
	if errors.As(err, &graphErr) {
		// The parser's and the validator's own errors say what is wrong with the query, and nothing else.
		if graphErr.Unwrap() == nil {
			if graphErr.Path == nil {
				graphErr.Path = shown.Path
			}
			return graphErr
		}
		if graphErr.Path != nil {
			shown.Path = graphErr.Path
		}
	}
	code, message, extra := describe(err)
	if code == CodeInternal || code == CodeUnavailable || code == CodeUnknownOutcome {
		shown.Err = err // for the log: it is no part of the response
	}
	shown.Message = message
	shown.Extensions = map[string]any{"code": string(code)}
	for key, value := range extra {
		shown.Extensions[key] = value
	}
	return shown
}

func describe(err error) (code Code, message string, extra map[string]any) {
	var denied *denial
	var invalid *models.InvalidError
	var conflict *models.ConflictError
	var refused *models.RefusedError
	var upstream *models.UpstreamError
	var value badValue
	switch {
	case errors.As(err, &denied):
		return denied.code, denied.message, denied.extra
	case errors.As(err, &invalid):
		return CodeBadUserInput, "The input is not valid.", map[string]any{"fields": invalid.Fields}
	case errors.As(err, &value):
		return CodeBadUserInput, "The input is not valid: it " + value.Error() + ".", nil
	case errors.As(err, &conflict):
		return CodeConflict, "The object was changed since it was read.", map[string]any{"currentVersion": conflict.CurrentVersion}
	case errors.As(err, &refused):
		return CodeConflict, "A rule of Clerk's stands against it; nothing was changed.", map[string]any{"reason": string(refused.Reason)}
	case errors.As(err, &upstream):
		return CodeUpstreamUnavailable, "Clerk does not take it for the moment; nothing was changed. Try again later.",
			map[string]any{"retryAfter": int(math.Ceil(upstream.RetryAfter.Seconds()))}
	case errors.Is(err, models.ErrUnknownOutcome):
		return CodeUnknownOutcome, "It was sent to Clerk, and what became of it is not known yet. Look before trying again.", nil
	case isNotFound(err):
		return CodeNotFound, "The active organization has no such object.", nil
	case errors.Is(err, models.ErrNoOrganization):
		return CodeNoActiveOrganization, noActiveOrganization, nil
	case errors.Is(err, models.ErrNoViewer):
		return CodeUnauthenticated, signInFirst, nil
	case errors.Is(err, models.ErrResponseTooLarge):
		return CodeResponseTooLarge, "The request asks for too much. Ask for fewer lists and counts, or for smaller pages.", nil
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout, "The operation took too long.", nil
	case errors.Is(err, models.ErrUnavailable), errors.Is(err, context.Canceled):
		return CodeUnavailable, "The service is unavailable for the moment. Try again.", nil
	}
	return CodeInternal, "Something went wrong. The request id helps to find out what.", nil
}

func isNotFound(err error) bool { return errors.Is(err, models.ErrNotFound) }
