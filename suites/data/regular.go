package data

import (
	"fmt"
	"io/fs"
	"os"
)

// openRegular opens a file for reading. Whatever else may stand at the path, a named pipe, a device or a link to one, is
// refused before it is opened, where reading would wait or never end.
func openRegular(path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, st.Mode()); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// regular returns an error unless mode is a regular file's.
func regular(path string, mode fs.FileMode) error {
	what := ""
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "no file"
	}
	return fmt.Errorf("%s: is %s, want a regular file", printable(path), what)
}
