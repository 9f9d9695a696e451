package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// row is one line of the table: all rounds of one measurement.
type row struct {
	Name   string             `json:"name"`
	Target float64            `json:"target"` // ratio to the faster PyTorch setting
	FLOPs  float64            `json:"flops"`  // of one step; 0 where the share of the peak is not asked
	Batch  int                `json:"batch"`
	Ours   []speed            `json:"ours"`  // a round each
	Peers  map[string][]speed `json:"peers"` // by name, a round each
	Peaks  []float64          `json:"peaks"` // float32 peak of the machine in FLOP/s, a round each

	Best      string  `json:"best"`  // the faster PyTorch setting
	Ratio     ratio   `json:"ratio"` // to Best
	JAX       ratio   `json:"jax"`
	PeakShare float64 `json:"peak_share"`
}

// ratio is median, least and greatest over rounds; 0 where there is none.
type ratio struct {
	Median float64 `json:"med"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// medians are the rounds' medians.
func medians(s []speed) []float64 {
	var out []float64
	for _, v := range s {
		out = append(out, v.Median)
	}
	return out
}

// sum works out what the rounds say.
func (r *row) sum() {
	best := 0.0
	for _, name := range []string{"torch", "torch tuned"} {
		if m, _, _ := spread(medians(r.Peers[name])); m > best {
			r.Best, best = name, m
		}
	}
	r.Ratio, r.JAX = r.ratio(r.Best), r.ratio("jax")
	m, _, _ := spread(medians(r.Ours))
	if p, _, _ := spread(r.Peaks); p > 0 && r.Batch > 0 {
		r.PeakShare = r.FLOPs * m / float64(r.Batch) / p
	}
}

// ratio compares round by round, since the machine drifts between them.
func (r *row) ratio(peer string) ratio {
	var x []float64
	for i, p := range r.Peers[peer] {
		if i < len(r.Ours) {
			x = append(x, r.Ours[i].Median/p.Median)
		}
	}
	var out ratio
	out.Median, out.Min, out.Max = spread(x)
	return out
}

// missed says whether the row is compared and below its target.
func (r *row) missed() bool { return r.Ratio.Median > 0 && r.Ratio.Median < r.Target }

// noisy says whether other processes were at work in some round.
func (r *row) noisy() bool {
	for _, s := range r.Ours {
		if !s.Quiet {
			return true
		}
	}
	for _, s := range r.Peers[r.Best] {
		if !s.Quiet {
			return true
		}
	}
	return false
}

// render lays the rows out; markdown or for a terminal.
func render(rows []*row, markdown bool) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	head := table.Row{"case", "ours, samples/s", "PyTorch, samples/s", "setting", "ratio", "at least", "of peak"}
	jax := false
	for _, r := range rows {
		jax = jax || r.JAX.Median > 0
	}
	if jax {
		head = append(head, "JAX, samples/s", "ratio to JAX")
	}
	t.AppendHeader(head)
	noisy := false
	for _, r := range rows {
		name, target := r.Name, fmt.Sprintf("%g", r.Target)
		if r.noisy() {
			name, noisy = name+" *", true
		}
		if r.missed() {
			target += " MISSED"
		}
		share := "-"
		if r.PeakShare > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.PeakShare)
		}
		line := table.Row{name, speeds(r.Ours), speeds(r.Peers[r.Best]), strings.TrimPrefix(r.Best, "torch "), r.Ratio, target, share}
		if jax {
			line = append(line, speeds(r.Peers["jax"]), r.JAX)
		}
		t.AppendRow(line)
	}
	legend := "Medians over rounds (least to greatest); ratios are taken round by round."
	if noisy {
		legend += "\n* other processes used the CPUs in some round; read the spread."
	}
	if markdown {
		return t.RenderMarkdown() + "\n\n" + legend + "\n"
	}
	return t.Render() + "\n" + legend + "\n"
}

func (r ratio) String() string {
	if r.Median == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", r.Median, r.Min, r.Max)
}

func speeds(s []speed) string {
	m, least, most := spread(medians(s))
	if m == 0 {
		return "-"
	}
	return fmt.Sprintf("%s (%s-%s)", three(m), three(least), three(most))
}

// three prints a positive number with three digits.
func three(x float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	return fmt.Sprintf("%.*f", max(0, int(-math.Log10(unit)+0.5)), math.Round(x/unit)*unit)
}
