package mirror

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/clerk/clerk-sdk-go/v2"

	"github.com/tenantry/tenantry/models"
)

// Each of Clerk's codes has its name here, which clients rely on.
func TestRefusalsByTheirCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]models.Reason{
		"organization_minimum_permissions_needed": "LAST_ADMIN", "already_a_member_in_organization": "ALREADY_MEMBER",
		"organization_invitation_not_unique": "INVITATION_PENDING", "duplicate_record": "INVITATION_PENDING",
		"organization_invitation_not_pending": "INVITATION_NOT_PENDING", "organization_invitation_already_accepted": "INVITATION_NOT_PENDING",
		"organization_invitation_revoked": "INVITATION_NOT_PENDING", "organization_membership_quota_exceeded": "MEMBERSHIP_QUOTA",
		"organization_quota_exceeded": "ORGANIZATION_QUOTA", "form_identifier_exists": "SLUG_TAKEN",
		"organization_slugs_disabled": "SLUGS_DISABLED", "organization_admin_delete_not_enabled": models.ReasonOrganizationDeletionDisabled,
		"user_create_organization_not_enabled": models.ReasonOrganizationCreationDisabled, "some_other_code": models.ReasonOther,
	} {
		if got := refusal(http.StatusForbidden, clerk.Error{Code: code}); !reflect.DeepEqual(got, &models.RefusedError{Reason: want}) {
			t.Errorf("%s: %v, want %s", code, got, want)
		}
	}
	for what, c := range map[string]struct {
		status  int
		refused clerk.Error
		want    error
	}{
		"a parameter of ours":  {http.StatusUnprocessableEntity, clerk.Error{Meta: json.RawMessage(`{"param_name":"email_address"}`)}, models.Invalid("email", "is not accepted")},
		"what is not there":    {http.StatusNotFound, clerk.Error{Code: "resource_not_found"}, models.ErrNotFound},
		"who is no member":     {http.StatusBadRequest, clerk.Error{Code: "not_a_member_in_organization"}, models.ErrNotFound},
		"what is not paid for": {http.StatusPaymentRequired, clerk.Error{}, &models.RefusedError{Reason: models.ReasonPlan}},
	} {
		if got := refusal(c.status, c.refused); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
