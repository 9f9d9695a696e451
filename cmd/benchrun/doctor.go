package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/backends"
	"bayesbench/cmd/internal/cli"
)

// diagnosis is whether one backend can run here.
type diagnosis struct {
	Backend string `json:"backend"`
	Runs    bool   `json:"runs"`
	Version string `json:"version,omitempty"`
	Device  string `json:"device,omitempty"`
	Threads int    `json:"threads,omitempty"`
	Detail  string `json:"detail,omitempty"` // what it runs on, or why it does not and how to get what is missing
}

func (c *command) doctor() *ffcli.Command {
	fs := c.flags("benchrun doctor")
	asJSON := fs.Bool("json", false, "print JSON")
	return &ffcli.Command{
		Name:       "doctor",
		ShortUsage: "benchrun doctor [-json] [BACKEND…]",
		ShortHelp:  "for every backend: can it run here, and what is missing",
		LongHelp: `Examples:
  benchrun doctor
  benchrun doctor gomlx:xla:cpu

Exit code: 0 every backend named runs (without names: always), 1 one does not.`,
		FlagSet: fs,
		Exec: func(_ context.Context, args []string) error {
			names, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			asked := len(names) > 0
			if !asked {
				for _, d := range backends.Drivers() {
					names = append(names, d.Configs...)
				}
			}
			var found []diagnosis
			missing := 0
			for _, n := range names {
				d, err := diagnose(n)
				if err != nil {
					return err
				}
				if !d.Runs {
					missing++
				}
				found = append(found, d)
			}
			if err := c.printDiagnoses(found, *asJSON); err != nil {
				return err
			}
			if asked && missing > 0 {
				return cli.Negative(fmt.Sprintf("%d of %d backends cannot run here", missing, len(names)))
			}
			return nil
		},
	}
}

// diagnose asks the driver; the error is for names that no driver answers to.
func diagnose(name string) (diagnosis, error) {
	if err := backends.Known(name); err != nil {
		return diagnosis{}, err
	}
	info, detail, err := backends.Check(name)
	if err != nil {
		return diagnosis{Backend: name, Detail: err.Error()}, nil
	}
	return diagnosis{name, true, info.Version, info.Device, info.Threads, detail}, nil
}

func (c *command) printDiagnoses(found []diagnosis, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(c.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(found)
	}
	t := table.NewWriter()
	t.SetOutputMirror(c.stdout)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"backend", "runs", "version", "device", "detail"})
	wrap := func(n, width int) table.ColumnConfig {
		return table.ColumnConfig{Number: n, WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
	}
	t.SetColumnConfigs([]table.ColumnConfig{wrap(3, 24), wrap(4, 30), wrap(5, 60)})
	for _, d := range found {
		runs := "no"
		if d.Runs {
			runs = "yes"
		}
		t.AppendRow(table.Row{d.Backend, runs, d.Version, d.Device, d.Detail})
	}
	t.Render()
	return nil
}
