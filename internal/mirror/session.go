package mirror

import "github.com/tenantry/tenantry/store"

type sessionData struct {
	ID        text   `json:"id"`
	UserID    text   `json:"user_id"`
	UpdatedAt millis `json:"updated_at"`
}

// sessionChange is the end of a session. Its tokens live on for up to a minute; that they are refused is all that the
// mirror keeps of sessions. No event brings one back, so there is nothing to put in order.
type sessionChange struct{ store.RevokedSession }

func decodeSession(e envelope, _ verb) (change, error) {
	var data sessionData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the session's id", string(data.ID)); err != nil {
		return nil, err
	}
	c := sessionChange{store.RevokedSession{
		ID: string(data.ID), UserID: string(data.UserID), RevokedAt: max(e.Timestamp.end(), data.UpdatedAt.ms),
	}}
	if err := checkOptionalID("the user's id", c.UserID); err != nil {
		return nil, err
	}
	if c.RevokedAt == 0 {
		return nil, permanent("a session's end without the time it happened")
	}
	return c, nil
}

func (c sessionChange) person() string { return c.UserID }

func (c sessionChange) apply(tx ledger) error { return tx.RevokeSession(c.RevokedSession) }
