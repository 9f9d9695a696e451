package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"
	"golang.org/x/term"

	"bayesbench/results"
	"bayesbench/results/report"
)

// errVerdict is a negative verdict: the command worked and the answer is no.
type errVerdict struct{ reason string }

func (e errVerdict) Error() string { return e.reason }

// exitCode prints the error and returns 0 for none, 1 for a negative verdict, 2 for bad usage or input.
func exitCode(stderr io.Writer, err error) int {
	var verdict errVerdict
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &verdict):
		fmt.Fprintln(stderr, "benchstat-report:", err)
		return 1
	}
	fmt.Fprintln(stderr, "benchstat-report:", err)
	return 2
}

// A command is the state that the verbs share.
type command struct {
	stdout, stderr io.Writer
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	c := &command{stdout, stderr}
	root := c.table("benchstat-report")
	root.ShortUsage = "benchstat-report [VERB] [flags] DIR|FILE…"
	root.LongHelp = "Reads run directories and results files of benchrun. Without a verb: table.\n\n" + root.LongHelp +
		"\n\nExit code: 0 all well, 1 negative verdict (gate), 2 bad usage or input."
	root.Subcommands = []*ffcli.Command{c.table("table")}
	if err := root.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return fmt.Errorf("%w (-h for help)", err)
	}
	return root.Run(ctx)
}

// flags makes a verb's flag set, which prints its help to stderr.
func (c *command) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(c.stderr)
	return fs
}

// paths parses what flags stand behind the first path and returns all paths.
func paths(fs *flag.FlagSet, args []string) ([]string, error) {
	var paths []string
	for len(args) > 0 {
		if strings.HasPrefix(args[0], "-") && len(args[0]) > 1 {
			if err := fs.Parse(args); err != nil {
				return nil, err
			}
			args = fs.Args()
			continue
		}
		paths, args = append(paths, args[0]), args[1:]
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("which results? Give a run directory or a results file (-h for help)")
	}
	return paths, nil
}

// queryFlags are the flags that choose and arrange.
func queryFlags(fs *flag.FlagSet) *report.Query {
	q := &report.Query{}
	fs.StringVar(&q.Filter, "filter", "", "keep what matches, as in benchstat: `expr` such as '/method:(ffg-vi OR sparse-vd) -seed:0'")
	fs.StringVar(&q.Rows, "row", "", "`keys` of the rows, such as /method,/samples (default: /method and what else varies)")
	fs.StringVar(&q.Cols, "col", "", "`keys` of the columns, such as /samples; then each -metric has columns of its own (default: the metrics)")
	fs.StringVar(&q.Tables, "table", report.DefaultTables, "`keys` that make a table of their own")
	fs.Func("metric", "`units` of the columns, comma-separated, or all (default: the headline metrics there are)", func(s string) error {
		q.Metrics = strings.Split(s, ",")
		return nil
	})
	fs.StringVar(&q.Baseline, "baseline", "", "compare with this `row`, such as deterministic")
	fs.Float64Var(&q.Alpha, "alpha", 0.05, "significance `level`")
	return q
}

func (c *command) table(name string) *ffcli.Command {
	fs := c.flags(name)
	q := queryFlags(fs)
	format := fs.String("format", "text", "text, markdown, latex, csv or json")
	return &ffcli.Command{
		Name:       "table",
		ShortUsage: "benchstat-report table [flags] DIR|FILE…",
		ShortHelp:  "methods × metrics, mean ± sd over seeds, paired significance",
		LongHelp: strings.TrimSpace(`
Examples:
  benchstat-report runs/quick
  benchstat-report runs/quick -baseline deterministic -format latex > table.tex
  benchstat-report -metric nll -col /samples runs/mnist      (NLL against the number of posterior samples)
  benchstat-report -filter '/corruption:*' -row /method -col /severity -metric nll runs/shift`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			set, err := load(fs, args)
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

func load(fs *flag.FlagSet, args []string) (results.Set, error) {
	files, err := paths(fs, args)
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
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return report.Style{Width: 100}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 40 {
		width = 100
	}
	return report.Style{Width: width, Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}
