package auth

import (
	"context"
	"fmt"
)

// FetchInstanceID fetches an instance's key set once and returns the id of the instance, for programs that verify no
// tokens. It waits for 3 s at most. Returns ErrKeysUnavailable where no set came, and an error for a set that does not name
// one instance.
func FetchInstanceID(ctx context.Context, c Config) (string, error) {
	v, err := NewVerifier(c)
	if err != nil {
		return "", err
	}
	if remote, ok := v.keys.(*remoteKeys); ok && remote.first(ctx) == nil {
		return "", ErrKeysUnavailable
	}
	id := v.InstanceID()
	if id == "" {
		return "", fmt.Errorf("auth: the key set at %s does not name one Clerk instance", c.JWKSURL)
	}
	return id, nil
}
