package fetch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

func TestDamagedFilesAreNamed(t *testing.T) {
	set, content := fakeSet()
	damage := map[string]func(b []byte) (string, []byte){
		"flipped byte":    func(b []byte) (string, []byte) { b[len(b)-1] ^= 1; return "", b },
		"truncated":       func(b []byte) (string, []byte) { return "", b[:len(b)-1] },
		"too long":        func(b []byte) (string, []byte) { return "", append(b, 0) },
		"gzip, flipped":   func(b []byte) (string, []byte) { b[len(b)-1] ^= 1; return ".gz", zipped(b) },
		"gzip, truncated": func(b []byte) (string, []byte) { z := zipped(b); return ".gz", z[:len(z)/2] },
		"gzip, bomb":      func(b []byte) (string, []byte) { return ".gz", zipped(append(b, make([]byte, 10<<20)...)) },
		"gzip, no header": func(b []byte) (string, []byte) { return ".gz", b },
		"gzip, bad CRC":   func(b []byte) (string, []byte) { z := zipped(b); z[len(z)-8] ^= 1; return ".gz", z },
	}
	for what, f := range damage {
		t.Run(what, func(t *testing.T) {
			isolate(t)
			dir := t.TempDir()
			put(t, dir, content)
			suffix, b := f(slices.Clone(content["test-images"]))
			if err := os.Remove(filepath.Join(dir, "test-images")); err != nil {
				t.Fatal(err)
			}
			put(t, dir, map[string][]byte{"test-images" + suffix: b})
			_, err := open(t.Context(), set, Options{Dir: dir, Offline: true})
			path := filepath.Join(dir, "test-images"+suffix)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want an error that names %s", err, path)
			}
			if what != "gzip, no header" && what != "gzip, bad CRC" && !strings.Contains(err.Error(), sha256Of(content["test-images"])) {
				t.Errorf("the error does not name the published hash: %v", err)
			}
			var hash *HashError
			if strings.HasSuffix(what, "flipped") || what == "flipped byte" {
				damaged := slices.Clone(content["test-images"])
				damaged[len(damaged)-1] ^= 1
				if !errors.As(err, &hash) || hash.Got != sha256Of(damaged) || hash.Want != sha256Of(content["test-images"]) {
					t.Errorf("got %v, want a *HashError with both hashes", err)
				}
			}
		})
	}
}

// A gzipped file never unpacks to more than the published size, and passes only as the published
// content.
func FuzzFile(f *testing.F) {
	content := []byte("the published content")
	want := File{Name: "x", Size: int64(len(content)), SHA256: sha256Of(content)}
	f.Add(zipped(content), true)
	f.Add(zipped(append(content, 0)), true)
	f.Add(zipped(make([]byte, 1<<20)), true)
	f.Add(content, false)
	f.Add(content[1:], false)
	f.Fuzz(func(t *testing.T, b []byte, gz bool) {
		name := "x"
		if gz {
			name = "x.gz"
		}
		var got []byte
		var err error
		alloctest.AtMost(t, 1<<20, func() { got, err = want.check(bytes.NewReader(b), name) })
		if err == nil && !bytes.Equal(got, content) {
			t.Errorf("accepted %q", got)
		}
		if gz && err != nil {
			// What gzip reads as the content must be accepted.
			if z, zerr := gzip.NewReader(bytes.NewReader(b)); zerr == nil {
				if all, rerr := io.ReadAll(io.LimitReader(z, 1<<20)); rerr == nil && bytes.Equal(all, content) {
					t.Errorf("refused: %v", err)
				}
			}
		}
	})
}
