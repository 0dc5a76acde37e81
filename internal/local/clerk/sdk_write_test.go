package clerk

import (
	"encoding/json"
	"errors"
	"testing"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	sdkorganization "github.com/clerk/clerk-sdk-go/v2/organization"
	"github.com/clerk/clerk-sdk-go/v2/organizationinvitation"
	"github.com/clerk/clerk-sdk-go/v2/organizationmembership"
)

func raw(text string) *json.RawMessage {
	message := json.RawMessage(text)
	return &message
}

func refusedWith(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var refused *sdk.APIErrorResponse
	if !errors.As(err, &refused) || refused.HTTPStatusCode != status || len(refused.Errors) != 1 || refused.Errors[0].Code != code {
		t.Errorf("%s: %v, want %d %s", what, err, status, code)
	}
}

func TestClerksClientWritesOrganizations(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	client := sdkorganization.NewClient(connect(b, c.SecretKey()))
	ctx, nora := t.Context(), seededID("user", "Nora")

	made, err := client.Create(ctx, &sdkorganization.CreateParams{
		Name: sdk.String("Initech"), CreatedBy: &nora, PublicMetadata: raw(`{"plan":{"name":"pro"}}`), MaxAllowedMemberships: sdk.Int64(7),
	})
	if err != nil {
		t.Fatal(err)
	}
	if made.Slug != "initech" || made.CreatedBy != nora || string(made.PublicMetadata) != `{"plan":{"name":"pro"}}` || made.MaxAllowedMemberships != 7 {
		t.Errorf("made %+v", made)
	}
	changed, err := client.Update(ctx, made.ID, &sdkorganization.UpdateParams{Name: sdk.String("Initech Ltd"), Slug: sdk.String("initech-ltd")})
	if err != nil || changed.Name != "Initech Ltd" || changed.Slug != "initech-ltd" || changed.UpdatedAt <= made.UpdatedAt || changed.MaxAllowedMemberships != 7 {
		t.Errorf("changed %+v, %v", changed, err)
	}
	merged, err := client.UpdateMetadata(ctx, made.ID, &sdkorganization.UpdateMetadataParams{PublicMetadata: raw(`{"plan":{"seats":3}}`)})
	if err != nil || string(merged.PublicMetadata) != `{"plan":{"name":"pro","seats":3}}` {
		t.Errorf("merged %+v, %v", merged, err)
	}
	replaced, err := client.ReplaceMetadata(ctx, made.ID, &sdkorganization.ReplaceMetadataParams{PublicMetadata: raw(`{"a":1}`)})
	if err != nil || string(replaced.PublicMetadata) != `{"a":1}` {
		t.Errorf("replaced %+v, %v", replaced, err)
	}
	_, err = client.Create(ctx, &sdkorganization.CreateParams{Name: sdk.String("Acme"), Slug: sdk.String("acme")})
	refusedWith(t, "a slug twice", err, 422, "form_identifier_exists")
	deleted, err := client.Delete(ctx, made.ID)
	if err != nil || !deleted.Deleted || deleted.ID != made.ID {
		t.Errorf("deleted %+v, %v", deleted, err)
	}
	_, err = client.Get(ctx, made.ID)
	refusedWith(t, "a deleted one", err, 404, "organization_not_found_or_unauthorized")
	if acme, err := client.Get(ctx, SeededAcme); err != nil || acme.Name != "Acme" {
		t.Errorf("the other organization is %+v, %v", acme, err)
	}
}

func TestClerksClientWritesMemberships(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	client := organizationmembership.NewClient(connect(b, c.SecretKey()))
	ctx, nora := t.Context(), seededID("user", "Nora")

	made, err := client.Create(ctx, &organizationmembership.CreateParams{OrganizationID: SeededAcme, UserID: &nora, Role: sdk.String("org:member")})
	if err != nil || made.Role != "org:member" || made.PublicUserData.UserID != nora || made.Organization.ID != SeededAcme {
		t.Fatalf("made %+v, %v", made, err)
	}
	changed, err := client.Update(ctx, &organizationmembership.UpdateParams{OrganizationID: SeededAcme, UserID: nora, Role: sdk.String("org:admin")})
	if err != nil || changed.Role != "org:admin" || changed.ID != made.ID || changed.UpdatedAt <= made.UpdatedAt {
		t.Errorf("changed %+v, %v", changed, err)
	}
	removed, err := client.Delete(ctx, &organizationmembership.DeleteParams{OrganizationID: SeededAcme, UserID: nora})
	if err != nil || removed.ID != made.ID {
		t.Errorf("removed %+v, %v", removed, err)
	}
	_, err = client.Delete(ctx, &organizationmembership.DeleteParams{OrganizationID: SeededAcme, UserID: nora})
	refusedWith(t, "removed twice", err, 404, "resource_not_found")
	_, err = client.Delete(ctx, &organizationmembership.DeleteParams{OrganizationID: SeededAcme, UserID: SeededAda})
	refusedWith(t, "the last admin", err, 400, "organization_minimum_permissions_needed")
}

func TestClerksClientWritesInvitations(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	client := organizationinvitation.NewClient(connect(b, c.SecretKey()))
	ctx, ada := t.Context(), SeededAda

	made, err := client.Create(ctx, &organizationinvitation.CreateParams{
		OrganizationID: SeededAcme, EmailAddress: sdk.String("nora@example.com"), Role: sdk.String("org:member"),
		InviterUserID: &ada, PublicMetadata: raw(`{"desk":3}`), ExpiresInDays: sdk.Int64(7),
	})
	if err != nil || made.Status != "pending" || made.OrganizationID != SeededAcme || made.ExpiresAt == nil || string(made.PublicMetadata) != `{"desk":3}` {
		t.Fatalf("made %+v, %v", made, err)
	}
	listed, err := client.List(ctx, &organizationinvitation.ListParams{OrganizationID: SeededAcme, Statuses: &[]string{"pending", "revoked"}})
	if err != nil || listed.TotalCount != 1 || listed.OrganizationInvitations[0].ID != made.ID {
		t.Errorf("listed %+v, %v", listed, err)
	}
	all, err := client.ListFromInstance(ctx, &organizationinvitation.ListFromInstanceParams{Query: sdk.String("nora@")})
	if err != nil || all.TotalCount != 1 || all.OrganizationInvitations[0].PublicOrganizationData.Slug != "acme" {
		t.Errorf("of the instance %+v, %v", all, err)
	}
	_, err = client.Get(ctx, &organizationinvitation.GetParams{OrganizationID: SeededGlobex, ID: made.ID})
	refusedWith(t, "in the other organization", err, 404, "resource_not_found")
	revoked, err := client.Revoke(ctx, &organizationinvitation.RevokeParams{OrganizationID: SeededAcme, ID: made.ID, RequestingUserID: &ada})
	if err != nil || revoked.Status != "revoked" {
		t.Errorf("revoked %+v, %v", revoked, err)
	}
	got, err := client.Get(ctx, &organizationinvitation.GetParams{OrganizationID: SeededAcme, ID: made.ID})
	if err != nil || got.Status != "revoked" || got.UpdatedAt != revoked.UpdatedAt {
		t.Errorf("got %+v, %v", got, err)
	}
}
