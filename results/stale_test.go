package results

import (
	"os"
	"path/filepath"
	"testing"
)

// A directory's name is no pattern: what lies in other directories stays.
func TestDirectoryIsNoPattern(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"*", "[ab]", "?", `\a`, "a", "b"} {
		if err := os.Mkdir(filepath.Join(top, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"*", "[ab]", "?", `\a`} {
		stale := filepath.Join(top, name, ".run.json123")
		kept := filepath.Join(top, name, "run.json1")
		others := []string{filepath.Join(top, "a", ".run.json123"), filepath.Join(top, "b", ".run.json123")}
		for _, path := range append(others, stale, kept) {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		removeStale(filepath.Join(top, name))
		if _, err := os.Stat(stale); !os.IsNotExist(err) {
			t.Errorf("%s: a temporary file stays: %v", name, err)
		}
		for _, path := range append(others, kept) {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: another file is gone: %v", name, err)
			}
		}
	}
}
