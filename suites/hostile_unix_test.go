//go:build unix

package suites

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bayesbench/internal/alloctest"
)

// What is no regular file is refused, and neither waited for nor read without
// end.
func TestRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Symlink("/dev/zero", at("zero")), os.Symlink(dir, at("folder")), syscall.Mkfifo(at("pipe"), 0o644), os.Symlink(at("nowhere"), at("loose")),
		os.WriteFile(at("suite"), []byte(small), 0o644), os.Symlink(at("suite"), at("link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"zero": "found a device", "folder": "found a directory", "pipe": "found a pipe", "loose": "no such file",
	} {
		alloctest.AtMost(t, 1<<20, func() {
			if _, err := Read(words, at(name), nil); err == nil || !strings.Contains(err.Error(), at(name)) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %s", name, err, want)
			}
		})
	}
	if s, err := Read(words, at("link"), nil); err != nil || len(s.Jobs) != 20 {
		t.Errorf("a link to a suite: %v", err)
	}
}
