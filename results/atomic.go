package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"bayesbench/internal/atomicfile"
)

// WriteFile replaces path by what fill writes: a temporary file in the same directory, fsync,
// rename, fsync of the directory. On any error path is as it was and the temporary file is gone;
// the error names path. Temporary files that killed writes of path left are deleted. A device, a
// pipe or a directory at path, or where a link there leads, is refused: the rename would put a file
// in its place, for all programs of the machine.
func WriteFile(path string, fill func(io.Writer) error) (err error) {
	defer func() {
		var pathErr *os.PathError
		if err != nil && !(errors.As(err, &pathErr) && pathErr.Path == path) {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%w, and no file is put in its place; name another path", &notRegularError{path})
	}
	pending, held, err := newPending(path)
	if err != nil {
		return err
	}
	defer held.Unlock()
	defer pending.Cleanup()
	removeLeft(path)
	buffered := bufio.NewWriterSize(pending, 1<<16)
	if err := fill(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// newPending creates the temporary file of a write of path, and locks it, by which other writers
// know that it is at work. On Windows it is not locked: what is open cannot be removed there, and
// what is locked cannot be renamed.
func newPending(path string) (*atomicfile.Pending, *flock.Flock, error) {
	const tries = 10
	for i := 1; ; i++ {
		pending, err := atomicfile.New(path)
		if err != nil {
			return nil, nil, err
		}
		held := flock.New(pending.Name(), flock.SetFlag(os.O_RDONLY))
		if runtime.GOOS == "windows" {
			return pending, held, nil
		}
		locked, err := held.TryLock()
		// Another writer may have taken it for a leftover before it was locked.
		if _, gone := os.Lstat(pending.Name()); gone == nil && (locked || err != nil) || i == tries {
			return pending, held, nil // a file system that cannot lock has no leftovers removed either
		}
		held.Unlock()
		pending.Cleanup()
	}
}

// removeLeft deletes the temporary files of killed writes of path: atomicfile puts a dot before the
// name that the file is to have and a random number behind, of which fewer than twelve digits are
// as good as impossible and may be a user's own. One that a process has locked is at work.
func removeLeft(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+filepath.Base(path))
		if !ok || len(digits) < 12 || strings.Trim(digits, "0123456789") != "" || !e.Type().IsRegular() {
			continue
		}
		left := filepath.Join(filepath.Dir(path), e.Name())
		l := flock.New(left, flock.SetFlag(os.O_RDONLY))
		if free, err := l.TryLock(); err == nil && free {
			os.Remove(left)
		}
		l.Unlock()
	}
}

// The longest files that are read, whatever a file says of itself: JSON takes up to 64 times its
// length in memory, lines of results and curves up to 32 times.
const (
	maxJSON  = 16 << 20
	maxLines = 256 << 20
)

// writeChanged writes text to path, unless that holds it already.
func writeChanged(path string, text []byte) error {
	have, err := ReadText(filepath.Dir(path), filepath.Base(path), int64(len(text)))
	if err == nil && bytes.Equal(have, text) {
		return nil
	}
	return WriteText(path, text)
}

// WriteText is [WriteFile] of a text.
func WriteText(path string, text []byte) error {
	return WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// WriteJSON is [WriteFile] of a value as JSON for people to read. Its member "format" is
// FormatVersion.
func WriteJSON(path string, v any) error {
	return WriteFile(path, func(w io.Writer) error { return encodeJSON(w, v) })
}

// encodeJSON writes a value as JSON for people to read.
func encodeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeSealed writes what seal makes of the value.
func writeSealed(path string, v any) error {
	text, err := seal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return writeChanged(path, text)
}

// seal is the JSON of a value whose last member, "sha256", is blankSum: that of the text takes its
// place, so that no byte of it can change unseen.
func seal(v any) ([]byte, error) {
	var text bytes.Buffer
	if err := encodeJSON(&text, v); err != nil {
		return nil, err
	}
	return replaceLast(text.Bytes(), blankSum, hexSum(text.Bytes())), nil
}

// checkSeal compares a text that writeSealed wrote with the hash that was read from it. A text
// without one is refused: whoever takes it out could change the rest.
func checkSeal(text []byte, path, sum string) error {
	if sum == "" {
		return fmt.Errorf("%s has no sha256 of itself: it was changed after it was written", path)
	}
	if hexSum(replaceLast(text, sum, blankSum)) == sum {
		return nil
	}
	return fmt.Errorf("%s is damaged: it does not match the sha256 in it", path)
}

// replaceLast is text with the last occurrence of old replaced.
func replaceLast(text []byte, old, new string) []byte {
	at := bytes.LastIndex(text, []byte(old))
	if at < 0 {
		return text
	}
	return slices.Concat(text[:at], []byte(new), text[at+len(old):])
}

// DecodeJSON reads one JSON value strictly: no unknown key, nothing behind it. The version is
// looked at first, so that a file of another version is called that and not "unknown field". Errors
// say path:line.
func DecodeJSON(text []byte, path string, v any) error {
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return jsonError(text, path, err)
	}
	if head.Format == nil {
		return fmt.Errorf("%s: no \"format\": not a bayesbench file", path)
	}
	if *head.Format != FormatVersion {
		return fmt.Errorf("%s: %w: the file has format %d, this program reads %d", path, ErrFormat, *head.Format, FormatVersion)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return jsonError(text, path, err)
	}
	return nil
}

func jsonError(text []byte, path string, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s:%d: %w", path, 1+bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n")), err)
}

// removeStale deletes the temporary files that a killed process left in dir: atomicfile puts a dot
// before the name that the file is to have, and digits behind. The caller holds dir's lock.
func removeStale(dir string) {
	// Of the root dir, which is a name and no part of the pattern: a run may be called "*".
	matches, _ := fs.Glob(os.DirFS(dir), ".*[0-9]")
	for _, m := range matches {
		os.Remove(filepath.Join(dir, m))
	}
}
