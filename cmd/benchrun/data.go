package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/internal/cli"
	"bayesbench/internal/nearest"
	"bayesbench/suites/data"
)

func (c *command) data() *ffcli.Command {
	fs := c.flags("benchrun data")
	return &ffcli.Command{
		Name:       "data",
		ShortUsage: "benchrun data list|fetch|verify|export [-data DIR] [NAME…]",
		ShortHelp:  "data sets: what there is, get the files, check them, write them as numpy arrays",
		LongHelp: `Examples:
  benchrun data list
  benchrun data fetch cifar10
  benchrun data fetch uci
  benchrun data verify mnist cifar10
  benchrun data export -out arrays cifar10`,
		FlagSet:     fs,
		Subcommands: []*ffcli.Command{c.dataList(), c.dataFiles("fetch", data.Fetch), c.dataFiles("verify", data.Verify), c.dataExport()},
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				verbs := []string{"list", "fetch", "verify", "export"}
				return fmt.Errorf("data %s: want list, fetch, verify or export; did you mean %q? (-h for help)", args[0], nearest.Name(args[0], verbs))
			}
			return errors.New("data: want list, fetch, verify or export (-h for help)")
		},
	}
}

func (c *command) dataList() *ffcli.Command {
	fs := c.flags("benchrun data list")
	return &ffcli.Command{
		Name: "list", ShortUsage: "benchrun data list", ShortHelp: "the data sets, and their terms of use", FlagSet: fs,
		Exec: func(context.Context, []string) error {
			t := table.NewWriter()
			t.SetOutputMirror(c.stdout)
			t.SetStyle(table.StyleLight)
			t.AppendHeader(table.Row{"name", "what", "example", "target", "terms"})
			t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft}, {Number: 5, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}})
			for _, d := range data.List() {
				t.AppendRow(table.Row{d.Name, d.About, d.Examples, d.Targets, d.Licence})
			}
			t.Render()
			return nil
		},
	}
}

// dataFiles makes the subcommands that go through the files of data sets.
func (c *command) dataFiles(name string, do func(context.Context, string, data.Options) (data.Report, error)) *ffcli.Command {
	fs := c.flags("benchrun data " + name)
	dir := fs.String("data", "", "look in this `directory` first")
	offline := fs.Bool("offline", false, "look in directories only: run no package manager, open no connection")
	return &ffcli.Command{
		Name: name, FlagSet: fs,
		ShortUsage: "benchrun data " + name + " [-data DIR] NAME…",
		ShortHelp:  map[string]string{"fetch": "get the files and check them", "verify": "check every file where it lies"}[name],
		LongHelp: `Of a set of image files it also lists what is left out, and why: hidden files and text do no harm, files in
formats that are not read may be missing.
Exit code: 0 all is there and as published, 1 something is damaged, missing or not read, 2 the set is not here.`,
		Exec: func(ctx context.Context, args []string) error {
			names, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				return fmt.Errorf("data %s: which set? One of %s", name, strings.Join(setNames(), ", "))
			}
			var faults []string
			bars := newBars(c.stderr)
			for _, n := range members(names) {
				r, err := do(ctx, n, data.Options{Dir: *dir, Offline: *offline, Progress: bars.fetch})
				bars.clear()
				if err != nil {
					return err
				}
				faults = append(faults, c.printFiles(r)...)
			}
			if len(faults) > 0 {
				return cli.Negative(fmt.Sprintf("%d faults: %s", len(faults), strings.Join(faults, ", ")))
			}
			return nil
		},
	}
}

// members lists the sets that the names stand for.
func members(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, data.Members(n)...)
	}
	return all
}

func setNames() []string {
	var names []string
	for _, d := range data.List() {
		names = append(names, d.Name)
	}
	return names
}

// printFiles prints what was found of each file and returns those that are at
// fault.
func (c *command) printFiles(r data.Report) []string {
	if r.Place == "" {
		fmt.Fprintf(c.stdout, "%s: generated, it has no files\n", r.Name)
		return nil
	}
	fmt.Fprintf(c.stdout, "%s: %s, %d files checked\n", r.Name, r.Place, r.Count)
	var faults []string
	for _, f := range r.Files {
		if f.Err == nil {
			fmt.Fprintf(c.stdout, "  ok      %s\n", f.Path)
			continue
		}
		fmt.Fprintf(c.stdout, "  FAULT   %v\n", f.Err)
		faults = append(faults, f.Path)
	}
	for _, k := range r.Skipped {
		if !k.Reason.Lost() {
			fmt.Fprintf(c.stdout, "  ignored %v\n", k)
			continue
		}
		fmt.Fprintf(c.stdout, "  LOST    %v\n", k)
		faults = append(faults, fmt.Sprintf("%d %s", k.Count, k.Reason))
	}
	return faults
}
