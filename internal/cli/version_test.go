package cli

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribeBuild(t *testing.T) {
	t.Parallel()
	platform := runtime.GOOS + "/" + runtime.GOARCH
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}}
	for _, test := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "tenantry (devel) " + runtime.Version() + " " + platform},
		{
			&debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: commit},
			"tenantry v1.2.3 0123456789ab go1.26.8 " + platform,
		},
		{
			&debug.BuildInfo{GoVersion: "go1.26.8", Settings: append(commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"})},
			"tenantry (devel) 0123456789ab with changes go1.26.8 " + platform,
		},
	} {
		if got := describeBuild(test.info); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestVersionNamesTheBuild(t *testing.T) {
	t.Parallel()
	o := run(t, nil, "version")
	if o.code != 0 || !strings.HasPrefix(o.stdout, "tenantry ") || !strings.Contains(o.stdout, " go1.") {
		t.Errorf("exit %d, stdout %q", o.code, o.stdout)
	}
}
