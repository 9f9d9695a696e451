package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"bayesbench/cmd/benchrun/internal/bench"
	"bayesbench/methods"
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
	// Plan is the hash of what the job's method does, and Details are all of it, at the
	// first of the jobs that have this hash.
	Plan    string          `json:"plan,omitempty"`
	Details json.RawMessage `json:"details,omitempty"`
}

// maxDetails bounds the bytes of all details that are printed.
const maxDetails = 16 << 20

// describer tells the plans of jobs, those that many jobs share once.
type describer struct {
	hashes map[*methods.Plan]string
	told   map[string]bool
	bytes  int
}

// describe fills in the job's plan, as far as the suite's plans are kept and there is room.
func (d *describer) describe(p *plannedJob, plan *methods.Plan) error {
	if plan == nil {
		return nil
	}
	hash, ok := d.hashes[plan]
	if !ok {
		var err error
		if hash, err = plan.Hash(); err != nil {
			return err
		}
		d.hashes[plan] = hash
	}
	p.Plan = hash
	if d.told[hash] {
		return nil
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	d.told[hash] = true
	if d.bytes += len(text); d.bytes <= maxDetails {
		p.Details = text
	}
	return nil
}

// printPlan prints the jobs in the order in which they would run.
func (c *command) printPlan(ctx context.Context, s *suites.Suite, jobs []*bench.Job, dir string, asJSON bool) error {
	speeds := map[string]float64{}
	var plan []plannedJob
	total, left := 0.0, 0.0
	plans := describer{hashes: map[*methods.Plan]string{}, told: map[string]bool{}}
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
		if asJSON {
			if err := plans.describe(&p, j.Planned()); err != nil {
				return err
			}
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
