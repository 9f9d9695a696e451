//go:build unix

package fetch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no regular file is refused wherever a file is looked for, and neither waited for nor read
// without end.
func TestPipesAndDevicesAreRefused(t *testing.T) {
	cache := isolate(t)
	set, content := fakeSet()
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o644) }
	device := func(path string) error { return os.Symlink("/dev/zero", path) }
	for what, make := range map[string]func(string) error{"a named pipe": pipe, "a device": device} {
		dir := t.TempDir()
		put(t, dir, content)
		at := filepath.Join(dir, "test-labels")
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := make(at); err != nil {
			t.Fatal(err)
		}
		want := "test-labels: is " + what + ", want a regular file"
		set.Providers = nil
		if _, err := open(t.Context(), set, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("file of a set: %v, want %q", err, want)
		}
		// In the cache: the lock, an archive that was put there, what is left of a download.
		folder := filepath.Join(cache, "bayesbench", set.Name)
		for _, file := range []string{".lock", "x.tgz"} {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := make(filepath.Join(folder, file)); err != nil {
				t.Fatal(err)
			}
			set.Providers = []Provider{Archive{URL: "http://localhost:1/x.tgz", Size: 1 << 20}}
			if _, err := open(t.Context(), set, Options{}); err == nil || !strings.Contains(err.Error(), file+": is "+what) {
				t.Errorf("cache: %v, want that %s is %s", err, file, what)
			}
		}
	}
}
