package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/internal/nearest"
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

// Verbs makes the root command say which of its subcommands was meant where its
// first argument looks like one and no file has the name.
func Verbs(root *ffcli.Command) {
	exec := root.Exec
	root.Exec = func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			if verb := Mistyped(args[0], root.Subcommands); verb != "" {
				return fmt.Errorf("%s: no such file or subcommand; did you mean %q? (-h for help)", args[0], verb)
			}
		}
		return exec(ctx, args)
	}
}

// Mistyped is the subcommand that a word is likely to mean, "" if it looks like
// none, or is a file or written as one.
func Mistyped(word string, commands []*ffcli.Command) string {
	if _, err := os.Lstat(word); err == nil || strings.ContainsAny(word, `/\.`) {
		return ""
	}
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	return nearest.Close(word, names)
}
