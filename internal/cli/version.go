package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// versionCommand is `tenantry version`.
type versionCommand struct{}

// Run prints one line.
func (versionCommand) Run(c *console) error {
	info, _ := debug.ReadBuildInfo()
	_, err := fmt.Fprintln(c.stdout, describeBuild(info))
	return err
}

// describeBuild names the version, the commit if the build recorded one, the Go release and the platform.
func describeBuild(info *debug.BuildInfo) string {
	version, commit, goVersion := "(devel)", "", runtime.Version()
	if info != nil {
		version, goVersion = cmp.Or(info.Main.Version, version), cmp.Or(info.GoVersion, goVersion)
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			commit = " " + revision[:min(12, len(revision))]
			if settings["vcs.modified"] == "true" {
				commit += " with changes"
			}
		}
	}
	return fmt.Sprintf("tenantry %s%s %s %s/%s", version, commit, goVersion, runtime.GOOS, runtime.GOARCH)
}
