package clerk

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The rules of organizations, as changes of a state. Each queues its events. On
// a *apiError the state is to be thrown away, as update does.

var (
	slugForm = regexp.MustCompile(`^[a-z0-9-]+$`)
	notSlug  = regexp.MustCompile(`[^a-z0-9]+`)
	linkish  = regexp.MustCompile(`(?i)://|\bwww\.|<[a-z/!]`) // a URL or HTML
)

// mostName is how many characters a name may have.
const mostName = 256

// organizationChange is what an organization is to be, or to be other than it
// is; nil stays.
type organizationChange struct {
	Name, Slug          *string
	MaxMemberships      *int
	AdminDelete         *bool
	CreatedAt           *time.Time
	publicly, privately *map[string]any
}

// createOrganization makes an organization, and its creator its first member.
// No creator ("") makes one without members, as Clerk does.
func (s *state) createOrganization(wanted organizationChange, creator string, now time.Time) (organization, error) {
	if wanted.Name == nil {
		return organization{}, missing("name")
	}
	if err := s.mayCreate(creator); err != nil {
		return organization{}, err
	}
	at := s.tick(now)
	o := organization{
		ID: newID("org"), CreatedBy: creator, CreatedAt: at, UpdatedAt: at,
		MaxMemberships: s.Settings.MaxMemberships, AdminDeleteOff: s.Settings.AdminDeleteOff,
	}
	if u, known := s.userByID(creator); known {
		o.Temporary = u.Temporary
	}
	if !s.Settings.SlugsOff && wanted.Slug == nil {
		o.Slug = s.freeSlug(*wanted.Name)
	}
	if err := s.fill(&o, wanted); err != nil {
		return organization{}, err
	}
	given := metadataChange{public: wanted.publicly, private: wanted.privately}
	if err := given.apply(&o.PublicMetadata, &o.PrivateMetadata); err != nil {
		return organization{}, err
	}
	s.Organizations = append(s.Organizations, o)
	if _, err := s.emit("organization.created", s.organizationBody(o), now); err != nil || creator == "" {
		return o, err
	}
	_, _, err := s.join(membership{OrganizationID: o.ID, UserID: creator, Role: creatorRole}, now)
	return o, err
}

// mayCreate refuses a creator that there is not, or that has made enough.
func (s *state) mayCreate(creator string) error {
	if creator == "" {
		return nil
	}
	if _, known := s.userByID(creator); !known {
		return gone("user", creator)
	}
	made := 0
	for _, o := range s.Organizations {
		if o.CreatedBy == creator {
			made++
		}
	}
	if most := s.Settings.OrganizationsEach; most > 0 && made >= most {
		return &apiError{
			status: http.StatusForbidden, code: "organization_quota_exceeded", message: "organization quota exceeded",
			long: "A user may create up to " + strconv.Itoa(most) + " organizations.",
		}
	}
	return nil
}

// changeOrganization changes an organization.
func (s *state) changeOrganization(id string, change organizationChange, now time.Time) (organization, error) {
	return s.putOrganization(id, now, func(o *organization) error { return s.fill(o, change) })
}

// putOrganizationMetadata gives an organization other metadata.
func (s *state) putOrganizationMetadata(id string, change metadataChange, now time.Time) (organization, error) {
	return s.putOrganization(id, now, func(o *organization) error {
		return change.apply(&o.PublicMetadata, &o.PrivateMetadata)
	})
}

func (s *state) putOrganization(id string, now time.Time, change func(*organization) error) (organization, error) {
	i, err := s.organizationIndex(id)
	if err != nil {
		return organization{}, err
	}
	o := s.Organizations[i]
	if err := change(&o); err != nil {
		return organization{}, err
	}
	o.UpdatedAt = s.tick(now)
	s.Organizations[i] = o
	_, err = s.emit("organization.updated", s.organizationBody(o), now)
	return o, err
}

// fill writes what is given into an organization, or refuses it.
func (s *state) fill(o *organization, wanted organizationChange) error {
	if wanted.Name != nil {
		if err := checkName(*wanted.Name); err != nil {
			return err
		}
		o.Name = strings.TrimSpace(*wanted.Name)
	}
	if wanted.Slug != nil {
		if err := s.checkSlug(o.ID, *wanted.Slug); err != nil {
			return err
		}
		o.Slug = *wanted.Slug
	}
	set(&o.MaxMemberships, wanted.MaxMemberships)
	if wanted.AdminDelete != nil {
		o.AdminDeleteOff = !*wanted.AdminDelete
	}
	if wanted.CreatedAt != nil {
		o.CreatedAt = wanted.CreatedAt.UnixMilli()
	}
	return nil
}

func checkName(name string) error {
	refuse := func(code, long string) error {
		return &apiError{status: http.StatusUnprocessableEntity, code: code, message: "is invalid", long: long, param: "name"}
	}
	switch {
	case strings.TrimSpace(name) == "":
		return missing("name")
	case utf8.RuneCountInString(name) > mostName:
		return refuse("form_param_max_length_exceeded", "name may have up to "+strconv.Itoa(mostName)+" characters.")
	case linkish.MatchString(name):
		return refuse("form_param_format_invalid", "name may not contain URLs or HTML.")
	}
	return nil
}

func (s *state) checkSlug(id, slug string) error {
	refuse := func(status int, code, message, long string) error {
		return &apiError{status: status, code: code, message: message, long: long, param: "slug"}
	}
	switch {
	case s.Settings.SlugsOff:
		return refuse(http.StatusForbidden, "organization_slugs_disabled", "organization slugs disabled", "Organizations have no slugs in this instance.")
	case !slugForm.MatchString(slug):
		return refuse(http.StatusUnprocessableEntity, "form_param_format_invalid", "is invalid", "slug can contain only small letters, digits and dashes.")
	case slices.ContainsFunc(s.Organizations, func(o organization) bool { return o.Slug == slug && o.ID != id }):
		return refuse(http.StatusUnprocessableEntity, "form_identifier_exists", "already exists", "There is an organization with this slug already.")
	}
	return nil
}

// freeSlug makes a slug out of a name, with the time in it where another
// organization has the plain one.
func (s *state) freeSlug(name string) string {
	plain := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if plain == "" {
		plain = "organization"
	}
	slug := plain
	for n := s.Clock; slices.ContainsFunc(s.Organizations, func(o organization) bool { return o.Slug == slug }); n++ {
		slug = plain + "-" + strconv.FormatInt(n, 10)
	}
	return slug
}

// deleteOrganization deletes an organization with its memberships and
// invitations. One event tells of it all: those of a thousand members would
// say no more.
func (s *state) deleteOrganization(id string, now time.Time) (deletedBody, error) {
	i, err := s.organizationIndex(id)
	if err != nil {
		return deletedBody{}, err
	}
	slug := s.Organizations[i].Slug
	s.Organizations = slices.Delete(s.Organizations, i, i+1)
	s.Memberships = slices.DeleteFunc(s.Memberships, func(m membership) bool { return m.OrganizationID == id })
	s.Invitations = slices.DeleteFunc(s.Invitations, func(i invitation) bool { return i.OrganizationID == id })
	body := deletedBody{Object: "organization", ID: id, Deleted: true, Slug: &slug}
	_, err = s.emit("organization.deleted", body, now)
	return body, err
}

func (s *state) organizationIndex(id string) (int, error) {
	i := slices.IndexFunc(s.Organizations, func(o organization) bool { return o.ID == id })
	if i < 0 {
		return 0, organizationGone(id)
	}
	return i, nil
}

// name is what people call an organization by; without slugs that is its id.
func (o organization) name() string {
	if o.Slug == "" {
		return o.ID
	}
	return o.Slug
}
