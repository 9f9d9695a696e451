package data

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bayesbench/suites/data/fetch"
)

// What was named is read: no tar beside it, no archive beside it, and for a set that is whatever
// the user calls so nothing in other places.
func TestNamedFolderIsWhatIsRead(t *testing.T) {
	isolate(t)
	named, other := writeTree(t, sampleTree(t)), sampleTree(t)
	delete(other, "train/n03/0.JPEG")
	if err := os.Rename(writeTar(t, other), named+".tar"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(named + ".tar") })
	open := func(dir string) (*Set, error) {
		return Open(t.Context(), "imagenet-folder", Options{Dir: dir, Size: 16, Offline: true})
	}
	if set, err := open(named); err != nil || set.From != named || set.Train.Len() != 9 {
		t.Errorf("the folder: %+v, %v", set, err)
	}
	if set, err := open(named + ".tar"); err != nil || set.From != named+".tar" || set.Train.Len() != 8 {
		t.Errorf("the tar: %+v, %v", set, err)
	}
	// In a place that holds sets by name, a folder goes before a tar.
	by := t.TempDir()
	if err := os.Symlink(named, filepath.Join(by, "imagenet-folder")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(named+".tar", filepath.Join(by, "imagenet-folder.tar")); err != nil {
		t.Fatal(err)
	}
	if set, err := open(by); err != nil || set.Train.Len() != 9 {
		t.Errorf("by name: %+v, %v", set, err)
	}
	t.Setenv("BAYESBENCH_DATA", by)
	empty := t.TempDir()
	var missing *fetch.NotFoundError
	if set, err := open(empty); !errors.As(err, &missing) || strings.Contains(err.Error(), by) {
		t.Errorf("a folder without train: %+v, %v", set, err)
	}
	if set, err := open(""); err != nil || set.Train.Len() != 9 {
		t.Errorf("no folder named: %+v, %v", set, err)
	}
	packed := filepath.Join(empty, "x.tar.gz")
	if err := os.WriteFile(packed, zipped([]byte("x")), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open(packed); err == nil || !strings.Contains(err.Error(), "is packed, and images are read in place: unpack it") {
		t.Errorf("a packed tar: %v", err)
	}
}
