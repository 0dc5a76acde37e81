package clerk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func createInvitation(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	o, err := s.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	return s.inviteAsAsked(o, f, now)
}

// createInvitations makes all of them, or none where one is refused.
func createInvitations(s *state, r *http.Request, forms []*form, now time.Time) (any, error) {
	o, err := s.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	if len(forms) == 0 || len(forms) > mostInvited {
		return nil, &apiError{
			status: http.StatusUnprocessableEntity, code: "form_param_value_invalid", message: "is invalid",
			long: "There must be between 1 and " + strconv.Itoa(mostInvited) + " invitations.",
		}
	}
	made := list[any]{Data: make([]any, 0, len(forms)), TotalCount: len(forms)}
	for _, f := range forms {
		body, err := s.inviteAsAsked(o, f, now)
		if err != nil {
			return nil, err
		}
		made.Data = append(made.Data, body)
	}
	return made, nil
}

func (s *state) inviteAsAsked(o organization, f *form, now time.Time) (any, error) {
	wanted := invitation{
		Email: strings.ToLower(f.needed("email_address")), Role: f.needed("role"), InviterID: given(f.text("inviter_user_id")),
	}
	days, metadata := invitationDays, f.metadataChange()
	set(&days, f.number("expires_in_days", 1, mostDays))
	f.flag("notify") // nobody is written to here
	if target := f.text("redirect_url"); target != nil && !isWebAddress(*target) {
		f.refuse("form_param_format_invalid", "redirect_url", "redirect_url must be an absolute http or https URL.")
	}
	if wanted.Email != "" && !isAddress(wanted.Email) {
		f.refuse("form_param_format_invalid", "email_address", "email_address must be a valid email address.")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if _, known := s.roleByKey(wanted.Role); !known {
		return nil, gone("role", wanted.Role)
	}
	if err := metadata.apply(&wanted.PublicMetadata, &wanted.PrivateMetadata); err != nil {
		return nil, err
	}
	made, err := s.invite(o, wanted, days, now)
	return s.invitationBody(made, now), err
}

func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

func revokeInvitation(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	by := given(f.text("requesting_user_id"))
	if err := f.err(); err != nil {
		return nil, err
	}
	o, err := s.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	revoked, err := s.revokeInvitation(o, r.PathValue("invitation"), by, now)
	return s.invitationBody(revoked, now), err
}
