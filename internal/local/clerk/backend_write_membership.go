package clerk

import (
	"net/http"
	"time"
)

func createMembership(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	userID, roleKey, given := f.needed("user_id"), f.needed("role"), f.metadataChange()
	if err := f.err(); err != nil {
		return nil, err
	}
	o, err := s.organizationInPath(r)
	if err != nil {
		return nil, err
	}
	u, known := s.userByID(userID)
	if !known {
		return nil, gone("user", userID)
	}
	if _, known := s.roleByKey(roleKey); !known {
		return nil, gone("role", roleKey)
	}
	wanted := membership{Role: roleKey}
	if err := given.apply(&wanted.PublicMetadata, &wanted.PrivateMetadata); err != nil {
		return nil, err
	}
	m, _, err := s.addMembership(o, u, wanted, now)
	return s.membershipBody(m, now), err
}

func updateMembership(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	roleKey := f.needed("role")
	if err := f.err(); err != nil {
		return nil, err
	}
	o, u, err := s.memberInPath(r)
	if err != nil {
		return nil, err
	}
	if _, known := s.roleByKey(roleKey); !known {
		return nil, gone("role", roleKey)
	}
	m, _, err := s.setRole(o, u, roleKey, now)
	return s.membershipBody(m, now), err
}

func mergeMembershipMetadata(s *state, r *http.Request, f *form, now time.Time) (any, error) {
	wanted := f.metadataChange()
	if err := f.err(); err != nil {
		return nil, err
	}
	o, u, err := s.memberInPath(r)
	if err != nil {
		return nil, err
	}
	m, err := s.putMembershipMetadata(o, u, wanted, now)
	return s.membershipBody(m, now), err
}

// deleteMembership answers with the membership that was.
func deleteMembership(s *state, r *http.Request, _ *form, now time.Time) (any, error) {
	o, u, err := s.memberInPath(r)
	if err != nil {
		return nil, err
	}
	m, _, err := s.removeMembership(o, u, now)
	return s.membershipBody(m, now), err
}

// organizationInPath takes ids only, as Clerk's writes do.
func (s *state) organizationInPath(r *http.Request) (organization, error) {
	o, known := s.organizationByID(r.PathValue("id"))
	if !known {
		return o, organizationGone(r.PathValue("id"))
	}
	return o, nil
}

// memberInPath refuses who is no member of the organization, whether or not
// they are of another.
func (s *state) memberInPath(r *http.Request) (organization, user, error) {
	o, err := s.organizationInPath(r)
	if err != nil {
		return o, user{}, err
	}
	userID := r.PathValue("user")
	u, known := s.userByID(userID)
	if _, member := s.membershipOf(o.ID, userID); !known || !member {
		return o, u, gone("membership of user", userID)
	}
	return o, u, nil
}
