package external_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Processes that a program leaves behind are ended with it: those of its group, those that left the
// group, and those that left it and dropped their environment. The job fails for them.
func TestForks(t *testing.T) {
	tr := newTrial(t)
	pids := filepath.Join(t.TempDir(), "pid")
	_, _, err := tr.run(t.Context(), tr.program("forks", pids))
	if want := "it ended and left 3 of the processes that it started at work, which were killed"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	for i := range 3 {
		text, err := os.ReadFile(fmt.Sprint(pids, i))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("child %d is at work", i)
		}
	}
}

// One file is not written beyond the limit, however fast it grows.
func TestOneFile(t *testing.T) {
	tr := newTrial(t)
	p := tr.program("one-file")
	p.Disk = 1 << 21
	if _, _, err := tr.run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "file") {
		t.Errorf("error %v, want one about the size of a file", err)
	}
	if info, err := os.Stat(filepath.Join(tr.Dir, "state", "one")); err != nil || info.Size() > 1<<21 {
		t.Errorf("the file has %v bytes, %v", info.Size(), err)
	}
}

// A named pipe in the place of a prediction is not waited for.
func TestPipe(t *testing.T) {
	tr := newTrial(t)
	_, _, err := tr.run(t.Context(), tr.program("links", "pipe"))
	if want := "out/test/000.logits.npy: want a regular file, found a pipe"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
