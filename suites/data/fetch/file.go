package fetch

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

	"bayesbench/internal/atomicfile"
)

// File is one canonical file of a data set, at Name below the set's folder, with slashes. It may
// lie on disk as it is or gzipped (name.gz); hash and size are those of the uncompressed bytes, so
// that any compressor's output is accepted and reading is bounded before it starts.
type File struct {
	Name string
	Size int64
	// SHA256 is "" where nothing is published of the content. Then Size is the most that it may
	// have, and the file is put there by hand.
	SHA256 string
}

// verify compares the hash of content from a place with the published one.
func (f File) verify(content []byte, from string) error {
	if got := sha256Hex(content); f.SHA256 != "" && got != f.SHA256 {
		return &HashError{Path: from, Want: f.SHA256, Got: got}
	}
	return nil
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

// Find returns the path of f in dir, plain or gzipped. The error is fs.ErrNotExist where it is not
// there.
func (f File) Find(dir string) (path string, err error) {
	for _, name := range []string{f.Name, f.Name + ".gz"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if st, err := os.Stat(path); err == nil && !st.IsDir() {
			return path, Regular(path, st.Mode())
		}
	}
	return "", fmt.Errorf("%s: neither it nor %s.gz is in %s: %w", f.Name, f.Name, dir, fs.ErrNotExist)
}

// Read returns the uncompressed content of f in dir, checked. It never holds more than f.Size+1
// bytes.
func (f File) Read(dir string) ([]byte, error) {
	path, err := f.Find(dir)
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
func (f File) check(r io.Reader, path string) ([]byte, error) {
	content, err := f.decode(r, strings.HasSuffix(path, ".gz"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.verify(content, path); err != nil {
		return nil, err
	}
	return content, nil
}

// Write puts content, whose hash must be right, into dir. origin names where it comes from.
func (f File) Write(dir string, content []byte, origin string) error {
	if err := f.verify(content, origin); err != nil {
		return err
	}
	at := filepath.Join(dir, filepath.FromSlash(f.Name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(at, content)
}

func (f File) decode(r io.Reader, zipped bool) ([]byte, error) {
	if zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("not a gzip file: %w", err)
		}
		defer z.Close()
		r = z
	}
	if f.SHA256 == "" {
		content, err := io.ReadAll(io.LimitReader(r, f.Size+1))
		if err == nil && int64(len(content)) > f.Size {
			err = fmt.Errorf("more than %d bytes, which is the most that the published file has", f.Size)
		}
		return content, err
	}
	content := make([]byte, f.Size)
	n, err := io.ReadFull(r, content)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("truncated: %d bytes, the published file has %d (sha256 %s)", n, f.Size, f.SHA256)
	case err != nil:
		return nil, fmt.Errorf("damaged after %d of %d bytes: %w (the published file has sha256 %s)", n, f.Size, err, f.SHA256)
	}
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n > 0:
		return nil, fmt.Errorf("too long: want the %d bytes of the published file (sha256 %s), found more", f.Size, f.SHA256)
	case err != io.EOF: // the end of a gzip stream carries its checksum
		return nil, fmt.Errorf("damaged at its end: %w", err)
	}
	return content, nil
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
