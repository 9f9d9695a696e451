package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A reader sees the old content until the new one is whole. What is given up leaves the old one and
// no other file.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a*.txt")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	holds := func(want string, files int) {
		t.Helper()
		got, err := os.ReadFile(path)
		entries, listed := os.ReadDir(dir)
		if err := errors.Join(err, listed); err != nil || string(got) != want || len(entries) != files {
			t.Errorf("%q and %d files, %v, want %q and %d", got, len(entries), err, want, files)
		}
	}
	holds("old", 1)
	for _, give := range []bool{true, false} {
		p, err := New(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.WriteString("new"); err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(p.Name()); !regexp.MustCompile(`^\.a\*\.txt[0-9]{6,}$`).MatchString(name) {
			t.Errorf("temporary file %s", name)
		}
		holds("old", 2)
		if give {
			if err := p.Cleanup(); err != nil {
				t.Error(err)
			}
			holds("old", 1)
			continue
		}
		if err := p.CloseAtomicallyReplace(); err != nil {
			t.Fatal(err)
		}
		if err := p.Cleanup(); err != nil { // after the work is done it does nothing
			t.Error(err)
		}
		holds("new", 1)
	}
	if err := SyncDir(dir); err != nil {
		t.Error(err)
	}
	if err := Write(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
