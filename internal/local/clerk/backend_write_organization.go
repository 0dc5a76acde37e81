package clerk

import (
	"net/http"
	"time"
)

// organizationChange reads what is the same in making and changing.
func (f *form) organizationChange() organizationChange {
	return organizationChange{
		Name: f.text("name"), Slug: f.text("slug"), MaxMemberships: f.number("max_allowed_memberships", 0, maxNumber),
		CreatedAt: f.when("created_at"),
	}
}

func createOrganization(s *state, _ *http.Request, f *form, now time.Time) (any, error) {
	wanted, creator := f.organizationChange(), given(f.text("created_by"))
	wanted.publicly, wanted.privately = f.metadata("public_metadata"), f.metadata("private_metadata")
	if err := f.err(); err != nil {
		return nil, err
	}
	o, err := s.createOrganization(wanted, creator, now)
	return s.organizationBody(o), err
}

func updateOrganization(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	wanted := f.organizationChange()
	wanted.AdminDelete = f.flag("admin_delete_enabled")
	if err := f.err(); err != nil {
		return nil, err
	}
	o, err := s.changeOrganization(r.PathValue("id"), wanted, now)
	return s.organizationBody(o), err
}

func mergeOrganizationMetadata(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	return putOrganizationMetadata(s, r, f, f.metadataChange(), now)
}

func replaceOrganizationMetadata(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	wanted := f.metadataChange()
	wanted.replace = true
	return putOrganizationMetadata(s, r, f, wanted, now)
}

func putOrganizationMetadata(s *state, r *http.Request, f *form, wanted metadataChange, now time.Time) (any, error) {
	if err := f.err(); err != nil {
		return nil, err
	}
	o, err := s.putOrganizationMetadata(r.PathValue("id"), wanted, now)
	return s.organizationBody(o), err
}

func deleteOrganization(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	body, err := s.deleteOrganization(r.PathValue("id"), now)
	return body, err
}
