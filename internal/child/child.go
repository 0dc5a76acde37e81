// Package child starts programs that do not outlive this one and, where this one runs as root, run as somebody else. It
// knows nothing of what they do.
package child

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a started program. It is waited for in the background.
type Process struct {
	process *os.Process
	done    chan struct{}
	err     error
}

// Start starts command in a process group of its own, so that Ctrl-C reaches only us and the order of stopping stays
// ours. Where the kernel can (Linux), the program gets the signal lastWill when we die without having stopped it.
func Start(command *exec.Cmd, lastWill syscall.Signal) (*Process, error) {
	prepare(command, lastWill)
	process := &Process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The last will is executed when the thread that started the program ends, not when its process does
		// (go.dev/issue/27505): the thread is kept until the program is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := command.Start(); err != nil {
			started <- err
			return
		}
		process.process = command.Process
		started <- nil
		process.err = command.Wait()
		close(process.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return process, nil
}

// PID is the program's process id.
func (p *Process) PID() int { return p.process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, once Done is closed: nil with status 0, else an *exec.ExitError.
func (p *Process) Err() error { return p.err }

// Running says whether the program has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the program alone. One that has ended gets none.
func (p *Process) Signal(signal syscall.Signal) { _ = p.process.Signal(signal) }

// Kill ends the program and what it started in its process group, at once.
func (p *Process) Kill() {
	if p.Running() {
		_ = syscall.Kill(-p.process.Pid, syscall.SIGKILL)
	}
}
