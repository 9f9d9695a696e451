package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/benchrun/internal/slurm"
	"bayesbench/cmd/internal/cli"
	"bayesbench/results"
)

// exitCode prints the error and returns the code of cli.ExitCode, or 130 after
// an interrupt, or slurm.Requeue where one job ended early.
func exitCode(stderr io.Writer, err error) int {
	if errors.Is(err, errEndedEarly) {
		fmt.Fprintf(stderr, "benchrun: %v\n", err)
		return slurm.Requeue
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "benchrun: interrupted; what was trained is saved, and the same command goes on from there")
		return 130
	}
	return cli.ExitCode(stderr, "benchrun", err)
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	// The first interrupt saves and ends; the handler is then gone, so that a
	// second one kills.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	// A terminal that closes sends HUP, and its shell another; nohup ignores it.
	if !signal.Ignored(syscall.SIGHUP) {
		var release func()
		ctx, release = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer release()
	}

	out := cli.NewOutput(stdout)
	c := &command{stdout: out, stderr: stderr}
	root := c.root()
	if err := root.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return fmt.Errorf("%w (-h for help)", err)
	}
	return out.Result(root.Run(ctx))
}

// command is what the subcommands share.
type command struct {
	stdout, stderr io.Writer
}

// train is bench.Run, for the rest of the process.
func train(ctx context.Context, store *results.Run, jobs []*bench.Job, report bench.Reporter) (bench.Summary, error) {
	// The heap is buffers that live as long as a job, so collecting often costs
	// nothing and a twentieth of them in garbage is the most that stands about.
	debug.SetGCPercent(5)
	return bench.Run(ctx, store, jobs, report)
}

// root is benchrun with its subcommands.
func (c *command) root() *ffcli.Command {
	root := c.suites()
	root.Subcommands = []*ffcli.Command{c.list(), c.data(), c.score(), c.doctor(), c.job(), c.slurm(), c.status()}
	cli.Verbs(root)
	return root
}

// flags makes a flag set that prints its help to stderr.
func (c *command) flags(name string) *flag.FlagSet { return cli.Flags(c.stderr, name) }

// listFlag collects comma-separated values over repeated flags.
func listFlag(fs *flag.FlagSet, name, usage string) *[]string {
	var list []string
	fs.Func(name, usage, func(s string) error {
		for v := range strings.SplitSeq(s, ",") {
			list = append(list, strings.TrimSpace(v))
		}
		return nil
	})
	return &list
}
