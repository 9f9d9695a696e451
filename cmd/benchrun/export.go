package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/cmd/internal/cli"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

func (c *command) dataExport() *ffcli.Command {
	fs := c.flags("benchrun data export")
	var s source
	fs.StringVar(&s.data, "data", "", "look in this `directory` first")
	out := fs.String("out", "", "`directory` for the arrays; each data set has one of its name in it")
	stored := fs.Bool("stored", false, "write inputs as they are stored, images as uint8 and numbers in the unit of their file, not as a network sees them")
	s.overrideFlag(fs)
	return &ffcli.Command{
		Name: "export", FlagSet: fs,
		ShortUsage: "benchrun data export -out DIR [-data DIR] [-stored] [-set key=value] SUITE.toml|NAME",
		ShortHelp:  "write a suite's data, or a set, as numpy arrays",
		LongHelp: `Writes the arrays of each data set to DIR/NAME, or DIR/NAME-split-N where it comes in
several splits, and arrays.json, which names them:

  train-inputs.npy, validation-inputs.npy, test-inputs.npy   float32 [examples, shape…]
  train-labels.npy, …, or for numbers train-targets.npy, …   int64 [examples]; float64 [examples, targets]
  shift-fog-3-inputs.npy                                     the test inputs under each eval.shift
  ood-notmnist-inputs.npy                                    the inputs of each set of eval.ood

Inputs are normalised as the suite's networks see them. Targets are in the unit of
the set's files. Predictions on these inputs, made by any program, are scored with
test-labels.npy by benchrun score.

Examples:
  benchrun data export -out arrays suites/mnist.toml
  benchrun data export -out arrays -set data.normalise=standard -set 'eval.ood=["imagenette"]' cifar10
  benchrun data export -out arrays -stored cifar10`,
		Exec: func(ctx context.Context, args []string) error {
			names, err := cli.Interleaved(fs, args)
			switch {
			case err != nil:
				return err
			case len(names) != 1:
				return fmt.Errorf("data export: want one suite or data set, found %d (-h for help)", len(names))
			case *out == "":
				return errors.New("data export: want -out DIR (-h for help)")
			}
			return c.exportData(ctx, names[0], *out, &s, *stored)
		},
	}
}

// exportData exports the data sets of a suite, or of one that a name makes.
func (c *command) exportData(ctx context.Context, name, out string, from *source, stored bool) error {
	suite, err := suiteOrSet(name, from.set)
	if err != nil {
		return err
	}
	bars := newBars(c.stderr)
	sets := &bench.Sets{Options: data.Options{Dir: from.data, Progress: bars.fetch}}
	if err := sets.Settle(ctx, suite); err != nil {
		return err
	}
	done := map[string]bool{} // configurations of data, by their text
	folders, words := map[string]int{}, bench.Words()
	for i := range suite.Jobs {
		config := &suite.Jobs[i]
		what, err := json.Marshal(struct {
			Data       suites.Data
			Shift, OOD []string
		}{config.Data, config.Eval.Shift, config.Eval.OOD})
		if err != nil {
			return err
		}
		if done[string(what)] {
			continue
		}
		done[string(what)] = true
		folder := config.Data.Name
		if own := suite.Datasets[folder]; own != nil && own.Splits > 0 || words.Splits(folder) > 0 {
			folder += fmt.Sprintf("-split-%d", config.Data.Split)
		}
		if folders[folder]++; folders[folder] > 1 {
			folder += fmt.Sprintf("-%d", folders[folder])
		}
		e, err := sets.Export(ctx, config, filepath.Join(out, folder), stored)
		bars.clear()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%s\n", filepath.Join(out, folder))
		for _, a := range e.Arrays {
			fmt.Fprintf(c.stdout, "  %-32s %d rows\n", a.File, a.Rows)
		}
	}
	return nil
}

// suiteOrSet reads a suite, or makes one of a data set's name.
func suiteOrSet(name string, overrides []string) (*suites.Suite, error) {
	known := slices.Contains(setNames(), name)
	if !known && !strings.HasSuffix(name, ".toml") {
		_, err := data.Describe(name)
		return nil, fmt.Errorf("data export: %w, and a suite ends in .toml", err)
	}
	if !known {
		return suites.Read(bench.Words(), name, overrides)
	}
	text := fmt.Sprintf("name = \"export\"\nmodel = \"none\"\n[data]\nname = %q\n[[method]]\nname = \"none\"\n", name)
	return suites.Parse(bench.Words(), "data export "+name, []byte(text), overrides)
}
