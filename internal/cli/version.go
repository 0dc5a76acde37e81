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

// Version returns the version of this build, and its commit if the build recorded one.
func Version() string {
	info, _ := debug.ReadBuildInfo()
	version, _ := readBuild(info)
	return version
}

// describeBuild names the version, the commit if the build recorded one, the Go release and the platform.
func describeBuild(info *debug.BuildInfo) string {
	version, goVersion := readBuild(info)
	return fmt.Sprintf("tenantry %s %s %s/%s", version, goVersion, runtime.GOOS, runtime.GOARCH)
}

func readBuild(info *debug.BuildInfo) (version, goVersion string) {
	version, goVersion = "(devel)", runtime.Version()
	if info != nil {
		version, goVersion = cmp.Or(info.Main.Version, version), cmp.Or(info.GoVersion, goVersion)
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			version += " " + revision[:min(12, len(revision))]
			if settings["vcs.modified"] == "true" {
				version += " with changes"
			}
		}
	}
	return version, goVersion
}
