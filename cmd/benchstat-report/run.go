package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli"
	"bayesbench/results"
	"bayesbench/results/report"
	"bayesbench/results/report/papers"
	"bayesbench/results/stats"
)

// command is the state that the verbs share.
type command struct {
	stdout, stderr io.Writer
}

// name is what the command is called in its messages.
const name = "benchstat-report"

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	out := cli.NewOutput(stdout)
	c := &command{out, stderr}
	root := c.root()
	if err := root.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return fmt.Errorf("%w (-h for help)", err)
	}
	return out.Result(root.Run(ctx))
}

// root is benchstat-report with its verbs.
func (c *command) root() *ffcli.Command {
	root := c.table(name)
	root.Name = name
	root.ShortUsage = "benchstat-report [VERB] [flags] DIR|FILE…"
	root.LongHelp = "Reads run directories and results files of benchrun. Without a verb: table.\n\n" + root.LongHelp +
		"\n\nExit code: 0 all well, 1 negative verdict (gate), 2 bad usage or input."
	root.Subcommands = []*ffcli.Command{c.table("table"), c.points(), c.aggregate(), c.compare(), c.gate(), c.plot(), c.html(), c.paper(), c.export(), c.curves()}
	cli.Verbs(root)
	return root
}

// flags makes a verb's flag set, which prints its help to stderr.
func (c *command) flags(name string) *flag.FlagSet { return cli.Flags(c.stderr, name) }

// paths parses what flags stand behind the first path and returns all paths. It says on stderr what
// of them is not read.
func (c *command) paths(fs *flag.FlagSet, args []string) ([]string, error) {
	paths, err := cli.Interleaved(fs, args)
	if err == nil && len(paths) == 0 {
		err = errors.New("which results? Give a run directory or a results file (-h for help)")
	}
	for _, path := range paths {
		unlisted, err := results.Unlisted(path)
		if err == nil && len(unlisted) > 0 { // reading the directory reports an error
			fmt.Fprintf(c.stderr, "%s: %s: left out, for run.json does not list them: %d finished jobs, such as %s; "+
				"benchrun with their suite and this directory takes them in, and runs none again\n", name, path, len(unlisted), unlisted[0])
		}
	}
	return paths, err
}

// queryFlags are the flags that choose and arrange.
func queryFlags(fs *flag.FlagSet) *report.Query {
	q := &report.Query{}
	fs.StringVar(&q.Filter, "filter", "", "keep what matches, as in benchstat: `expr` such as '/method:(ffg OR sparse-vd) -seed:0'")
	fs.StringVar(&q.Rows, "row", "", "`keys` of the rows, such as /method,/samples (default: /method and what else varies)")
	fs.StringVar(&q.Tables, "table", report.DefaultTables, "`keys` that make a table of their own")
	fs.Func("metric", "`units` of the columns, comma-separated, or all (default: the headline metrics for tables, all for comparisons)", func(s string) error {
		q.Metrics = strings.Split(s, ",")
		return nil
	})
	alphaFlag(fs, &q.Alpha, "significance `level`")
	return q
}

// alphaFlag is the flag of a significance level, 0.05 unless it is given.
func alphaFlag(fs *flag.FlagSet, alpha *float64, usage string) {
	*alpha = 0.05
	fs.Var((*level)(alpha), "alpha", usage)
}

// level is a flag's significance level.
type level float64

func (l *level) String() string { return strconv.FormatFloat(float64(*l), 'g', -1, 64) }

// Set refuses 0 too, which a query takes for the default.
func (l *level) Set(s string) error {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0 && x < 1) {
		return errors.New("want more than 0 and less than 1")
	}
	*l = level(x)
	return nil
}

// baselineFlags are the flags that say what is compared.
func baselineFlags(fs *flag.FlagSet, q *report.Query) {
	fs.StringVar(&q.Baseline, "baseline", "", "compare with this `row`: a method, such as deterministic, at each row's own settings, or a row's whole label")
	fs.StringVar(&q.Primary, "primary", "", "the `unit` whose comparisons decide, chosen before looking; others are exploratory (default: the first column's)")
}

// spreadFlag is the flag that says what stands behind a ±.
func spreadFlag(fs *flag.FlagSet, q *report.Query) {
	fs.Func("spread", "what stands behind a ±: sd, se (standard error) or ci95 (half of the mean's 95 % t interval); csv and json have the sd (default sd)", func(s string) error {
		q.Spread = stats.Spread(s)
		if !slices.Contains(stats.Spreads, q.Spread) {
			return errors.New("want sd, se or ci95")
		}
		return nil
	})
}

// selectFlag is the flag that selects settings.
func selectFlag(fs *flag.FlagSet, q *report.Query) {
	fs.Func("select", "show of each method's swept settings the one with the best mean: `unit@split`, such as nll@validation "+
		"(nll@test selects on the test set, and the tables say so)", func(s string) (err error) {
		q.Select, err = report.ParseSelection(s)
		return err
	})
}

func (c *command) table(name string) *ffcli.Command {
	fs := c.flags(name)
	q := queryFlags(fs)
	selectFlag(fs, q)
	fs.StringVar(&q.Cols, "col", "", "`keys` of the columns, such as /samples; then each -metric has columns of its own (default: the metrics)")
	baselineFlags(fs, q)
	spreadFlag(fs, q)
	format := fs.String("format", "text", "text, markdown, latex, csv or json")
	return &ffcli.Command{
		Name:       "table",
		ShortUsage: "benchstat-report table [flags] DIR|FILE…",
		ShortHelp:  "methods × metrics, mean ± spread over seeds or splits, paired significance",
		LongHelp: strings.TrimSpace(`
Examples:
  benchstat-report runs/quick
  benchstat-report runs/quick -baseline deterministic -format latex > table.tex
  benchstat-report -select nll@validation runs/sweep         (each method at the setting that is best on held-out examples)
  benchstat-report -metric nll -col /samples runs/mnist      (NLL against the number of posterior samples)
  benchstat-report -filter '/corruption:/./' -row /method -col /severity -metric nll runs/shift`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			set, err := c.load(fs, args)
			if err != nil {
				return err
			}
			tables, err := report.Build(set, *q)
			if err != nil {
				return err
			}
			return c.write(*format, tables)
		},
	}
}

func (c *command) points() *ffcli.Command {
	fs := c.flags("points")
	q := report.Query{}
	fs.StringVar(&q.Filter, "filter", "", "keep what matches, as in benchstat: `expr` such as '/backend:gonum'")
	fs.StringVar(&q.Baseline, "baseline", "deterministic", "compare with this `method`, at each row's own settings, or a row's whole label")
	alphaFlag(fs, &q.Alpha, "significance `level`")
	format := fs.String("format", "text", "text, markdown or json")
	return &ffcli.Command{
		Name:       "points",
		ShortUsage: "benchstat-report points [flags] DIR…",
		ShortHelp:  "trained networks compared over the test points, from saved predictions",
		LongHelp: strings.TrimSpace(`
Compares the errors and the log-likelihoods of each test point, for which one seed is enough: whether these networks
differ, not whether training again would. It reads what jobs save with eval.save_predictions = true.

Examples:
  benchstat-report points runs/quick
  benchstat-report points -baseline 'ensemble(deterministic)' -format markdown runs/mnist`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			files, err := c.paths(fs, args)
			if err != nil {
				return err
			}
			data, err := report.LoadData(files...)
			if err != nil {
				return err
			}
			tables, err := report.BuildPoints(data, q)
			if err != nil {
				return err
			}
			return report.WritePoints(c.stdout, tables, *format, terminal(c.stdout))
		},
	}
}

func (c *command) aggregate() *ffcli.Command {
	fs := c.flags("aggregate")
	q := report.Query{}
	fs.StringVar(&q.Filter, "filter", "", "keep what matches, as in benchstat: `expr` such as '/backend:gonum'")
	fs.StringVar(&q.Rows, "row", "", "`keys` of a method (default: /method and what else varies)")
	fs.StringVar(&q.Tables, "table", report.DefaultTables, "`keys` of a data set")
	fs.StringVar(&q.Baseline, "baseline", "deterministic", "divide by the mean of this `method`")
	selectFlag(fs, &q)
	metric := fs.String("metric", "nll", "the `unit`")
	format := fs.String("format", "text", "text, markdown or json")
	return &ffcli.Command{
		Name:       "aggregate",
		ShortUsage: "benchstat-report aggregate [flags] DIR|FILE…",
		ShortHelp:  "methods over several data sets: interquartile mean, probability of improvement",
		LongHelp: strings.TrimSpace(`
Examples:
  benchstat-report aggregate runs/mnist runs/cifar10
  benchstat-report aggregate -metric error -baseline 'ensemble(deterministic)' runs/mnist runs/cifar10`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			set, err := c.load(fs, args)
			if err != nil {
				return err
			}
			q.Metrics = []string{*metric}
			a, err := report.BuildAggregate(set, q)
			if err != nil {
				return err
			}
			return a.Write(c.stdout, *format, terminal(c.stdout))
		},
	}
}

func (c *command) compare() *ffcli.Command {
	fs := c.flags("compare")
	q := queryFlags(fs)
	format := fs.String("format", "text", "text or markdown")
	return &ffcli.Command{
		Name:       "compare",
		ShortUsage: "benchstat-report compare [flags] OLD NEW",
		ShortHelp:  "what changed between two results, paired by seed",
		LongHelp: strings.TrimSpace(`
Examples:
  benchstat-report compare runs/before runs/after
  benchstat-report compare -metric error,nll,train-samples/s before.txt after.txt`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			old, new, err := c.loadTwo(fs, args)
			if err != nil {
				return err
			}
			changes, err := report.Compare(old, new, *q)
			if err != nil {
				return err
			}
			switch *format {
			case "text":
				return changes.Write(c.stdout)
			case "markdown":
				return changes.WriteMarkdown(c.stdout)
			}
			return fmt.Errorf("-format %s: want text or markdown", *format)
		},
	}
}

// The values of -timing.
const (
	timingInforms = "inform"
	timingFails   = "fail"
)

func (c *command) gate() *ffcli.Command {
	fs := c.flags("gate")
	q := queryFlags(fs)
	margins := report.DefaultMargins()
	fs.Func("margin", "how much worse a `unit=amount` or unit=percent% may get, comma-separated; timing= stands for every timing (default: error=0.003, accuracy=0.003, nll=0.01, brier_sum=0.005, ece15-lorc=0.005, sparsity=0.01, rmse=1%, crps=1%, timing=15%)", margins.Parse)
	exact := fs.Bool("exact", false, "any metric value that is not bit for bit the same is a regression (timings keep their margin)")
	timing := fs.String("timing", timingInforms, "what a slower program does: inform, or fail the gate")
	summary := fs.String("summary", "", "append the verdict as Markdown to this `file`, such as $GITHUB_STEP_SUMMARY, too")
	return &ffcli.Command{
		Name:       "gate",
		ShortUsage: "benchstat-report gate [flags] OLD NEW",
		ShortHelp:  "exit 1 if NEW is worse than OLD beyond a margin",
		LongHelp: strings.TrimSpace(`
Metric values are deterministic given the seed and compared exactly: what is bit for bit the same passes, anything
else fails if it is worse by more than its margin, in the mean over the paired seeds. A row or metric that NEW lacks
fails the gate.

Timings are compared as ratios paired by seed. They are told of if they are slower by more than their margin and by an
exact test over swaps of old and new within the pairs, corrected for all timings, at level alpha; with -timing fail they
fail the gate. For that, run OLD and NEW on the same machine, seed by seed (benchrun -seed), in an order drawn by lot,
with six seeds or more, as ci/paired.sh does: then two equal programs fail a share alpha of gates at most, whatever else
the machine does.

Examples:
  benchstat-report gate baseline.txt runs/quick
  benchstat-report gate -margin error=0.002 -timing fail -summary summary.md runs/base runs/change
  benchstat-report gate -exact -filter '/backend:gonum' baseline.txt runs/quick`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			old, new, err := c.loadTwo(fs, args)
			if err != nil {
				return err
			}
			if *timing != timingInforms && *timing != timingFails {
				return fmt.Errorf("-timing %s: want %s or %s", *timing, timingInforms, timingFails)
			}
			policy := report.Policy{Margins: margins, Exact: *exact, Timings: *timing == timingFails}
			verdict, err := report.Gate(old, new, *q, policy)
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := verdict.Write(&text); err != nil {
				return err
			}
			if _, err := c.stdout.Write(text.Bytes()); err != nil {
				return err
			}
			if *summary != "" {
				if err := appendFile(*summary, text.Bytes()); err != nil {
					return err
				}
			}
			if !verdict.Pass() {
				return cli.Negative(fmt.Sprintf("gate failed: %d regressions, %d missing", len(verdict.Alarms), len(verdict.Missing)))
			}
			return nil
		},
	}
}

func (c *command) plot() *ffcli.Command {
	fs := c.flags("plot")
	q := queryFlags(fs)
	out := fs.String("o", "", "write to this `file.svg`, .png or .pdf; several figures get -1, -2, … behind the name (default: the kind, as SVG)")
	var kinds strings.Builder
	for _, k := range report.Kinds {
		fmt.Fprintf(&kinds, "  %-14s %s\n", k.Name, k.Short)
	}
	return &ffcli.Command{
		Name:       "plot",
		ShortUsage: "benchstat-report plot KIND [flags] DIR|FILE…",
		ShortHelp:  "single figures as SVG, PNG or PDF",
		LongHelp: "Kinds (those from training on need a run directory, not only a results file):\n" + kinds.String() + strings.TrimSpace(`
Examples:
  benchstat-report plot samples -metric nll -o nll.pdf runs/mnist
  benchstat-report plot reliability -filter '/method:(deterministic OR ensemble)' -o calibration.svg runs/quick`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("which figure? (-h for help)")
			}
			kind := args[0]
			files, err := c.paths(fs, args[1:])
			if err != nil {
				return err
			}
			path := cmp.Or(*out, kind+".svg")
			data, err := report.LoadData(files...)
			if err != nil {
				return err
			}
			figures, err := report.Draw(data, kind, *q)
			if err != nil {
				return err
			}
			if len(figures) == 0 {
				return fmt.Errorf("these results have nothing to draw for %s", kind)
			}
			extension := filepath.Ext(path)
			for i, f := range figures {
				name := path
				if len(figures) > 1 {
					name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, extension), i+1, extension)
				}
				err := results.WriteFile(name, func(w io.Writer) error { return f.Write(w, strings.TrimPrefix(extension, ".")) })
				if err != nil {
					return err
				}
				fmt.Fprintf(c.stdout, "%s: %s\n", name, f.Title)
			}
			return nil
		},
	}
}

func (c *command) html() *ffcli.Command {
	fs := c.flags("html")
	q := queryFlags(fs)
	selectFlag(fs, q)
	baselineFlags(fs, q)
	spreadFlag(fs, q)
	out := fs.String("o", "report.html", "write to this `file`")
	return &ffcli.Command{
		Name:       "html",
		ShortUsage: "benchstat-report html [flags] DIR|FILE…",
		ShortHelp:  "one self-contained page: sortable tables and all figures",
		LongHelp: strings.TrimSpace(`
Examples:
  benchstat-report html -o quick.html runs/quick
  benchstat-report html -baseline deterministic runs/mnist`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			files, err := c.paths(fs, args)
			if err != nil {
				return err
			}
			data, err := report.LoadData(files...)
			if err != nil {
				return err
			}
			if err := results.WriteFile(*out, func(w io.Writer) error { return report.WriteHTML(w, data, *q) }); err != nil {
				return err
			}
			fmt.Fprintln(c.stdout, *out)
			return nil
		},
	}
}

func (c *command) paper() *ffcli.Command {
	fs := c.flags("paper")
	filter := fs.String("filter", "", "of our results keep what matches this `expr`, such as '/backend:gonum'")
	var alpha float64
	alphaFlag(fs, &alpha, "significance `level` of equivalence")
	format := fs.String("format", "text", "text, markdown or latex")
	return &ffcli.Command{
		Name:       "paper",
		ShortUsage: "benchstat-report paper TABLE [flags] DIR|FILE…",
		ShortHelp:  "a published table with our numbers beside the printed ones",
		LongHelp: "Tables: " + strings.Join(papers.Names(), ", ") + `

Examples:
  benchstat-report paper sparse-vd runs/lenet-300-100
  benchstat-report paper sparse-vd -format latex runs/lenet-300-100 runs/lenet-5`,
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("which table? There are %s", strings.Join(papers.Names(), ", "))
			}
			paper, err := papers.Get(args[0])
			if err != nil {
				return err
			}
			set, err := c.load(fs, args[1:])
			if err != nil {
				return err
			}
			t, err := report.BuildPaper(set, paper, *filter, alpha)
			if err != nil {
				return err
			}
			return t.Write(c.stdout, *format, terminal(c.stdout))
		},
	}
}

func appendFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func (c *command) loadTwo(fs *flag.FlagSet, args []string) (old, new results.Set, err error) {
	files, err := c.paths(fs, args)
	if err != nil {
		return old, new, err
	}
	if len(files) != 2 {
		return old, new, fmt.Errorf("%d paths: want OLD and NEW", len(files))
	}
	return results.LoadPair(files[0], files[1])
}

func (c *command) load(fs *flag.FlagSet, args []string) (results.Set, error) {
	files, err := c.paths(fs, args)
	if err != nil {
		return results.Set{}, err
	}
	return results.Load(files...)
}

// write prints tables in the named format.
func (c *command) write(format string, tables []report.Table) error {
	switch format {
	case "text":
		return report.WriteText(c.stdout, tables, terminal(c.stdout))
	case "markdown":
		return report.WriteMarkdown(c.stdout, tables)
	case "latex":
		return report.WriteLaTeX(c.stdout, tables)
	case "csv":
		return report.WriteCSV(c.stdout, tables)
	case "json":
		return report.WriteJSON(c.stdout, tables)
	}
	return fmt.Errorf("-format %s: want text, markdown, latex, csv or json", format)
}

// terminal has colour and the real width on a terminal, 100 columns and no colour elsewhere.
func terminal(w io.Writer) report.Style {
	width, ok := cli.Terminal(w)
	if !ok {
		return report.Style{Width: 100}
	}
	if width < 40 {
		width = 100
	}
	return report.Style{Width: width, Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}
