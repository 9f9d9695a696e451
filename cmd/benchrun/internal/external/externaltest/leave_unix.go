//go:build unix

package externaltest

import (
	"os/exec"
	"syscall"
)

// leaveGroup has a process lead a session of its own.
func leaveGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func pipe(path string) error { return syscall.Mkfifo(path, 0o644) }
