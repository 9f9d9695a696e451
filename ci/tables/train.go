package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results"
	"bayesbench/results/report"
)

// train trains a suite into a temporary folder. Each table that comes from the kept results of that
// suite is made once more from the new ones. Kernels of one kind must print the same digits. Where
// the kernels are others, every mean must lie within the margin of the gate, in both directions; a
// unit without one, within 5 %.
func (t *tools) train(ctx context.Context, out io.Writer, pages []page, suite string) error {
	runs, err := os.MkdirTemp(t.dir, "runs")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(t.dir, "benchrun"), "-out", runs, suite)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.root, out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("benchrun %s: %w", suite, err)
	}
	entries, err := os.ReadDir(runs)
	if err != nil {
		return err
	}
	if len(entries) != 1 {
		return fmt.Errorf("benchrun %s left %d run directories, want 1", suite, len(entries))
	}
	kept, fresh := "results/published/"+entries[0].Name(), filepath.Join(runs, entries[0].Name())
	keptKernels, err := kernels(filepath.Join(t.root, kept))
	if err != nil {
		return err
	}
	freshKernels, err := kernels(fresh)
	if err != nil {
		return err
	}
	same := slices.Equal(keptKernels, freshKernels)
	fmt.Fprintf(out, "%s was made by %s, the run by %s: ", kept, strings.Join(keptKernels, ", "), strings.Join(freshKernels, ", "))
	if same {
		fmt.Fprintln(out, "the digits must agree")
	} else {
		fmt.Fprintln(out, "they round differently, so the means must agree within the margins of the gate")
	}

	tables, differ := 0, 0
	for _, p := range pages {
		for _, b := range p.blocks {
			if b.kind != tableMark {
				continue
			}
			args, err := arguments(b.text)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", p.name, b.line, err)
			}
			at := slices.Index(args, kept)
			if at < 0 {
				continue
			}
			tables++
			printed, err := t.report(ctx, args...)
			if err != nil {
				return err
			}
			if !strings.Contains(p.body(b), printed) {
				return fmt.Errorf("%s:%d: the table is not that of %s; go run ./ci/tables -write first", p.name, b.line, kept)
			}
			said, err := t.compare(ctx, args, replaced(args, at, fresh), same)
			if err != nil {
				return err
			}
			if said != "" {
				differ++
				fmt.Fprintf(out, "%s:%d: the table differs from a run of %s\n%s\n", p.name, b.line, suite, said)
			}
		}
	}
	switch {
	case tables == 0:
		return fmt.Errorf("no page has a table of %s", kept)
	case differ > 0:
		return fmt.Errorf("%w of %s: make them anew (benchrun -out results %s), then the tables (go run ./ci/tables -write)", errDiffers, suite, suite)
	}
	fmt.Fprintf(out, "%d tables agree with a run of %s\n", tables, suite)
	return nil
}

// kernels returns what computed the results of a run directory, as far as it decides how numbers
// are rounded.
func kernels(dir string) ([]string, error) {
	set, err := results.Load(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for i := range set.Records {
		kind := set.Records[i].ConfigValue("kernels")
		if kind == "" {
			kind = set.Records[i].ConfigValue("device")
		}
		if !slices.Contains(found, kind) {
			found = append(found, kind)
		}
	}
	slices.Sort(found)
	return found, nil
}

// otherUnits is the margin, as a share, of a unit that the gate does not know.
const otherUnits = 0.05

// compare says in which cells the table of one command has another mean than that of the other.
// Exactly asks for the same bits; otherwise the margins of the gate are allowed, up and down. Marks
// and notes of where results come from may differ: the run is of this version.
//
// AVX2 instead of AVX-512 moved the means of suites/quick.toml by up to 0.0009 (error) and 0.0003
// (NLL).
func (t *tools) compare(ctx context.Context, keptArgs, freshArgs []string, exactly bool) (string, error) {
	kept, err := t.means(ctx, keptArgs)
	if err != nil {
		return "", err
	}
	fresh, err := t.means(ctx, freshArgs)
	if err != nil {
		return "", err
	}
	if len(kept) == 0 {
		return "", fmt.Errorf("%s has no means to compare", strings.Join(keptArgs, " "))
	}
	margins := report.DefaultMargins()
	var said []string
	for place, want := range kept {
		margin, ok := margins[place.unit]
		if !ok {
			margin = report.Margin{Amount: otherUnits, Relative: true}
		}
		if exactly {
			margin = report.Margin{}
		}
		allowed := margin.Amount
		if margin.Relative {
			allowed *= math.Abs(want)
		}
		have, ok := fresh[place]
		if !ok {
			said = append(said, fmt.Sprintf("%s: %s is missing in the run", place.row, place.unit))
		} else if !(math.Abs(have-want) <= allowed) {
			said = append(said, fmt.Sprintf("%s: %s is %v, the kept results have %v (margin %s)", place.row, place.unit, have, want, margin))
		}
	}
	for place := range fresh {
		if _, ok := kept[place]; !ok {
			said = append(said, fmt.Sprintf("%s: %s is in the run, and not in the kept results", place.row, place.unit))
		}
	}
	slices.Sort(said)
	return strings.Join(said, "\n"), nil
}

// place is one cell of a table.
type place struct{ table, row, column, unit string }

// means returns the means of a command's table.
func (t *tools) means(ctx context.Context, args []string) (map[place]float64, error) {
	text, err := t.report(ctx, append(slices.Clone(args), "-format", "csv")...)
	if err != nil {
		return nil, err
	}
	return readMeans(text)
}

func readMeans(text string) (map[place]float64, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("an empty table")
	}
	column := map[string]int{}
	for i, head := range rows[0] {
		column[head] = i
	}
	for _, want := range []string{"table", "row", "column", "metric", "mean"} {
		if _, ok := column[want]; !ok {
			return nil, fmt.Errorf("the table as CSV has no column %q", want)
		}
	}
	means := map[place]float64{}
	for _, r := range rows[1:] {
		if r[column["mean"]] == "" {
			continue
		}
		v, err := strconv.ParseFloat(r[column["mean"]], 64)
		if err != nil {
			return nil, err
		}
		means[place{r[column["table"]], r[column["row"]], r[column["column"]], r[column["metric"]]}] = v
	}
	return means, nil
}

// replaced returns the arguments with another word at one place.
func replaced(args []string, at int, word string) []string {
	out := slices.Clone(args)
	out[at] = word
	return out
}
