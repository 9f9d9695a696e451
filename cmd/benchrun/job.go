package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/benchrun/internal/slurm"
	"bayesbench/cmd/internal/cli"
	"bayesbench/internal/nearest"
	"bayesbench/results"
	"bayesbench/suites"
)

func (c *command) job() *ffcli.Command {
	fs := c.flags("benchrun job")
	var src source
	src.flags(fs)
	fs.StringVar(&src.from, "from", "", "`directory` from which the suite gives the paths of files, if it is not the suite's own")
	return &ffcli.Command{
		Name:       "job",
		ShortUsage: "benchrun job [flags] ID SUITE.toml",
		ShortHelp:  "run exactly one job of a suite: what a cluster's scheduler calls",
		LongHelp: `Runs the job of that id (benchrun -plan prints them) in the suite's run
directory, where other processes may run others. What it needs must be done
there. If another process is at work on the same job, it is waited for.

Examples:
  benchrun -plan -json suites/quick.toml | jq -r '.[].id'
  benchrun job 3f2a6c1d0b9e suites/quick.toml

On TERM or an interrupt it saves and ends with 75: the same command goes on from
there. Exit code: 0 done (or done before), 1 it failed, or what it needs is not
done, or it was ended three times in a row without getting on, 2 bad usage or
input, 75 ended early.`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			args, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(args) != 2 {
				return fmt.Errorf("job: want ID SUITE.toml, found %d arguments (-h for help)", len(args))
			}
			// Slurm sends TERM to every process of a task, and its script
			// passes it on: more than one must not kill.
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGTERM)
			defer signal.Stop(again)
			return c.oneJob(ctx, args[0], args[1], src)
		},
	}
}

// errEndedEarly asks for another attempt.
var errEndedEarly = errors.New("told to end; what was trained is saved, and the same command goes on from there")

func (c *command) oneJob(ctx context.Context, id, path string, src source) error {
	early := func(err error) error {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return errEndedEarly
		}
		return err
	}
	bars := newBars(c.stderr)
	suite, jobs, err := src.plan(ctx, path, bars.fetch)
	if err != nil {
		return early(err)
	}
	j, err := find(suite, jobs, id)
	if err != nil {
		return err
	}
	dir := filepath.Join(src.out, suite.Name)
	if err := runnable(dir, []*bench.Job{j}); err != nil {
		return err
	}
	var store *results.Run
	if results.Planned(dir, id) {
		store, err = results.Join(ctx, dir, c.waiting)
	} else {
		store, err = results.Open(ctx, dir, runPlan(suite, jobs), results.Worker, c.waiting)
	}
	if err != nil {
		return early(err)
	}
	defer store.Close()
	teller := slurm.Tell(dir, id, bars)
	sum, err := train(ctx, store, []*bench.Job{j}, teller)
	var needs *bench.NeedsError
	switch err := early(err); {
	case errors.Is(err, errEndedEarly) && !teller.EndedEarly():
		return cli.Negative("told to end, like the attempts before, without having trained further; it takes more time in one piece")
	case errors.As(err, &needs):
		return cli.Negative(err.Error())
	case err != nil:
		return err
	}
	if len(sum.Failed) > 0 {
		return cli.Negative("the job failed")
	}
	fmt.Fprintf(c.stderr, "benchrun: %s is done; results in %s\n", j.Title(), dir)
	return nil
}

// find returns the job of that id.
func find(s *suites.Suite, jobs []*bench.Job, id string) (*bench.Job, error) {
	var ids []string
	for _, j := range jobs {
		if j.ID == id {
			return j, nil
		}
		ids = append(ids, j.ID)
	}
	return nil, fmt.Errorf("job %s: suite %s has none of that id (benchrun -plan prints them, and -set changes them); the nearest is %s", id, s.Name, nearest.Name(id, ids))
}
