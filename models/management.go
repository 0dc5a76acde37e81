package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"
)

const (
	organizationNameLimit = 256
	organizationSlugLimit = 256
	metadataLimit         = 8 << 10
	emailLimit            = 254
	// InvitationsAtOnce is the most invitations that one mutation takes.
	InvitationsAtOnce = 10
)

var (
	slugForm = regexp.MustCompile(`^[a-z0-9-]+$`)
	roleForm = regexp.MustCompile(`^org:[a-z0-9_-]+$`)
)

// OrganizationInput is what is to be written of an organization; nil leaves a field as it is.
type OrganizationInput struct {
	Name, Slug *string
	// PublicMetadata is merged into what there is, key by key; a null takes its key away.
	PublicMetadata map[string]any
}

// Check returns an *InvalidError that names every field which cannot be taken, or nil.
func (i OrganizationInput) Check() error {
	var fields []FieldError
	add := func(path, message string) {
		if message != "" {
			fields = append(fields, FieldError{Path: path, Message: message})
		}
	}
	if i.Name != nil {
		add("name", checkName(*i.Name))
	}
	if i.Slug != nil {
		add("slug", checkSlug(*i.Slug))
	}
	if i.PublicMetadata != nil {
		add("publicMetadata", i.checkMetadata())
	}
	if len(fields) > 0 {
		return &InvalidError{Fields: fields}
	}
	return nil
}

// Empty says that nothing is to be written.
func (i OrganizationInput) Empty() bool {
	return i.Name == nil && i.Slug == nil && len(i.PublicMetadata) == 0
}

func checkName(name string) string {
	if strings.TrimSpace(name) == "" {
		return "must not be empty"
	}
	return checkText(name, organizationNameLimit)
}

func checkSlug(slug string) string {
	if !slugForm.MatchString(slug) {
		return "must consist of lowercase letters, digits and dashes"
	}
	return checkText(slug, organizationSlugLimit)
}

func (i OrganizationInput) checkMetadata() string {
	if i.Name != nil || i.Slug != nil {
		return "cannot be changed together with name or slug, because Clerk takes them one after the other"
	}
	text, err := json.Marshal(i.PublicMetadata)
	if err != nil || len(text) > metadataLimit {
		return "must be an object of at most 8 KiB"
	}
	return ""
}

// CheckRole returns an *InvalidError for what cannot be the key of a role.
func CheckRole(path, role string) error {
	if !roleForm.MatchString(role) {
		return Invalid(path, "must be the key of a role, such as org:member")
	}
	return nil
}

// InvitationInput is somebody to invite.
type InvitationInput struct{ Email, Role string }

// ValidEmail says whether a text can be an e-mail address. Whether it is one, only a letter can tell.
func ValidEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= emailLimit && !strings.ContainsAny(text, " \"")
}

// InvitationResult is what became of one of several invitations: the invitation, or the reason why there is none.
type InvitationResult struct {
	Email      string
	Invitation *Invitation
	Reason     Reason
}

// Code is the reason for clients; nil where there is none.
func (r *InvitationResult) Code() *string {
	if r.Reason == "" {
		return nil
	}
	code := string(r.Reason)
	return &code
}

// Reason says by which rule a change of organizations, members or invitations was refused. docs/errors.md lists them.
type Reason string

// Clerk's rules, by our names.
const (
	ReasonLastAdmin                    Reason = "LAST_ADMIN"
	ReasonAlreadyMember                Reason = "ALREADY_MEMBER"
	ReasonInvitationPending            Reason = "INVITATION_PENDING"
	ReasonInvitationNotPending         Reason = "INVITATION_NOT_PENDING"
	ReasonMembershipQuota              Reason = "MEMBERSHIP_QUOTA"
	ReasonOrganizationQuota            Reason = "ORGANIZATION_QUOTA"
	ReasonOrganizationCreationDisabled Reason = "ORGANIZATION_CREATION_DISABLED"
	ReasonOrganizationDeletionDisabled Reason = "ORGANIZATION_DELETION_DISABLED"
	ReasonSlugTaken                    Reason = "SLUG_TAKEN"
	ReasonSlugsDisabled                Reason = "SLUGS_DISABLED"
	ReasonManagedElsewhere             Reason = "MANAGED_ELSEWHERE"
	ReasonRolesMigrating               Reason = "ROLES_MIGRATING"
	ReasonPlan                         Reason = "PLAN"
	ReasonClerkRights                  Reason = "CLERK_RIGHTS"
	ReasonOther                        Reason = "OTHER"
)

// What else can become of one invitation among several.
const (
	ReasonInvalidEmail   Reason = "INVALID_EMAIL"
	ReasonInvalidRole    Reason = "INVALID_ROLE"
	ReasonUnavailable    Reason = "UPSTREAM_UNAVAILABLE"
	ReasonUnknownOutcome Reason = "UNKNOWN_OUTCOME"
)

// RefusedError says that a rule of Clerk's stands against a change; nothing was changed.
type RefusedError struct{ Reason Reason }

func (e *RefusedError) Error() string { return "refused: " + string(e.Reason) }

// UpstreamError says that Clerk could not be asked, or could not answer; nothing was changed.
type UpstreamError struct {
	// RetryAfter is when it may be worth trying again.
	RetryAfter time.Duration
}

func (e *UpstreamError) Error() string {
	return fmt.Sprintf("clerk is unavailable, try again in %s", e.RetryAfter)
}

// ErrUnknownOutcome says that a change was sent to Clerk and that nobody could find out what became of it.
var ErrUnknownOutcome = errors.New("the outcome is unknown")
