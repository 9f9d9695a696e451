package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/internal/nearest"
	"bayesbench/results"
	"bayesbench/results/tidy"
)

// forms are the forms of a tidy table, by the ending of a file's name.
var forms = []struct {
	name  string
	write func(tidy.Table, io.Writer) error
}{
	{"csv", tidy.Table.WriteCSV},
	{"jsonl", tidy.Table.WriteJSONLines},
	{"parquet", tidy.Table.WriteParquet},
}

func (c *command) export() *ffcli.Command {
	fs := c.flags("export")
	file := outFlag(fs)
	return &ffcli.Command{
		Name:       "export",
		ShortUsage: "benchstat-report export [-o FILE] DIR|FILE…",
		ShortHelp:  "all values as one tidy table for pandas, polars and R: CSV, JSON lines or Parquet",
		LongHelp: strings.TrimSpace(`
A row is one value of one job: its keys (data, model, method, backend, swept settings, samples, seed, …), its unit and
the number, in full precision. Nothing is left out or averaged. docs/dataframes.md shows pandas, polars and R on it.

Examples:
  benchstat-report export runs/quick > quick.csv
  benchstat-report export -o quick.parquet runs/quick results/published/uci/boston`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			set, err := c.load(fs, args)
			if err != nil {
				return err
			}
			return c.writeTidy(tidy.Values(set), *file)
		},
	}
}

func (c *command) curves() *ffcli.Command {
	fs := c.flags("curves")
	file := outFlag(fs)
	return &ffcli.Command{
		Name:       "curves",
		ShortUsage: "benchstat-report curves [-o FILE] DIR…",
		ShortHelp:  "what was measured during training as one tidy table: CSV, JSON lines or Parquet",
		LongHelp: strings.TrimSpace(`
A row is one measurement of one job: its keys, the step, the quantity and the number. It reads the jobs of run
directories.

Examples:
  benchstat-report curves runs/quick > curves.csv
  benchstat-report curves -o curves.jsonl runs/quick`),
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			paths, err := c.paths(fs, args)
			if err != nil {
				return err
			}
			all, err := results.LoadJobs(paths...)
			if err != nil {
				return err
			}
			table := tidy.Curves(all.Jobs)
			if len(table.Rows) == 0 {
				return fmt.Errorf("no job here has a curve: want run directories with their jobs, found %d jobs", len(all.Jobs))
			}
			return c.writeTidy(table, *file)
		},
	}
}

func outFlag(fs *flag.FlagSet) *string {
	return fs.String("o", "", "write to this `file.csv`, .jsonl or .parquet (default: CSV to the standard output)")
}

// writeTidy writes the table in the form that the file's name asks for.
func (c *command) writeTidy(t tidy.Table, file string) error {
	if file == "" {
		return t.WriteCSV(c.stdout)
	}
	form := strings.TrimPrefix(filepath.Ext(file), ".")
	var names []string
	for _, f := range forms {
		names = append(names, f.name)
		if f.name != form {
			continue
		}
		if err := results.WriteFile(file, func(w io.Writer) error { return f.write(t, w) }); err != nil {
			return err
		}
		note := ""
		if n := t.Infinite(); n > 0 && form == "jsonl" {
			note = fmt.Sprintf("; %d infinite numbers are null, since JSON has none", n)
		}
		fmt.Fprintf(c.stdout, "%s: %d rows of %d columns%s\n", file, len(t.Rows), len(t.Columns), note)
		return nil
	}
	return fmt.Errorf("-o %s: want a name that ends in .csv, .jsonl or .parquet, found %q; did you mean .%s?", file, "."+form, nearest.Name(form, names))
}
