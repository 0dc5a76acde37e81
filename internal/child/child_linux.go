package child

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func prepare(command *exec.Cmd, lastWill syscall.Signal) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	command.SysProcAttr.Pdeathsig = lastWill
}

// CommandLine is how the process pid was called, its arguments joined by spaces; empty where there is no such process or
// it is dead and only waits to be collected.
func CommandLine(pid int) string {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return ""
	}
	return strings.TrimRight(strings.ReplaceAll(string(line), "\x00", " "), " ")
}
