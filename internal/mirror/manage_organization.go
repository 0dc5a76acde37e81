package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"reflect"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organization"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// markerKey is the key in the private metadata of what we make, by which it is found again where the answer was lost.
const markerKey = "tenantry_request"

func marked(marker string) *json.RawMessage {
	raw, err := json.Marshal(map[string]string{markerKey: marker})
	if err != nil {
		panic("mirror: a map of strings: " + err.Error())
	}
	return (*json.RawMessage)(&raw)
}

// organizationExtra is what of an organization the copy does not hold.
type organizationExtra struct {
	ID              string         `json:"id"`
	CreatedBy       string         `json:"created_by"`
	PublicMetadata  map[string]any `json:"public_metadata"`
	PrivateMetadata map[string]any `json:"private_metadata"`
}

// CreateOrganization makes an organization, whose creator becomes its administrator.
func (m *Manager) CreateOrganization(ctx context.Context, actor models.Actor, input models.OrganizationInput) (*models.OrganizationSummary, error) {
	if err := pathSegment(actor.UserID); err != nil {
		return nil, err
	}
	deed := Deed{Action: "createOrganization", Actor: actor, After: fields(input)}
	ctx, cancel := m.bounded(ctx, actor, "")
	defer cancel()
	if wait := m.breaker.refuses(); wait > 0 {
		return nil, unavailable(wait)
	}
	if err := m.mayCreate(ctx, actor.UserID); err != nil {
		return nil, m.conclude(ctx, deed, nil, err)
	}
	changes, err := m.settle(ctx, m.creation(actor.UserID, input))
	if err != nil {
		return nil, m.conclude(ctx, deed, nil, err)
	}
	made := changes[0].(organizationChange)
	deed.OrganizationID, deed.TargetID = made.id, made.id
	deed.After = fields(models.OrganizationInput{Name: &made.name, Slug: made.slug})
	changes = append(changes, m.firstMembership(ctx, made.id, actor.UserID)...)
	if err := m.conclude(ctx, deed, changes, nil); err != nil {
		return nil, err
	}
	return &models.OrganizationSummary{ID: made.id, Name: made.name, Slug: made.slug, ImageURL: made.imageURL}, nil
}

func (m *Manager) creation(userID string, input models.OrganizationInput) step {
	marker := uuid.NewString()
	params := organization.CreateParams{
		Name: input.Name, Slug: input.Slug, CreatedBy: &userID, PrivateMetadata: marked(marker),
	}
	return step{
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			made, err := m.organizations.Create(ctx, &params)
			return made.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			return m.among(ctx, "/organizations", url.Values{"user_id": {userID}, "order_by": {"-created_at"}, "limit": {"50"}}, marker)
		},
		read: readOneOrganization(""),
	}
}

// readOneOrganization reads the answer about an organization: of any where id is "".
func readOneOrganization(id string) func(said) ([]change, error) {
	return func(s said) ([]change, error) {
		r, err := readOrganization(s.body, s.at)
		if err != nil {
			return nil, err
		}
		if id != "" && r.statement.id != id || !pathID.MatchString(r.statement.id) {
			return nil, permanent("the answer is about another organization")
		}
		return []change{r.change}, nil
	}
}

// firstMembership reads how the creator belongs to the new organization, which its own answer does not say. Where that
// cannot be read the first request with a token for the organization has it read.
func (m *Manager) firstMembership(ctx context.Context, organizationID, userID string) []change {
	bounded, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	found, _, err := m.reads.memberships(bounded, organizationID, userID)
	if err != nil {
		m.mirror.config.Logger.Warn("mirror: the membership of an organization's creator could not be read",
			"organization_id", organizationID, "error", err)
		return nil
	}
	var changes []change
	for _, r := range found {
		changes = append(changes, r.change)
	}
	return changes
}

// mayCreate asks for what Clerk does not hold against a backend: whether the user may create organizations, and how many.
func (m *Manager) mayCreate(ctx context.Context, userID string) error {
	bounded, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	seen := new(sighting)
	user, err := m.askSeen(bounded, seen, "/users/"+userID, nil)
	if err != nil {
		return m.unreadable(seen, err)
	}
	var rights struct {
		Enabled *bool `json:"create_organization_enabled"`
		Limit   int   `json:"create_organizations_limit"`
	}
	switch err := json.Unmarshal(user.body, &rights); {
	case err != nil:
		return m.unreadable(seen, ErrBackendUnavailable)
	case rights.Enabled != nil && !*rights.Enabled:
		return &models.RefusedError{Reason: models.ReasonOrganizationCreationDisabled}
	case rights.Limit <= 0:
		return nil
	}
	seen = new(sighting)
	theirs, err := m.askSeen(bounded, seen, "/organizations", url.Values{"user_id": {userID}, "limit": {"500"}})
	if err != nil {
		return m.unreadable(seen, err)
	}
	var list struct {
		Data []organizationExtra `json:"data"`
	}
	if err := json.Unmarshal(theirs.body, &list); err != nil {
		return m.unreadable(seen, ErrBackendUnavailable)
	}
	made := 0
	for _, o := range list.Data {
		if o.CreatedBy == userID {
			made++
		}
	}
	if made >= rights.Limit {
		return &models.RefusedError{Reason: models.ReasonOrganizationQuota}
	}
	return nil
}

// UpdateOrganization changes an organization's name and slug, or its public metadata.
func (m *Manager) UpdateOrganization(ctx context.Context, actor models.Actor, organizationID string, input models.OrganizationInput) error {
	if err := pathSegment(organizationID); err != nil {
		return err
	}
	s := step{
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			changed, err := m.organizations.Update(ctx, organizationID, &organization.UpdateParams{Name: input.Name, Slug: input.Slug})
			return changed.Response, err
		},
		look: func(ctx context.Context) (said, error) { return m.lookAtOrganization(ctx, organizationID, input) },
		read: readOneOrganization(organizationID),
	}
	if input.PublicMetadata != nil {
		raw, err := json.Marshal(input.PublicMetadata)
		if err != nil {
			return models.Invalid("publicMetadata", "must be an object")
		}
		s.send = func(ctx context.Context) (*clerk.APIResponse, error) {
			changed, err := m.organizations.UpdateMetadata(ctx, organizationID, &organization.UpdateMetadataParams{PublicMetadata: clerk.JSONRawMessage(raw)})
			return changed.Response, err
		}
	}
	deed := Deed{Action: "updateOrganization", Actor: actor, OrganizationID: organizationID, TargetID: organizationID, After: fields(input)}
	if input.PublicMetadata != nil && m.breaker.refuses() == 0 {
		deed.Before = m.metadataBefore(ctx, actor, organizationID, input.PublicMetadata)
	}
	_, err := m.carryOut(ctx, deed, s)
	return err
}

// metadataBefore is what Clerk has of the public metadata's keys that are about to change: the copy does not hold it. Where
// that cannot be read soon, the change goes on without.
func (m *Manager) metadataBefore(ctx context.Context, actor models.Actor, id string, wanted map[string]any) map[string]string {
	ctx, cancel := m.bounded(ctx, actor, id)
	defer cancel()
	deadline, _ := ctx.Deadline()
	ctx, cancel = context.WithTimeout(ctx, min(time.Second, time.Until(deadline)/4))
	defer cancel()
	now, err := m.ask(ctx, "/organizations/"+id, nil)
	if err != nil {
		return nil
	}
	var is organizationExtra
	if json.Unmarshal(now.body, &is) != nil {
		return nil
	}
	maps.DeleteFunc(is.PublicMetadata, func(key string, _ any) bool {
		_, changes := wanted[key]
		return !changes
	})
	if is.PublicMetadata == nil {
		is.PublicMetadata = map[string]any{}
	}
	return map[string]string{"publicMetadata": auditText(is.PublicMetadata)}
}

// lookAtOrganization says whether an organization is as wanted.
func (m *Manager) lookAtOrganization(ctx context.Context, id string, wanted models.OrganizationInput) (said, error) {
	now, err := m.ask(ctx, "/organizations/"+id, nil)
	if err != nil {
		return said{}, err
	}
	var is struct {
		Name           string         `json:"name"`
		Slug           string         `json:"slug"`
		PublicMetadata map[string]any `json:"public_metadata"`
	}
	if err := json.Unmarshal(now.body, &is); err != nil {
		return said{}, ErrBackendUnavailable
	}
	same := (wanted.Name == nil || *wanted.Name == is.Name) && (wanted.Slug == nil || *wanted.Slug == is.Slug)
	for key, value := range plain(wanted.PublicMetadata) {
		same = same && reflect.DeepEqual(is.PublicMetadata[key], value)
	}
	if !same {
		return said{}, errAbsent
	}
	return now, nil
}

// plain is an object as it is after it went through JSON.
func plain(object map[string]any) (as map[string]any) {
	raw, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(raw, &as)
	}
	if err != nil {
		return maps.Clone(object)
	}
	return as
}

// DeleteOrganization deletes an organization, for good.
func (m *Manager) DeleteOrganization(ctx context.Context, actor models.Actor, organizationID string) error {
	if err := pathSegment(organizationID); err != nil {
		return err
	}
	_, err := m.carryOut(ctx, Deed{
		Action: "deleteOrganization", Actor: actor, OrganizationID: organizationID, TargetID: organizationID,
	}, step{
		send: func(ctx context.Context) (*clerk.APIResponse, error) {
			gone, err := m.organizations.Delete(ctx, organizationID)
			return gone.Response, err
		},
		look: func(ctx context.Context) (said, error) {
			_, at, err := m.reads.get(ctx, "/organizations/"+organizationID, nil)
			switch {
			case errors.Is(err, ErrGone):
				return said{at: at}, nil
			case err != nil:
				return said{}, err
			}
			return said{}, errAbsent
		},
		read: func(s said) ([]change, error) {
			return []change{vanished(kind{name: store.MirrorOrganizations}, store.MirrorRef{ID: organizationID}, endOf(s.at))}, nil
		},
	})
	return err
}

func fields(input models.OrganizationInput) map[string]any {
	after := map[string]any{}
	if input.Name != nil {
		after["name"] = *input.Name
	}
	if input.Slug != nil {
		after["slug"] = *input.Slug
	}
	if input.PublicMetadata != nil {
		after["publicMetadata"] = input.PublicMetadata
	}
	return after
}
