//go:build !linux

package child

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func prepare(command *exec.Cmd, _ syscall.Signal) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
}

// CommandLine is how the process pid was called, its arguments joined by spaces; empty where there is no such process or
// it is dead and only waits to be collected.
func CommandLine(pid int) string {
	line, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || strings.Contains(string(line), "<defunct>") {
		return ""
	}
	return strings.TrimRight(string(line), " \n")
}
