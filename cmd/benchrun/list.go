package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/backends"
	"bayesbench/cmd/internal/cli"
	"bayesbench/internal/nearest"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
	"bayesbench/methods/task"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
	"bayesbench/suites/data/augment"
	"bayesbench/suites/data/corrupt"
)

// named is one thing that a suite can name.
type named struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Is   string `json:"is"`
}

var kinds = []string{"methods", "models", "layers", "likelihoods", "optimizers", "schedules", "data", "augmentations", "shifts", "backends", "metrics"}

// everything lists what this build knows.
func everything() []named {
	var out []named
	for _, d := range methods.Drivers() {
		out = append(out, named{"methods", d.Name, d.Description})
	}
	for _, m := range nn.Models() {
		out = append(out, named{"models", m.Name, m.Description})
	}
	for _, k := range nn.LayerKinds() {
		out = append(out, named{"layers", k.Form, k.About})
	}
	likelihoods, says := task.Known()
	for i, name := range likelihoods {
		out = append(out, named{"likelihoods", name, says[i]})
	}
	for _, k := range []struct {
		kind  string
		known func() (names, about []string)
	}{{"optimizers", optim.Known}, {"schedules", schedule.Known}} {
		names, about := k.known()
		for i, name := range names {
			out = append(out, named{k.kind, name, about[i]})
		}
	}
	for _, d := range data.List() {
		out = append(out, named{"data", d.Name, fmt.Sprintf("%s (%s, %s)", d.About, d.Examples, d.Targets)})
	}
	names, about := augment.Names()
	for i, name := range names {
		out = append(out, named{"augmentations", name, about[i]})
	}
	for _, name := range corrupt.Names() {
		out = append(out, named{"shifts", name, "corruption of the test set, by severity (rotate: by degrees)"})
	}
	for _, d := range backends.Drivers() {
		for _, c := range d.Configs {
			out = append(out, named{"backends", c, d.Description})
		}
	}
	for _, m := range metrics.List() {
		is := m.Short
		if m.Kind != metrics.KindNone {
			is = string(m.Kind) + ": " + is
		}
		if m.Better != results.Neither {
			is += " (" + string(m.Better) + " is better)"
		}
		out = append(out, named{"metrics", m.Unit, is})
	}
	return out
}

func (c *command) list() *ffcli.Command {
	fs := c.flags("benchrun list")
	asJSON := fs.Bool("json", false, "print JSON")
	return &ffcli.Command{
		Name:       "list",
		ShortUsage: "benchrun list [-json] [" + strings.Join(kinds, "|") + "]…",
		ShortHelp:  "what a suite can name: methods, models, layers, likelihoods, optimisers, schedules, data sets, augmentations, shifts, backends, metrics",
		LongHelp:   "Examples:\n  benchrun list\n  benchrun list methods models\n  benchrun list -json metrics",
		FlagSet:    fs,
		Exec: func(_ context.Context, args []string) error {
			want, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(want) == 0 {
				want = kinds
			}
			var out []named
			for _, w := range want {
				n := len(out)
				for _, e := range everything() {
					if e.Kind == w {
						out = append(out, e)
					}
				}
				if len(out) == n {
					return fmt.Errorf("list %s: want one of %s; did you mean %q?", w, strings.Join(kinds, ", "), nearest.Name(w, kinds))
				}
			}
			if *asJSON {
				enc := json.NewEncoder(c.stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(out)
			}
			t := table.NewWriter()
			t.SetOutputMirror(c.stdout)
			t.SetStyle(table.StyleLight)
			t.Style().Options.DrawBorder = false
			t.Style().Options.SeparateColumns = false
			kind := ""
			for _, e := range out {
				if e.Kind != kind {
					if kind != "" {
						t.AppendSeparator()
					}
					kind = e.Kind
				}
				t.AppendRow(table.Row{e.Kind, e.Name, e.Is})
			}
			t.Render()
			return nil
		},
	}
}
