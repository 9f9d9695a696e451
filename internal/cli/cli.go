package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
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
	fmt.Fprintf(stderr, "%s: %v\n", command, err)
	var negative Negative
	if errors.As(err, &negative) {
		return 1
	}
	return 2
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
