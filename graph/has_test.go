package graph

import (
	"errors"
	"reflect"
	"testing"

	"github.com/tenantry/tenantry/auth"
)

func member(change func(*auth.Viewer)) *auth.Viewer {
	v := &auth.Viewer{
		UserID: "user_1", SessionID: "sess_1",
		Organization: &auth.ActiveOrganization{ID: "org_1", Role: "org:admin", Permissions: []string{"org:documents:read"}},
		Features:     []string{"o:documents", "u:beta"}, Plans: []string{"o:pro"},
		FactorVerificationAge: &[2]int{5, -1},
	}
	if change != nil {
		change(v)
	}
	return v
}

// @hasPermission asks for everything that is given, and its error says what is missing.
func TestHasAsksForEverything(t *testing.T) {
	t.Parallel()
	strict, lax := auth.ReverificationStrict, auth.ReverificationLax
	wanted := func(reverification any) map[string]any {
		return map[string]any{"clerk_error": map[string]any{
			"type": "forbidden", "reason": "reverification-error", "metadata": map[string]any{"reverification": reverification},
		}}
	}
	outside := func(v *auth.Viewer) { v.Organization = nil }
	pending := func(v *auth.Viewer) { v.Organization, v.NoOrganizationReason = nil, auth.ReasonSessionPending }
	stale := func(v *auth.Viewer) { v.FactorVerificationAge = &[2]int{10, -1} }
	for name, test := range map[string]struct {
		viewer *auth.Viewer
		asked  auth.Requirement
		code   Code // "" where it is allowed
		extra  map[string]any
		reason DenialReason
	}{
		"all of it":                         {member(nil), auth.Requirement{Permission: "org:documents:read", Role: "org:admin", Feature: "documents", Plan: "org:pro", Reverification: strict}, "", nil, ""},
		"nothing":                           {member(nil), auth.Requirement{}, CodeForbidden, map[string]any{}, DenialReasonPermission},
		"nobody":                            {&auth.Viewer{}, auth.Requirement{Feature: "documents"}, CodeUnauthenticated, nil, DenialReasonUnauthenticated},
		"a permission":                      {member(nil), auth.Requirement{Permission: "org:documents:delete", Role: "org:admin"}, CodeForbidden, map[string]any{"permission": "org:documents:delete"}, DenialReasonPermission},
		"a role and a plan":                 {member(nil), auth.Requirement{Role: "org:owner", Plan: "free"}, CodeForbidden, map[string]any{"role": "org:owner", "plan": "free"}, DenialReasonRole},
		"a feature of the other side":       {member(nil), auth.Requirement{Feature: "org:beta"}, CodeForbidden, map[string]any{"feature": "org:beta"}, DenialReasonFeature},
		"a user's feature, outside":         {member(outside), auth.Requirement{Feature: "user:beta"}, "", nil, ""},
		"the organization's, outside":       {member(outside), auth.Requirement{Feature: "documents"}, CodeForbidden, map[string]any{"feature": "documents"}, DenialReasonFeature},
		"a permission, outside":             {member(outside), auth.Requirement{Permission: "org:documents:read"}, CodeNoActiveOrganization, nil, DenialReasonNoActiveOrganization},
		"a user's feature, pending":         {member(pending), auth.Requirement{Feature: "user:beta"}, CodeNoActiveOrganization, map[string]any{"reason": "SESSION_PENDING"}, DenialReasonNoActiveOrganization},
		"reverification":                    {member(stale), auth.Requirement{Permission: "org:documents:read", Reverification: strict}, CodeForbidden, wanted("strict"), DenialReasonReverification},
		"a longer reverification":           {member(stale), auth.Requirement{Reverification: lax}, "", nil, ""},
		"reverification of one's own":       {member(stale), auth.Requirement{Reverification: auth.Reverification{Level: "first_factor", AfterMinutes: 3}}, CodeForbidden, wanted(map[string]any{"level": "first_factor", "afterMinutes": 3}), DenialReasonReverification},
		"reverification where it is no use": {member(stale), auth.Requirement{Permission: "org:documents:delete", Reverification: strict}, CodeForbidden, map[string]any{"permission": "org:documents:delete"}, DenialReasonPermission},
		"reverification without fva":        {member(func(v *auth.Viewer) { v.FactorVerificationAge = nil }), auth.Requirement{Reverification: lax}, CodeForbidden, wanted("lax"), DenialReasonReverification},
	} {
		err := has(test.viewer, test.asked)
		var denied *denial
		if !errors.As(err, &denied) {
			denied = &denial{}
		}
		if (err == nil) != (test.code == "") || denied.code != test.code || denied.reason != test.reason || !reflect.DeepEqual(denied.extra, test.extra) {
			t.Errorf("%s: %v %+v", name, err, denied)
		}
	}
}

func TestReverificationForms(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value any
		want  auth.Reverification
	}{
		"preset":        {"strict_mfa", auth.ReverificationStrictMFA},
		"object":        {map[string]any{"level": "multi_factor", "afterMinutes": int64(7)}, auth.Reverification{Level: "multi_factor", AfterMinutes: 7}},
		"unknown":       {"Strict", auth.Reverification{}},
		"no level":      {map[string]any{"afterMinutes": int64(7)}, auth.Reverification{}},
		"too much":      {map[string]any{"level": "multi_factor", "afterMinutes": int64(7), "x": 1}, auth.Reverification{}},
		"no number":     {map[string]any{"level": "multi_factor", "afterMinutes": "7"}, auth.Reverification{}},
		"nothing of it": {7, auth.Reverification{}},
	} {
		got, err := UnmarshalReverification(test.value)
		if got != test.want || (err == nil) != (test.want != auth.Reverification{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
