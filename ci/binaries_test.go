package ci

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// machinePath is a path of the machine on which a file was made, as exporters and compilers write
// it.
var machinePath = regexp.MustCompile(`/(tmp|root|home|Users|usr/local)/[\w.-]+`)

// No binary file of the tests names a path of the machine that made it. A difference of two such
// files shows none to a reviewer.
func TestBinariesNameNoMachine(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.ToSlash(path), "/testdata/") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || bytes.IndexByte(data, 0) < 0 {
			return err
		}
		seen++
		if m := machinePath.Find(data); m != nil {
			t.Errorf("%s names %s: want no path of a machine", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 16 {
		t.Errorf("%d binary files: the check sees too little", seen)
	}
}
