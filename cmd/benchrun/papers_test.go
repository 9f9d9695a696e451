package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/results/report"
	"bayesbench/results/report/papers"
	"bayesbench/suites"
)

// The suites written for a published table give every row of it that can be
// ours, each with results of one setting. The results are made up: what is
// tested is that a suite's lines carry the names that the table looks for.
func TestPaperSuitesFillTheirTables(t *testing.T) {
	for _, c := range []struct {
		table     string
		suites    []string
		overrides []string
	}{
		{"sparse-vd", []string{"lenet-300-100", "lenet-5"}, nil},
		{"random-labels", []string{"random-labels-mnist", "random-labels-cifar10"}, nil},
		{"variance-reduction", []string{"variance-reduction"}, nil},
		{"bayesian-dark-knowledge", []string{"bayesian-dark-knowledge"}, nil},
		{"deep-ensembles-mnist", []string{"deep-ensembles-mnist"}, nil},
		{"vgg-width", []string{"vgg-width"}, []string{`model=["vgg-like-0.125","vgg-like-0.25","vgg-like-0.5","vgg-like-1","vgg-like-1.5"]`}},
	} {
		t.Run(c.table, func(t *testing.T) {
			paper, err := papers.Get(c.table)
			if err != nil {
				t.Fatal(err)
			}
			set := results.Set{Units: results.Units{}}
			for _, name := range c.suites {
				s, err := suites.Read(bench.Words(), filepath.Join("..", "..", "suites", "paper", name+".toml"), c.overrides)
				if err != nil {
					t.Fatal(err)
				}
				if s.Name != name {
					t.Errorf("suite %s calls itself %s", name, s.Name)
				}
				for i, settings := range names(t, s.Jobs) {
					madeUp(&set, &s.Jobs[i], settings)
				}
			}
			table, err := report.BuildPaper(set, paper, "", 0.05)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range table.Rows {
				if paper.Rows[i].Filter != "" && !slices.ContainsFunc(row.Pairs, func(p report.PaperPair) bool { return p.Ours != "" }) {
					t.Errorf("row %s %s: nothing of ours for %s", row.Group, row.Label, paper.Rows[i].Filter)
				}
			}
			for _, n := range table.Notes {
				if strings.HasPrefix(n, "Warning") {
					t.Error(n)
				}
			}
		})
	}
}

// names are the settings in the names of the jobs' results.
func names(t *testing.T, jobs []suites.Config) [][]results.Pair {
	t.Helper()
	configured := make([]results.Configured, len(jobs))
	for i := range jobs {
		c := &jobs[i]
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		settings, err := results.Settings(text)
		if err != nil {
			t.Fatal(err)
		}
		setup, err := results.Setup(text)
		if err != nil {
			t.Fatal(err)
		}
		configured[i] = results.Configured{Base: c.Model.Name + " " + c.Method.Label(), Settings: settings, Setup: setup}
	}
	return results.Distinguish(configured)
}

// madeUp adds lines such as a job of the configuration leaves, for every
// predictor and parameter that any method has.
func madeUp(set *results.Set, c *suites.Config, settings []results.Pair) {
	value := float64(len(set.Records)%7+1) / 10
	add := func(samples int, unit string, sweep ...results.Pair) {
		set.Units[unit] = results.Unit{Name: unit, Better: results.Lower}
		r := results.Record{Data: c.Data.Name, Model: c.Model.Name, Method: c.Method.Label(), Backend: c.Backend, Samples: samples,
			Config: []results.Pair{{Key: "seed", Value: strconv.FormatUint(uint64(c.Seed), 10)}},
			Values: []results.Value{{Unit: unit, Value: value}}}
		r.Sweep = slices.Clone(settings)
		if c.Data.RandomLabels != "" {
			r.Sweep = append(r.Sweep, results.Pair{Key: "labels", Value: "random-" + c.Data.RandomLabels})
		}
		r.Sweep = append(r.Sweep, sweep...)
		set.Records = append(set.Records, r)
	}
	last := c.Eval.Samples
	for _, s := range settings {
		if s.Key == "method.members" {
			last, _ = strconv.Atoi(s.Value)
		}
	}
	for _, predict := range []string{"mean", "sample"} {
		for k := 1; k <= last; k++ {
			if k&(k-1) == 0 || k == last {
				add(k, "error", results.Pair{Key: "predict", Value: predict})
			}
		}
	}
	add(0, "sparsity")
	for _, layer := range []string{"fc1", "fc2"} {
		add(0, "sparsity", results.Pair{Key: "layer", Value: layer})
	}
	if c.Eval.GradientDraws > 0 {
		for _, estimator := range []string{"mean", "local", "weight", "datum"} {
			for _, parameter := range []string{"fc1.w", "fc3.w"} {
				add(0, "gradient_variance", results.Pair{Key: "estimator", Value: estimator}, results.Pair{Key: "parameter", Value: parameter})
			}
		}
	}
}
