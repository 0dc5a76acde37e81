package clerk

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stateVersion is the form of state.json that this code reads and writes.
const stateVersion = 1

// update applies change to a copy of the state, writes the copy to disk and
// then publishes it. An error, of change or of writing, leaves memory as it
// was.
func (c *Clerk) update(change func(*state) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.current.Load().clone()
	if err := change(next); err != nil {
		return err
	}
	if err := saveState(c.statePath(), next); err != nil {
		return err
	}
	c.current.Store(next)
	c.changed.tell()
	return nil
}

// readableMemberships is up to how many memberships a state is written for
// people, too. Indenting a large one takes longer than the rest of a write.
const readableMemberships = 1000

func saveState(path string, s *state) error {
	encode := json.Marshal
	if len(s.Memberships) <= readableMemberships {
		encode = func(s any) ([]byte, error) { return json.MarshalIndent(s, "", " ") }
	}
	data, err := encode(s)
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	return writeAtomically(path, append(data, '\n'))
}

// loadState reads and checks a state. It returns os.ErrNotExist if there is
// none, and an error that quotes no value of the file if it is damaged.
func loadState(path string) (*state, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, errors.New("it is not the JSON that was written here")
	}
	if s.Version != stateVersion {
		return nil, fmt.Errorf("it has form %d and this program reads form %d", s.Version, stateVersion)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return &s, nil
}

// check finds what a cut or hand-edited file would break later.
func (s *state) check() error {
	for _, id := range []struct{ value, prefix string }{
		{s.InstanceID, "ins_"}, {s.SecretKey, "sk_test_"}, {s.WebhookSecret, "whsec_"},
	} {
		if !strings.HasPrefix(id.value, id.prefix) || id.value == id.prefix {
			return fmt.Errorf("its %s value is missing", id.prefix)
		}
	}
	for _, r := range s.Roles {
		for _, key := range r.Permissions {
			if _, ok := s.permissionByKey(key); !ok {
				return fmt.Errorf("role %s has an unknown permission", r.ID)
			}
		}
	}
	k := newCatalog(s, time.Now)
	for _, m := range s.Memberships {
		_, organizationKnown := k.organizationByID[m.OrganizationID]
		_, userKnown := k.userByID[m.UserID]
		_, roleKnown := k.roleByKey[m.Role]
		if !organizationKnown || !userKnown || !roleKnown {
			return fmt.Errorf("membership %s points at something unknown", m.ID)
		}
	}
	for _, i := range s.Invitations {
		_, organizationKnown := k.organizationByID[i.OrganizationID]
		_, roleKnown := k.roleByKey[i.Role]
		if !organizationKnown || !roleKnown && i.Status == statusPending {
			return fmt.Errorf("invitation %s points at something unknown", i.ID)
		}
	}
	for _, m := range s.Queue {
		if m.ID == "" || m.Body == "" {
			return errors.New("a queued event is incomplete")
		}
	}
	return nil
}

// writeAtomically replaces a file so that a reader, a crash or a power cut
// finds the old content or the new one, readable by the owner only. Writers of
// one path must take turns.
func writeAtomically(path string, data []byte) (err error) {
	temporary := path + ".tmp"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync() // makes the rename itself durable
}
