package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ReadError says that a file could not be read this time: the disk failed, or the file may not
// be read. It says nothing of what is in the file, which may be whole.
type ReadError struct {
	Path string
	Err  error
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%s could not be read: %v; try again", e.Path, e.Err)
}

func (e *ReadError) Unwrap() error { return e.Err }

// outsideError says that a link of a run directory leads out of it.
type outsideError struct{ path string }

func (e *outsideError) Error() string {
	return e.path + " leads out of the run directory; put what it leads to in the link's place"
}

// notRegularError says that something that is no file stands in one's place.
type notRegularError struct{ path string }

func (e *notRegularError) Error() string { return e.path + " is not a regular file" }

// ReadText reads a file of a run directory, by its name below it: a regular file of at most so
// many bytes. A link that leads out of the directory, a device, a pipe and a directory are
// refused; none is waited for. The error wraps fs.ErrNotExist where there is no such file, and is
// a *ReadError where there may be a whole one.
func ReadText(dir, name string, most int64) ([]byte, error) {
	f, err := openBelow(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	path := filepath.Join(dir, name)
	size, err := regularSize(f, path)
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, tooLong(path, most)
	}
	return readUpTo(f, path, most, size)
}

// ReadEnd is ReadText of the last bytes of a file, at most so many.
func ReadEnd(dir, name string, most int64) ([]byte, error) {
	f, err := openBelow(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	path := filepath.Join(dir, name)
	size, err := regularSize(f, path)
	if err != nil {
		return nil, err
	}
	end := io.NewSectionReader(f, max(size-most, 0), most)
	return readUpTo(end, path, most, min(size, most))
}

// openBelow opens a file of a run directory, of whatever kind.
func openBelow(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, name)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, openError(err, path)
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(err, path)
	}
	return f, nil
}

// openError says of a file that it is not there, that it is no regular file of the directory, or
// that it could not be read.
func openError(err error, path string) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case !errors.As(err, &errno): // os.Root's own
		return &outsideError{path}
	case errno == syscall.ENOTDIR || errno == syscall.ELOOP || errno == syscall.ENXIO:
		return &notRegularError{path}
	}
	return &ReadError{path, errno}
}

// regularSize is the length of a file, which must be a regular one.
func regularSize(f *os.File, path string) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, &ReadError{path, cause(err)}
	}
	if !info.Mode().IsRegular() {
		return 0, &notRegularError{path}
	}
	return info.Size(), nil
}

// putFile adds to an error about a file that is written anew whenever it is not there what can be
// done.
func putFile(err error) error {
	if errors.As(err, new(*notRegularError)) {
		return fmt.Errorf("%w; delete it to have it written again", err)
	}
	return err
}

// readUpTo is io.ReadAll of at most so many bytes, of which about so many are expected.
func readUpTo(r io.Reader, path string, most, expected int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, expected+bytes.MinRead))
	if _, err := text.ReadFrom(io.LimitReader(r, most+1)); err != nil {
		return nil, &ReadError{path, cause(err)}
	}
	if int64(text.Len()) > most {
		return nil, tooLong(path, most)
	}
	return text.Bytes(), nil
}

func tooLong(path string, most int64) error {
	return fmt.Errorf("%s: more than %d bytes, which is more than is read", path, most)
}

// cause is an error of the operating system without the path, which whoever wraps it names.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// openNamed opens a file that a person named, which may be the end of a pipe or a link to
// anywhere, but neither a directory nor a device. It does not wait for a pipe to which nobody
// writes, which is read as empty.
func openNamed(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
		err = &notRegularError{path}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// OwnDir makes a directory unless it is there. A link to a directory is refused, since it would
// lead what is written elsewhere.
func OwnDir(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		return errors.Join(fmt.Errorf("%s is not a directory of its own", path), err)
	}
	return nil
}
