package data

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// file is one canonical file of a data set. It may lie on disk as it is or gzipped (name.gz); hash and size are those of
// the uncompressed bytes, so that any compressor's output is accepted and reading is bounded before it starts.
type file struct {
	name   string
	size   int64
	sha256 string
}

// HashError says that a file is not the one published.
type HashError struct {
	Path      string
	Want, Got string // sha256 in hex
}

func (e *HashError) Error() string {
	return fmt.Sprintf("%s: sha256 is %s, the published file has %s: the file is damaged or another version; remove it to fetch it again",
		e.Path, e.Got, e.Want)
}

// find returns the path of f in dir, plain or gzipped. The error is fs.ErrNotExist where it is not there.
func (f file) find(dir string) (path string, err error) {
	for _, name := range []string{f.name, f.name + ".gz"} {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && !st.IsDir() {
			return path, regular(path, st.Mode())
		}
	}
	return "", fmt.Errorf("%s: neither it nor %s.gz is in %s: %w", f.name, f.name, dir, fs.ErrNotExist)
}

// read returns the uncompressed content of f in dir, checked. It never holds more than f.size+1 bytes.
func (f file) read(dir string) ([]byte, error) {
	path, err := f.find(dir)
	if err != nil {
		return nil, err
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return f.check(r, path)
}

// check reads the content of f from r, which is gzipped if path says so, and compares its hash.
func (f file) check(r io.Reader, path string) ([]byte, error) {
	content, err := f.decode(r, strings.HasSuffix(path, ".gz"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if got := sha256Hex(content); got != f.sha256 {
		return nil, &HashError{Path: path, Want: f.sha256, Got: got}
	}
	return content, nil
}

// write puts content, whose hash must be right, into dir. origin names where it comes from.
func (f file) write(dir string, content []byte, origin string) error {
	if got := sha256Hex(content); got != f.sha256 {
		return &HashError{Path: origin, Want: f.sha256, Got: got}
	}
	return renameio.WriteFile(filepath.Join(dir, f.name), content, 0o644)
}

func (f file) decode(r io.Reader, zipped bool) ([]byte, error) {
	if zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("not a gzip file: %w", err)
		}
		defer z.Close()
		r = z
	}
	content := make([]byte, f.size)
	n, err := io.ReadFull(r, content)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("truncated: %d bytes, the published file has %d (sha256 %s)", n, f.size, f.sha256)
	case err != nil:
		return nil, fmt.Errorf("damaged after %d of %d bytes: %w (the published file has sha256 %s)", n, f.size, err, f.sha256)
	}
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n > 0:
		return nil, fmt.Errorf("too long: more than the %d bytes of the published file (sha256 %s)", f.size, f.sha256)
	case err != io.EOF: // the end of a gzip stream carries its checksum
		return nil, fmt.Errorf("damaged at its end: %w", err)
	}
	return content, nil
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
