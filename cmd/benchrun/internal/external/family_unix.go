//go:build unix && !linux

package external

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// family is the processes of one program: those of its process group. One that leaves the group is
// not found.
type family struct{ main int }

// attributes start a program in a process group of its own.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func start(cmd *exec.Cmd) error { return cmd.Start() }

func newFamily(main int, _ string) *family { return &family{main} }

// limitFiles does nothing: a limit can be set for this process alone.
func (f *family) limitFiles(int64) {}

// living is the process group while it has processes.
func (f *family) living() []int {
	if unix.Kill(-f.main, 0) != nil {
		return nil
	}
	return []int{-f.main}
}

// signal sends a signal to all of the group, and says whether there were any.
func (f *family) signal(s syscall.Signal) int {
	if unix.Kill(-f.main, s) != nil {
		return 0
	}
	return 1
}

// endLeft does nothing: the group of an earlier try is not known.
func endLeft(string) error { return nil }

// largest is the most memory that a process or one that it waited for has held.
func largest(s *os.ProcessState) int64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin" || runtime.GOOS == "ios":
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
