package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// WriteFile replaces path by what fill writes: a temporary file in the same directory, fsync, rename, fsync of the
// directory. On any error path is as it was and the temporary file is gone; the error names path.
func WriteFile(path string, fill func(io.Writer) error) (err error) {
	defer func() {
		var pathErr *os.PathError
		if err != nil && !(errors.As(err, &pathErr) && pathErr.Path == path) {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer pending.Cleanup()
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
	return syncDir(filepath.Dir(path))
}

// syncDir makes the renames in dir durable, so that files appear after a power loss in the order they were written.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func writeJSON(path string, v any) error {
	return WriteFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// decodeJSON reads one JSON value strictly: no unknown key, nothing behind it. The version is looked at first, so that
// a file of another version is called that and not "unknown field". Errors say path:line.
func decodeJSON(text []byte, path string, v any) error {
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

// removeStale deletes the temporary files that a killed process left in dir. The caller holds dir's lock.
func removeStale(dir string, names ...string) {
	for _, name := range names {
		matches, _ := filepath.Glob(filepath.Join(dir, "."+name+"[0-9]*"))
		for _, m := range matches {
			if strings.Trim(strings.TrimPrefix(filepath.Base(m), "."+name), "0123456789") == "" {
				os.Remove(m)
			}
		}
	}
}
