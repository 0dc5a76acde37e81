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
	if len(authorization) == 0 {
		return new(Viewer), nil
	}
	token, err := bearer(authorization)
	if err != nil {
		return nil, err
	}
	claims, err := a.verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
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
