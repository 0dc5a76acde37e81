package mirror

import (
	"encoding/json"
	"net/http"

	"github.com/clerk/clerk-sdk-go/v2"

	"github.com/tenantry/tenantry/models"
)

// reasons are Clerk's codes by our names.
var reasons = map[string]models.Reason{
	"organization_minimum_permissions_needed":  models.ReasonLastAdmin,
	"already_a_member_in_organization":         models.ReasonAlreadyMember,
	"organization_invitation_not_unique":       models.ReasonInvitationPending,
	"duplicate_record":                         models.ReasonInvitationPending,
	"organization_invitation_not_pending":      models.ReasonInvitationNotPending,
	"organization_invitation_already_accepted": models.ReasonInvitationNotPending,
	"organization_invitation_revoked":          models.ReasonInvitationNotPending,
	"organization_membership_quota_exceeded":   models.ReasonMembershipQuota,
	"organization_quota_exceeded":              models.ReasonOrganizationQuota,
	"user_create_organization_not_enabled":     models.ReasonOrganizationCreationDisabled,
	"organization_not_enabled_in_instance":     models.ReasonOrganizationCreationDisabled,
	"organization_admin_delete_not_enabled":    models.ReasonOrganizationDeletionDisabled,
	"form_identifier_exists":                   models.ReasonSlugTaken,
	"organization_slugs_disabled":              models.ReasonSlugsDisabled,
	"organization_membership_managed_by_scim":  models.ReasonManagedElsewhere,
	"role_migration_in_progress":               models.ReasonRolesMigrating,
	"missing_organization_permission":          models.ReasonClerkRights,
}

// inputs are the names of our inputs for Clerk's parameters.
var inputs = map[string]string{
	"name": "name", "slug": "slug", "public_metadata": "publicMetadata", "email_address": "email", "role": "role", "user_id": "userId",
}

// refusal is Clerk's refusal by our names, without its text.
func refusal(status int, e clerk.Error) error {
	if reason, known := reasons[e.Code]; known {
		return &models.RefusedError{Reason: reason}
	}
	var meta struct {
		Parameter string `json:"param_name"`
	}
	_ = json.Unmarshal(e.Meta, &meta) // where there is none, it is no single parameter
	if path, ours := inputs[meta.Parameter]; ours {
		return models.Invalid(path, "is not accepted")
	}
	switch {
	case status == http.StatusNotFound, e.Code == "not_a_member_in_organization":
		return models.ErrNotFound
	case status == http.StatusPaymentRequired:
		return &models.RefusedError{Reason: models.ReasonPlan}
	}
	return &models.RefusedError{Reason: models.ReasonOther}
}
