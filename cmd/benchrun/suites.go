package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/backends"
	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/internal/cli"
	"bayesbench/results"
	"bayesbench/results/report"
	"bayesbench/results/tensorboard"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// source is where the jobs of a suite come from and where they go: the flags
// of every subcommand that plans one.
type source struct {
	out      string // directory of run directories
	data     string
	from     string // directory from which the suite gives the paths of files; the suite's where empty
	backends *[]string
	set      []string
	methods  *[]string // these two filter the jobs; nil keeps all
	seeds    *[]string
}

func (s *source) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.out, "out", "runs", "`directory` for the results; each suite has a run directory of its name in it")
	fs.StringVar(&s.data, "data", "", "`directory` where data sets are looked for first")
	s.backends = listFlag(fs, "backend", "run on these `backends` instead of the suite's")
	s.overrideFlag(fs)
}

func (s *source) overrideFlag(fs *flag.FlagSet) {
	fs.Func("set", "`key=value`: change the suite, as in -set train.epochs=5 -set method.prior_sigma=[0.1,1]; may be repeated", func(text string) error {
		s.set = append(s.set, text)
		return nil
	})
}

func (s *source) filters(fs *flag.FlagSet) {
	s.methods = listFlag(fs, "method", "run only these `methods`, comma-separated, as the table calls them")
	s.seeds = listFlag(fs, "seed", "run only these `seeds` of the suite")
}

// overrides are those that -set and -backend ask for.
func (s *source) overrides() []string {
	if len(*s.backends) == 0 {
		return s.set
	}
	list := ""
	for _, b := range *s.backends {
		list += strconv.Quote(b) + ","
	}
	return append(s.set[:len(s.set):len(s.set)], "backend=["+list+"]")
}

// plan reads and plans one suite.
func (s *source) plan(ctx context.Context, path string, fetch func(what string, done, total int64)) (*suites.Suite, []*bench.Job, error) {
	words := bench.Words()
	words.Dir = s.from
	suite, err := suites.Read(words, path, s.overrides())
	if err != nil {
		return nil, nil, err
	}
	jobs, err := bench.Plan(ctx, suite, &bench.Sets{Options: data.Options{Dir: s.data, Progress: fetch}})
	if err != nil || s.methods == nil {
		return suite, jobs, err
	}
	filter := bench.Filter{Methods: *s.methods}
	for _, v := range *s.seeds {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return nil, nil, fmt.Errorf("-seed %s: want a whole number", v)
		}
		filter.Seeds = append(filter.Seeds, uint32(n))
	}
	jobs, err = filter.Select(jobs)
	return suite, jobs, err
}

// runPlan is what the run directory is told of the jobs.
func runPlan(s *suites.Suite, jobs []*bench.Job) results.Plan {
	p := results.Plan{Suite: s.Name, Text: s.Text}
	known := map[string]bool{}
	for _, j := range jobs {
		known[j.ID] = true
		p.Jobs = append(p.Jobs, j.ID)
		if !j.Listed {
			p.Parts = append(p.Parts, j.ID)
		}
	}
	// Jobs that a choice of settings may have trained; one that is also of the suite stays so.
	for _, j := range jobs {
		for _, id := range j.Apart() {
			if !known[id] {
				known[id] = true
				p.Jobs, p.Parts = append(p.Jobs, id), append(p.Parts, id)
			}
		}
	}
	return p
}

// options are the flags of the command itself.
type options struct {
	source
	plan     bool
	json     bool
	noWait   bool
	baseline string
	events   string // directory for TensorBoard
}

func (c *command) suites() *ffcli.Command {
	fs := c.flags("benchrun")
	var o options
	o.flags(fs)
	o.filters(fs)
	fs.BoolVar(&o.plan, "plan", false, "print the jobs and what they would cost, and train nothing")
	fs.BoolVar(&o.json, "json", false, "print the plan or the table as JSON")
	fs.BoolVar(&o.noWait, "no-wait", false, "if another process is at work on the run directory, end at once instead of waiting")
	fs.StringVar(&o.baseline, "baseline", "deterministic", "the table compares with this `method`")
	fs.StringVar(&o.events, "tensorboard", "", "also write the finished jobs' curves and metrics as TensorBoard event files below this `directory`")
	return &ffcli.Command{
		Name:       "benchrun",
		ShortUsage: "benchrun [flags] SUITE.toml…\n  benchrun SUBCOMMAND [flags]",
		LongHelp: `Trains every job of the suites that is not done yet and prints their tables.
Interrupted runs go on where they were; finished jobs are never repeated.

Examples:
  benchrun suites/quick.toml                          run it, about a minute
  benchrun -plan suites/mnist.toml                    what would it cost?
  benchrun -method ffg,sparse-vd -seed 0 suites/quick.toml
  benchrun -set train.epochs=5 -out try suites/quick.toml
  benchrun list methods                               what can a suite name?
  benchrun slurm -dry-run suites/mnist.toml           what would a Slurm cluster be given?

Exit code: 0 all done, 1 jobs failed, 2 bad usage or input, 130 interrupted.`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			paths, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(paths) == 0 {
				return errors.New("which suite? Give a TOML file, such as suites/quick.toml (-h for help)")
			}
			var failed []string
			for _, p := range paths {
				f, err := c.suite(ctx, p, o)
				if err != nil {
					return err
				}
				failed = append(failed, f...)
			}
			if len(failed) > 0 {
				return cli.Negative(fmt.Sprintf("%d jobs failed: %s", len(failed), strings.Join(failed, "; ")))
			}
			return nil
		},
	}
}

// suite plans one suite and runs it, and returns the titles of failed jobs.
func (c *command) suite(ctx context.Context, path string, o options) ([]string, error) {
	bars := newBars(c.stderr)
	s, jobs, err := o.source.plan(ctx, path, bars.fetch)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.out, s.Name)
	if o.plan {
		return nil, c.printPlan(ctx, s, jobs, dir, o.json)
	}
	if err := runnable(dir, jobs); err != nil {
		return nil, err
	}
	waiting := c.waiting
	if o.noWait {
		waiting = nil
	}
	store, err := results.Open(ctx, dir, runPlan(s, jobs), results.Alone, waiting)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	bars.suite.expect(jobs, func(id string) bool { return results.IsDone(dir, id) })
	sum, err := train(ctx, store, jobs, bars)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.stderr, "%s: %d jobs done now, %d before, %d failed; results in %s\n", s.Name, sum.Done, sum.Skipped, len(sum.Failed), dir)
	if o.events != "" {
		if err := writeEvents(dir, o.events); err != nil {
			return nil, err
		}
	}
	return sum.Failed, c.printTable(dir, jobs, o)
}

// waiting says that another process has the run directory.
func (c *command) waiting(l *results.LockedError) {
	fmt.Fprintf(c.stderr, "benchrun: %v; waiting for it to end\n", l)
}

// runnable reports a backend that a job yet to be done needs and that cannot
// run here, before anything is written.
func runnable(dir string, jobs []*bench.Job) error {
	checked := map[string]bool{}
	for _, j := range jobs {
		name := j.Config.Backend
		if checked[name] || results.IsDone(dir, j.ID) {
			continue
		}
		checked[name] = true
		if _, _, err := backends.Check(name); err != nil {
			return err
		}
	}
	return nil
}

// writeEvents writes every finished job of a run for TensorBoard.
func writeEvents(dir, events string) error {
	done, err := results.ReadJobs(dir)
	if err != nil {
		return err
	}
	for _, j := range done {
		if err := tensorboard.Write(events, j); err != nil {
			return err
		}
	}
	return nil
}

// printTable prints what the jobs' results come to; what an earlier, wider plan
// left in the directory is not in it.
func (c *command) printTable(dir string, jobs []*bench.Job, o options) error {
	listed := map[string]bool{}
	for _, j := range jobs {
		listed[j.ID] = j.Listed
	}
	done, err := results.ReadJobs(dir)
	if err != nil {
		return err
	}
	set := results.Set{Units: results.Units{}}
	for _, j := range done {
		if listed[j.ID] {
			if err := set.Add(results.Set{Records: j.Records, Units: j.Units}); err != nil {
				return err
			}
		}
	}
	if len(set.Records) == 0 {
		return nil
	}
	tables, err := report.Build(set, report.Query{Baseline: o.present(set)})
	if err != nil {
		return err
	}
	if o.json {
		return report.WriteJSON(c.stdout, tables)
	}
	style := report.Style{}
	if columns, ok := cli.Terminal(c.stdout); ok {
		style.Color = os.Getenv("NO_COLOR") == ""
		style.Width = columns
	}
	return report.WriteText(c.stdout, tables, style)
}

// present is the baseline if some record has it, else none.
func (o options) present(set results.Set) string {
	for _, r := range set.Records {
		if r.Method == o.baseline {
			return o.baseline
		}
	}
	return ""
}
