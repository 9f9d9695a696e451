package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// errNegative says that the command did its work and the answer is no: jobs
// failed, files are not those published.
type errNegative string

func (e errNegative) Error() string { return string(e) }

// exitCode prints the error and returns 0 for none, 1 for a negative answer, 2 for
// bad usage or input, 130 after an interrupt.
func exitCode(stderr io.Writer, err error) int {
	var negative errNegative
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "benchrun: interrupted; what was trained is saved, and the same command goes on from there")
		return 130
	case errors.As(err, &negative):
		fmt.Fprintln(stderr, "benchrun:", err)
		return 1
	}
	fmt.Fprintln(stderr, "benchrun:", err)
	return 2
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	// The first interrupt saves and ends; the handler is then gone, so that a
	// second one kills.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	c := &command{stdout: stdout, stderr: stderr}
	root := c.suites()
	root.Subcommands = []*ffcli.Command{c.list(), c.data(), c.score(), c.doctor()}
	if err := root.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return fmt.Errorf("%w (-h for help)", err)
	}
	return root.Run(ctx)
}

// command is what the subcommands share.
type command struct {
	stdout, stderr io.Writer
}

// flags makes a flag set that prints its help to stderr.
func (c *command) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	return fs
}

// interleaved parses the flags that stand between and behind the arguments.
func interleaved(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if strings.HasPrefix(args[0], "-") && len(args[0]) > 1 {
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

// listFlag collects comma-separated values over repeated flags.
func listFlag(fs *flag.FlagSet, name, usage string) *[]string {
	var list []string
	fs.Func(name, usage, func(s string) error {
		for _, v := range strings.Split(s, ",") {
			list = append(list, strings.TrimSpace(v))
		}
		return nil
	})
	return &list
}
