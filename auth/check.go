package auth

import (
	"slices"
	"time"
)

// maxTime is the last second of the year 9999: what lies beyond is no time.
const maxTime = 253402300799

// check judges who issued the token, when, to whom and for which kind of session.
func (v *Verifier) check(s *claimSet) error {
	if s.Issuer != v.config.Issuer {
		return refuse(ReasonIssuer)
	}
	if err := v.checkTimes(s); err != nil {
		return err
	}
	switch {
	case s.Subject == "":
		return refuse(ReasonSubMissing)
	case !validID(s.Subject, "user_"):
		return refuse(ReasonSubject)
	case s.SessionID == "":
		return refuse(ReasonSidMissing)
	case !validID(s.SessionID, ""):
		return refuse(ReasonSession)
	case s.Status != nil && *s.Status != statusActive && *s.Status != statusPending:
		return refuse(ReasonStatus)
	}
	return v.checkParty(s.AuthorizedParty)
}

func (v *Verifier) checkTimes(s *claimSet) error {
	switch {
	case s.ExpiresAt == nil:
		return refuse(ReasonExpMissing)
	case s.IssuedAt == nil:
		return refuse(ReasonIatMissing)
	}
	latest := v.config.Now().Add(leeway)
	for _, seconds := range []*int64{s.ExpiresAt, s.IssuedAt, s.NotBefore} {
		if seconds != nil && (*seconds <= 0 || *seconds > maxTime) {
			return refuse(ReasonClaims)
		}
	}
	if err := v.checkExpiry(time.Unix(*s.ExpiresAt, 0)); err != nil {
		return err
	}
	if time.Unix(*s.IssuedAt, 0).After(latest) || s.NotBefore != nil && time.Unix(*s.NotBefore, 0).After(latest) {
		return refuse(ReasonNotYetValid)
	}
	return nil
}

func (v *Verifier) checkExpiry(expires time.Time) error {
	if !v.config.Now().Before(expires.Add(leeway)) {
		return refuse(ReasonExpired)
	}
	return nil
}

func (v *Verifier) checkParty(party string) error {
	switch {
	case len(v.config.AuthorizedParties) == 0:
		return nil
	case party == "" && v.config.AllowMissingAuthorizedParty:
		return nil
	case !slices.Contains(v.config.AuthorizedParties, party):
		return refuse(ReasonAuthorizedParty)
	}
	return nil
}
