package auth

import (
	"context"
	"fmt"
	"strings"
)

// Authenticator turns a request's Authorization header into a Viewer.
type Authenticator struct {
	verifier *Verifier
	facts    FactsSource
}

// NewAuthenticator returns an authenticator that verifies tokens and corrects them by the facts.
func NewAuthenticator(v *Verifier, f FactsSource) *Authenticator {
	return &Authenticator{verifier: v, facts: f}
}

// Viewer returns who is asking, given all values of the request's Authorization header: without any an anonymous viewer.
// It returns a *Refusal if they do not prove it. Any other error means that this cannot be judged now: a token alone
// grants nothing.
func (a *Authenticator) Viewer(ctx context.Context, authorization []string) (*Viewer, error) {
	claims, err := a.Verify(ctx, authorization)
	if err != nil {
		return nil, err
	}
	return a.Judge(ctx, claims)
}

// Verify is the first half of Viewer, which needs no facts: it returns the claims of the request's
// token, nil if there is no Authorization header.
func (a *Authenticator) Verify(ctx context.Context, authorization []string) (*Claims, error) {
	if len(authorization) == 0 {
		return nil, nil
	}
	token, err := bearer(authorization)
	if err != nil {
		return nil, err
	}
	return a.verifier.Verify(ctx, token)
}

// Judge is the second half of Viewer: it returns the viewer that claims of Verify and the facts make.
func (a *Authenticator) Judge(ctx context.Context, claims *Claims) (*Viewer, error) {
	if claims == nil {
		return new(Viewer), nil
	}
	organizationID, role := "", ""
	if claims.Organization != nil && !claims.Pending {
		organizationID, role = claims.Organization.ID, normal(claims.Organization.Role)
	}
	facts, err := waitForFacts(ctx, func(ctx context.Context) (Facts, error) {
		return a.facts.Facts(ctx, organizationID, claims.UserID, claims.SessionID, role)
	})
	if err != nil {
		return nil, fmt.Errorf("auth: facts about the viewer: %w", err)
	}
	return Correct(claims, facts)
}

// bearer returns the token of the only Authorization header.
func bearer(authorization []string) (string, error) {
	if len(authorization) > 1 {
		return "", refuse(ReasonSeveralHeaders)
	}
	scheme, token, _ := strings.Cut(authorization[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refuse(ReasonScheme)
	}
	if token = strings.Trim(token, " "); token == "" {
		return "", refuse(ReasonEmptyToken)
	}
	return token, nil
}
