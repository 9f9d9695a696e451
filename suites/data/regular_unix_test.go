//go:build unix

package data

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no regular file is refused wherever an image or a tree is looked for.
func TestPipesAndDevicesAreRefused(t *testing.T) {
	isolate(t)
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o644) }
	device := func(path string) error { return os.Symlink("/dev/zero", path) }
	for what, make := range map[string]func(string) error{"a named pipe": pipe, "a device": device} {
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
	}
}
