package fetch

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// OpenRegular opens a file for reading. Whatever else may stand at the path, a named pipe, a device
// or a link to one, is refused before it is opened, where reading would wait or never end.
func OpenRegular(path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := Regular(path, st.Mode()); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// Regular returns an error unless mode is a regular file's.
func Regular(path string, mode fs.FileMode) error {
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
	return fmt.Errorf("%s: is %s, want a regular file", Printable(path), what)
}

// Printable is the path, quoted where it holds what a terminal would not print or would obey.
func Printable(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}
