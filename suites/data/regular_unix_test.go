//go:build unix

package data

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no regular file is refused wherever a file is looked for, and neither waited for nor read without end.
func TestPipesAndDevicesAreRefused(t *testing.T) {
	cache := isolate(t)
	name, content := fakeMNIST(t)
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
		if _, err := Open(t.Context(), name, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("file of a set: %v, want %q", err, want)
		}
		for _, file := range []string{"val/n01/x.png", "train/x.png", "val/val_annotations.txt"} {
			tree := writeTree(t, sampleTree(t))
			if err := make(filepath.Join(tree, file)); err != nil {
				t.Fatal(err)
			}
			want := file + ": is " + what + ", want a regular file"
			if _, err := Open(t.Context(), "imagenet-folder", Options{Dir: tree}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("image: %v, want %q", err, want)
			}
		}
		tar := filepath.Join(t.TempDir(), "x.tar")
		if err := make(tar); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), "imagenet-folder", Options{Dir: tar}); err == nil || !strings.Contains(err.Error(), "is "+what) {
			t.Errorf("tar: %v", err)
		}
		// In the cache: the lock, an archive that was put there, what is left of a download.
		folder := filepath.Join(cache, "bayesbench", name)
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
			sources[name].providers = []provider{archive{url: "http://localhost:1/x.tgz", size: 1 << 20}}
			if _, err := Open(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), file+": is "+what) {
				t.Errorf("cache: %v, want that %s is %s", err, file, what)
			}
		}
	}
}
