package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// isolate points the cache and the search path at an empty folder, which it returns.
func isolate(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("BAYESBENCH_DATA", "")
	return dir
}

// fakeSet is a set of four files, and what is in them.
func fakeSet(providers ...Provider) (s *Set, content map[string][]byte) {
	content = map[string][]byte{
		"train-images": []byte("sixteen and more bytes of training images"),
		"train-labels": []byte("012"),
		"test-images":  []byte("test images"),
		"test-labels":  []byte("21"),
	}
	s = &Set{Name: "fake", Providers: providers}
	for _, f := range []string{"train-images", "train-labels", "test-images", "test-labels"} {
		s.Files = append(s.Files, File{Name: f, Size: int64(len(content[f])), SHA256: sha256Of(content[f])})
	}
	return s, content
}

// open locates the set and reads its files, as a program that wants the set does.
func open(ctx context.Context, s *Set, opt Options) (dir string, err error) {
	if dir, err = s.Locate(ctx, opt); err != nil {
		return "", err
	}
	for _, f := range s.Files {
		if _, err := f.Read(dir); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func zipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(b)
	w.Close()
	return buf.Bytes()
}

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func put(t testing.TB, dir string, content map[string][]byte) {
	t.Helper()
	for name, b := range content {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// member is a file of a tar.
type member struct {
	name    string
	content []byte
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
