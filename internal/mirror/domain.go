package mirror

import "github.com/tenantry/tenantry/store"

type domainData struct {
	ID             text          `json:"id"`
	OrganizationID text          `json:"organization_id"`
	Name           text          `json:"name"`
	EnrollmentMode text          `json:"enrollment_mode"`
	Verification   *verification `json:"verification"`
	CreatedAt      millis        `json:"created_at"`
	UpdatedAt      millis        `json:"updated_at"`
}

type verification struct {
	Status text `json:"status"`
}

// domainChange is the life or death of an organization's domain. A deletion carries its id only.
type domainChange struct {
	statement
	organizationID       string
	name, enrollmentMode string
	verified             bool
}

func decodeDomain(e envelope, v verb) (change, error) {
	var data domainData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the domain's id", string(data.ID)); err != nil {
		return nil, err
	}
	if v == verbDeleted {
		return domainChange{statement: deleted(string(data.ID), e.Timestamp.end())}, nil
	}
	c := domainChange{
		organizationID: string(data.OrganizationID), name: string(data.Name), enrollmentMode: string(data.EnrollmentMode),
		verified: data.Verification != nil && data.Verification.Status == "verified",
	}
	if err := checkID("the organization's id", c.organizationID); err != nil {
		return nil, err
	}
	of := digest(c.organizationID, c.name, c.enrollmentMode, c.verified)
	c.statement = live(string(data.ID), data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), of)
	return c, nil
}

func (c domainChange) person() string { return "" }

func (c domainChange) apply(tx ledger) error {
	row, err := tx.LockDomain(c.id)
	if err != nil {
		return err
	}
	next, take := decide(row.MirrorRow, c.statement, true)
	if next == row.MirrorRow {
		return nil
	}
	if take {
		row = store.MirrorDomain{
			ID: row.ID, OrganizationID: c.organizationID, Name: c.name, EnrollmentMode: c.enrollmentMode, Verified: c.verified,
		}
	}
	row.MirrorRow = next
	return tx.WriteDomain(row)
}
