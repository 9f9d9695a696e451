package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/benchrun/internal/slurm"
	"bayesbench/cmd/internal/cli"
	"bayesbench/results"
	"bayesbench/suites"
)

func (c *command) slurm() *ffcli.Command {
	fs := c.flags("benchrun slurm")
	var src source
	src.flags(fs)
	src.filters(fs)
	var o slurm.Options
	fs.StringVar(&o.Partition, "partition", "", "submit to this `partition`")
	fs.StringVar(&o.Gres, "gres", "", "generic `resources` of each task, as in gpu:1")
	fs.StringVar(&o.Time, "time", "", "time `limit` of each task, as in 30, 4:00:00 or 1-12; a job that takes longer saves and queues again")
	fs.StringVar(&o.Mem, "mem", "", "`memory` of each task, as in 8G")
	fs.IntVar(&o.CPUs, "cpus", 0, "`cores` of each task (default: the cluster's, mostly 1)")
	fs.IntVar(&o.Parallel, "max-parallel", 0, "at most `n` tasks of an array at work at a time")
	fs.Func("sbatch", "a further `option` of sbatch, as in -sbatch --account=x; may be repeated", func(s string) error {
		o.Sbatch = append(o.Sbatch, s)
		return nil
	})
	dry := fs.Bool("dry-run", false, "print the scripts and the commands, and submit and write nothing")
	again := fs.Bool("resubmit", false, "take up what was submitted and is neither done nor in the queue, by the record in the run directory")
	return &ffcli.Command{
		Name:       "slurm",
		ShortUsage: "benchrun slurm [flags] SUITE.toml",
		ShortHelp:  "submit a suite's jobs to a Slurm cluster",
		LongHelp: `Submits every job of the suite that is neither done nor was submitted before,
one job array for each level of dependency, and prints the Slurm job ids. The
run directory must lie on a file system that all nodes share. Scripts, logs and
records go to RUN/slurm, with a copy of this program and of the suite.

Examples:
  benchrun slurm -dry-run suites/mnist.toml
  benchrun slurm -partition short -time 2:00:00 -mem 4G -cpus 4 -max-parallel 16 suites/mnist.toml
  benchrun slurm -backend gomlx:xla:cuda -gres gpu:1 -sbatch --account=lab suites/mnist.toml
  benchrun status runs/mnist
  benchrun slurm -resubmit suites/mnist.toml           jobs lost or failed; the flags of before hold

Exit code: 0 submitted, or nothing is missing, 2 bad usage or input, or Slurm refused.`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			args, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return fmt.Errorf("slurm: want one SUITE.toml, found %d arguments (-h for help)", len(args))
			}
			if err := o.Check(); err != nil {
				return err
			}
			program, err := os.Executable()
			if err != nil {
				return err
			}
			if src.out, err = filepath.Abs(src.out); err != nil {
				return err
			}
			for _, w := range append([]string{src.out, src.data, program}, src.overrides()...) {
				if err := slurm.CheckWord("slurm:", w); err != nil {
					return err // before anything is written
				}
			}
			if *again {
				if len(src.set)+len(*src.backends)+len(*src.methods)+len(*src.seeds) > 0 || src.data != "" {
					return errors.New("-resubmit goes by the record of what was submitted: leave out -set, -backend, -method, -seed and -data")
				}
				return c.resubmit(ctx, args[0], src, program, o, *dry)
			}
			return c.submit(ctx, args[0], src, program, o, *dry)
		},
	}
}

func (c *command) submit(ctx context.Context, path string, src source, program string, o slurm.Options, dry bool) error {
	suite, jobs, err := src.plan(ctx, path, newBars(c.stderr).fetch)
	if err != nil {
		return err
	}
	dir := filepath.Join(src.out, suite.Name)
	args := []string{"-out", src.out}
	if src.data != "" {
		abs, err := filepath.Abs(src.data)
		if err != nil {
			return err
		}
		args = append(args, "-data", abs)
	}
	if namesFiles(suite, jobs) { // the copy of the suite lies elsewhere
		abs, err := filepath.Abs(filepath.Dir(path))
		if err != nil {
			return err
		}
		args = append(args, "-from", abs)
	}
	for _, s := range src.overrides() {
		args = append(args, "-set", s)
	}
	var list []slurm.Job
	for _, j := range jobs {
		s := slurm.Job{ID: j.ID, Title: j.Title(), FLOPs: j.FLOPs, TrainFLOPs: j.TrainFLOPs}
		for _, n := range j.Needs {
			s.Needs = append(s.Needs, n.ID)
		}
		list = append(list, s)
	}
	plan := func(campaign *slurm.Campaign) (*slurm.Plan, error) {
		return campaign.New(ctx, list, suite.Text, args, program, o)
	}
	if !dry {
		if err := c.register(ctx, dir, suite, jobs); err != nil {
			return err
		}
	}
	return c.give(ctx, dir, dry, plan)
}

// namesFiles reports whether the suite gives the paths of files: of data sets, networks, first
// weights, or a method's program.
func namesFiles(s *suites.Suite, jobs []*bench.Job) bool {
	return len(s.Datasets) > 0 || slices.ContainsFunc(jobs, func(j *bench.Job) bool {
		c := &j.Config
		return !c.Model.ONNX.IsZero() || !c.Model.Init.IsZero() || c.Files != ""
	})
}

// register tells the run directory of the jobs, so that whichever ends first
// finds the order of all.
func (c *command) register(ctx context.Context, dir string, suite *suites.Suite, jobs []*bench.Job) error {
	store, err := results.Open(ctx, dir, runPlan(suite, jobs), results.Worker, nil)
	if err != nil {
		return err
	}
	return store.Close()
}

func (c *command) resubmit(ctx context.Context, path string, src source, program string, o slurm.Options, dry bool) error {
	suite, err := suites.Read(bench.Words(), path, nil)
	if err != nil {
		return err
	}
	return c.give(ctx, filepath.Join(src.out, suite.Name), dry, func(campaign *slurm.Campaign) (*slurm.Plan, error) {
		return campaign.Missing(ctx, program, o)
	})
}

// give submits what plan makes of the record in dir, or shows it.
func (c *command) give(ctx context.Context, dir string, dry bool, plan func(*slurm.Campaign) (*slurm.Plan, error)) error {
	if !dry {
		unlock, err := slurm.Lock(dir)
		if err != nil {
			return err
		}
		defer unlock()
	}
	campaign, err := slurm.Read(dir)
	if err != nil {
		return err
	}
	if !dry {
		taken, err := campaign.Recover(ctx)
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			fmt.Fprintf(c.stderr, "benchrun: Slurm had taken %s of a submission that was cut short\n", strings.Join(taken, ", "))
		}
	}
	p, err := plan(campaign)
	if err != nil {
		return err
	}
	if len(p.Batches) == 0 {
		fmt.Fprintf(c.stderr, "benchrun: nothing to submit: every job is done or was submitted (benchrun status %s tells, -resubmit takes up what was lost)\n", dir)
		return nil
	}
	if dry {
		return p.Preview(c.stdout)
	}
	err = p.Submit(ctx)
	for i, a := range p.Submission.Arrays {
		fmt.Fprintf(c.stdout, "%s\t%d jobs\t%s\n", a.Slurm, len(a.Jobs), p.Batches[i].Path)
	}
	if len(p.Move) > 0 {
		fmt.Fprintf(c.stderr, "benchrun: %s waited for these and now stand behind them\n", strings.Join(p.Move, ", "))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "benchrun: follow them with: benchrun status -follow %s\n", dir)
	return nil
}
