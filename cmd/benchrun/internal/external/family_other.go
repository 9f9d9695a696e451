//go:build !unix

package external

import (
	"os"
	"os/exec"
	"syscall"
)

// family is the process of one program. Those that it started are not found.
type family struct{ main *os.Process }

func attributes() *syscall.SysProcAttr { return nil }

func start(cmd *exec.Cmd) error { return cmd.Start() }

func newFamily(main int, _ string) *family {
	p, err := os.FindProcess(main)
	if err != nil {
		return &family{}
	}
	return &family{p}
}

func (f *family) limitFiles(int64) {}

// living is empty: the process itself is waited for by who started it.
func (f *family) living() []int { return nil }

// signal kills the process, whatever the signal.
func (f *family) signal(syscall.Signal) int {
	if f.main != nil {
		f.main.Kill()
	}
	return 0
}

func endLeft(string) error { return nil }

// largest is not known.
func largest(*os.ProcessState) int64 { return 0 }
