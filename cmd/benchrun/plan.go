package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/results"
	"bayesbench/suites"
)

// plannedJob is one job of -plan -json.
type plannedJob struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Needs   []string `json:"needs,omitempty"`
	Listed  bool     `json:"listed"` // false: only another job needs it
	Done    bool     `json:"done"`
	FLOPs   float64  `json:"flops"`
	Seconds float64  `json:"seconds"` // estimated on this machine
}

// printPlan prints the jobs in the order in which they would run.
func (c *command) printPlan(ctx context.Context, s *suites.Suite, jobs []*bench.Job, dir string, asJSON bool) error {
	speeds := map[string]float64{}
	var plan []plannedJob
	total, left := 0.0, 0.0
	for _, j := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		speed, ok := speeds[j.Config.Backend]
		if !ok {
			var err error
			if speed, err = bench.Speed(j.Config.Backend); err != nil {
				return err
			}
			speeds[j.Config.Backend] = speed
		}
		p := plannedJob{ID: j.ID, Title: j.Title(), Listed: j.Listed, FLOPs: j.FLOPs, Seconds: j.FLOPs / speed, Done: results.IsDone(dir, j.ID)}
		for _, n := range j.Needs {
			p.Needs = append(p.Needs, n.ID)
		}
		total += p.Seconds
		if !p.Done {
			left += p.Seconds
		}
		plan = append(plan, p)
	}
	if asJSON {
		enc := json.NewEncoder(c.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(plan)
	}
	t := table.NewWriter()
	t.SetOutputMirror(c.stdout)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"job", "what", "GFLOP", "about", ""})
	for _, p := range plan {
		note := ""
		if !p.Listed {
			note = "member of another"
		}
		if p.Done {
			note = "done"
		}
		t.AppendRow(table.Row{p.ID, p.Title, fmt.Sprintf("%.0f", p.FLOPs/1e9), round(p.Seconds), note})
	}
	t.AppendFooter(table.Row{"", fmt.Sprintf("%d jobs of suite %s", len(plan), s.Name), "", round(total), "to do: " + round(left)})
	t.Render()
	fmt.Fprintln(c.stdout, "Times are estimates from a matrix product timed just now; nothing was trained.")
	return nil
}

func round(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return "<1s"
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute / 4).String()
}
