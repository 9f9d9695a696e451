//go:build unix

package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Records, locks and logs that are no files are refused, and so is a folder that a link makes of
// another: nothing is waited for, read without end, or written elsewhere.
func TestWhatIsNoFile(t *testing.T) {
	outside := t.TempDir()
	for _, c := range []struct {
		name string
		put  func(path string) error
	}{
		{"a link to a device", func(path string) error { return os.Symlink("/dev/zero", path) }},
		{"a pipe", func(path string) error { return syscall.Mkfifo(path, 0o644) }},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"a link out of the run", func(path string) error { return os.Symlink(outside, path) }},
	} {
		dir := t.TempDir()
		own := filepath.Join(dir, folder)
		if err := os.Mkdir(own, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := c.put(filepath.Join(own, jobsFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(own, jobsFile)) {
			t.Errorf("%s is %s: error %v", jobsFile, c.name, err)
		}
		if err := c.put(filepath.Join(own, lockFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s is %s: error %v", lockFile, c.name, err)
		}
		log := filepath.Join(own, "1_1.log")
		if err := c.put(log); err != nil {
			t.Fatal(err)
		}
		if words := (&Campaign{Dir: dir}).lastWords(log); words != "" {
			t.Errorf("a log that is %s says %q", c.name, words)
		}
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, folder)); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), "is not a directory of its own") {
		t.Errorf("a folder that is a link: error %v", err)
	}
	if files, err := os.ReadDir(outside); err != nil || len(files) > 0 {
		t.Errorf("written through the link: %v, %v", files, err)
	}
}
