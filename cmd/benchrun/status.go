package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/peterbourgon/ff/v3/ffcli"

	"bayesbench/cmd/benchrun/internal/slurm"
	"bayesbench/cmd/internal/cli"
)

// followEvery is how often -follow asks.
const followEvery = 5 * time.Second

func (c *command) status() *ffcli.Command {
	fs := c.flags("benchrun status")
	asJSON := fs.Bool("json", false, "print JSON")
	follow := fs.Bool("follow", false, "say what changes until nothing is pending or running")
	return &ffcli.Command{
		Name:       "status",
		ShortUsage: "benchrun status [-json] [-follow] RUN",
		ShortHelp:  "what has become of the jobs that were submitted to Slurm",
		LongHelp: `Prints every job of a run directory that was submitted: done, running, pending,
failed (its manifest says why) or lost (killed or cancelled), how far it is, and
when all will be through. squeue and sacct are asked where there are any; what is
done is what the run directory says.

Examples:
  benchrun status runs/mnist
  benchrun status -follow runs/mnist
  benchrun status -json runs/mnist | jq -r '.jobs[] | select(.state=="lost") | .log'

Exit code: 0 all done or on their way, 1 some failed or were lost, 2 bad usage or input.`,
		FlagSet: fs,
		Exec: func(ctx context.Context, args []string) error {
			args, err := cli.Interleaved(fs, args)
			if err != nil {
				return err
			}
			if len(args) != 1 {
				return fmt.Errorf("status: want one run directory, such as runs/mnist, found %d arguments (-h for help)", len(args))
			}
			s, err := c.follow(ctx, args[0], *follow)
			if err != nil {
				return err
			}
			if *asJSON {
				enc := json.NewEncoder(c.stdout)
				enc.SetIndent("", "  ")
				err = enc.Encode(s)
			} else {
				c.printStatus(s)
			}
			if bad := s.Count[slurm.Failed] + s.Count[slurm.Lost]; err == nil && bad > 0 {
				err = cli.Negative(fmt.Sprintf("%d jobs failed or were lost; benchrun slurm -resubmit takes them up", bad))
			}
			return err
		},
	}
}

// follow returns the status, at once or when all is over.
func (c *command) follow(ctx context.Context, dir string, follow bool) (*slurm.Status, error) {
	said := ""
	for {
		campaign, err := slurm.Read(dir)
		if err != nil {
			return nil, err
		}
		if len(campaign.Submissions) == 0 {
			return nil, fmt.Errorf("%s: no jobs were submitted from it (benchrun slurm SUITE.toml does that)", dir)
		}
		s, err := campaign.Status(ctx)
		if err != nil || !follow || s.Over() {
			return s, err
		}
		if line := counts(s); line != said {
			said = line
			fmt.Fprintf(c.stderr, "%s %s%s\n", time.Now().Format(time.TimeOnly), line, left(s))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(followEvery):
		}
	}
}

// counts is "3 done, 2 running, 4 pending".
func counts(s *slurm.Status) string {
	var parts []string
	for _, state := range slurm.States {
		if n := s.Count[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

func left(s *slurm.Status) string {
	if s.ETA == 0 {
		return ""
	}
	return ", about " + round(s.ETA) + " left"
}

func (c *command) printStatus(s *slurm.Status) {
	t := table.NewWriter()
	t.SetOutputMirror(c.stdout)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"job", "what", "state", "", "slurm", "node", ""})
	for _, j := range s.Jobs {
		progress := ""
		if j.State != slurm.Done && j.Progress > 0 {
			progress = fmt.Sprintf("%s %.0f %%", j.Phase, 100*j.Progress)
		}
		note := j.Reason
		if (j.State == slurm.Failed || j.State == slurm.Lost) && j.Log != "" {
			note = strings.TrimPrefix(note+"; log: "+j.Log, "; ")
		}
		t.AppendRow(table.Row{j.ID, j.Title, j.State, progress, j.Slurm, j.Node, note})
	}
	t.AppendFooter(table.Row{"", fmt.Sprintf("%d jobs: %s%s", len(s.Jobs), counts(s), left(s))})
	t.Render()
	if s.NoSlurm {
		fmt.Fprintln(c.stdout, "There is no squeue on this machine: jobs that are not at work count as pending.")
	}
}
