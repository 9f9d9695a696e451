package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Negative says that the command did its work and the answer is no: jobs
// failed, files are not those published, a gate did not pass.
type Negative string

func (n Negative) Error() string { return string(n) }

// ExitCode prints the error behind the command's name and returns 0 for none
// (a request for help is none), 1 for a negative answer, 2 for bad usage or
// input.
func ExitCode(stderr io.Writer, command string, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(stderr, "%s: %s\n", command, Plain(err.Error()))
	var negative Negative
	if errors.As(err, &negative) {
		return 1
	}
	return 2
}

// Plain is a text of which a terminal obeys nothing but line ends and tabs: an
// escape sequence in a file's name is shown as in Go, \x1b.
func Plain(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n' || r == '\t' || unicode.IsPrint(r) && !(r == utf8.RuneError && n == 1):
			b.WriteString(s[:n])
		default:
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// Flags makes a flag set that prints its help to stderr and leaves errors to
// the caller.
func Flags(stderr io.Writer, name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	return fs
}

// Interleaved parses the flags that stand between and behind the arguments,
// and returns the arguments; a lone - is one.
func Interleaved(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if strings.HasPrefix(args[0], "-") && args[0] != "-" {
			if err := fs.Parse(args); err != nil {
				return nil, err
			}
			args = fs.Args()
			continue
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	return rest, nil
}
