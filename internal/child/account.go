package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// Account is who a program runs as. The zero Account is whoever runs this program.
type Account struct {
	Name     string
	UID, GID int
	other    bool
}

// Unprivileged is the account for programs that refuse to run as root: ourselves as an ordinary user; as root the first
// of names that exists here. It returns an error if none does.
func Unprivileged(names ...string) (Account, error) {
	if os.Geteuid() != 0 {
		return Account{}, nil
	}
	for _, name := range names {
		if found, err := user.Lookup(name); err == nil {
			return accountOf(found)
		}
	}
	return Account{}, fmt.Errorf("none of the users %q exists here", names)
}

// Owner is the account that owns path: ourselves as an ordinary user, who cannot be anybody else. It returns an error
// where root owns it, and as an ordinary user where somebody else does.
func Owner(path string) (Account, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Account{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Account{}, errors.ErrUnsupported
	}
	uid := strconv.FormatUint(uint64(stat.Uid), 10)
	switch self := os.Geteuid(); {
	case self == 0 && stat.Uid == 0:
		return Account{}, fmt.Errorf("%s belongs to root", path)
	case self == 0:
		found, err := user.LookupId(uid)
		if err != nil {
			return Account{}, fmt.Errorf("%s belongs to user id %s: %w", path, uid, err)
		}
		return accountOf(found)
	case uint64(self) != uint64(stat.Uid):
		return Account{}, fmt.Errorf("%s belongs to user id %s, not to you", path, uid)
	}
	return Account{}, nil
}

func accountOf(found *user.User) (Account, error) {
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return Account{}, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return Account{}, err
	}
	return Account{Name: found.Username, UID: int(uid), GID: int(gid), other: true}, nil
}

// Other says whether the account is another than our own.
func (a Account) Other() bool { return a.other }

// Apply makes command run as the account, without the groups of ours.
func (a Account) Apply(command *exec.Cmd) {
	if !a.other {
		return
	}
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.UID), Gid: uint32(a.GID)}
}

// Own gives path to the account.
func (a Account) Own(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, a.UID, a.GID)
}

// CanEnter says whether the account reaches the folder path. For another account the kernel is asked by starting a
// program there: modes alone would not tell, with access lists and mounts about.
func (a Account) CanEnter(path string) bool {
	if !a.other {
		_, err := os.Stat(path + "/.")
		return err == nil
	}
	program, err := exec.LookPath("true")
	if err != nil {
		return false
	}
	command := exec.Command(program)
	command.Dir = path
	a.Apply(command)
	return command.Run() == nil
}
