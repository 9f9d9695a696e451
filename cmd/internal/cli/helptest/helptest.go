package helptest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli"
)

// Example is one command line of a help text.
type Example struct {
	Args []string // all of them
	Rest []string // those that are no flags, behind the subcommands' names
	Verb string   // the subcommands' names, "" for the command itself
}

// Examples takes every example out of the help of the command and its
// subcommands and parses it. One whose flags are not known, whose subcommand is
// none, or whose flags' values do not parse fails the test, and so does a
// subcommand without one. Root makes the command anew.
func Examples(t *testing.T, root func() *ffcli.Command) []Example {
	t.Helper()
	var out []Example
	var walk func(path string, c *ffcli.Command)
	walk = func(path string, c *ffcli.Command) {
		for _, line := range lines(c.LongHelp, root().Name) {
			e := Example{Args: words(line)}
			at, rest := root(), e.Args
			for len(rest) > 0 {
				sub := find(at, rest[0])
				if sub == nil {
					break
				}
				at, rest = sub, rest[1:]
				e.Verb = strings.TrimSpace(e.Verb + " " + sub.Name)
			}
			var err error
			if e.Rest, err = cli.Interleaved(at.FlagSet, rest); err != nil {
				t.Errorf("%s -h: %s: %v", path, line, err)
			}
			if len(e.Rest) > 0 && cli.Mistyped(e.Rest[0], at.Subcommands) != "" {
				t.Errorf("%s -h: %s: no subcommand %q", path, line, e.Rest[0])
			}
			out = append(out, e)
		}
		for _, sub := range c.Subcommands {
			walk(path+" "+sub.Name, sub)
		}
	}
	walk(root().Name, root())
	return out
}

func find(c *ffcli.Command, name string) *ffcli.Command {
	for _, sub := range c.Subcommands {
		if sub.Name == name {
			return sub
		}
	}
	return nil
}

// end is where a command ends: at a remark behind two spaces, a pipe, a
// redirection or the next command.
var end = regexp.MustCompile(`\s{2,}\S|\s+[|>]|;`)

// lines are the command lines of a help text that call the program, without its
// name and what stands behind them. The variable s of a loop is 0.
func lines(help, program string) []string {
	var out []string
	joined := regexp.MustCompile(`\s*\\\n\s*`).ReplaceAllString(help, " ")
	for line := range strings.Lines(joined) {
		before, rest, ok := strings.Cut(strings.TrimSpace(line), program+" ")
		if ok && (before == "" || strings.HasSuffix(before, "; do ")) {
			out = append(out, strings.ReplaceAll(end.Split(rest, 2)[0], "$s", "0"))
		}
	}
	return out
}

// words splits a line as a shell does; of its quotes only ' is known.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}
