package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"bayesbench/results"
	"bayesbench/results/report/papers"
	"bayesbench/results/stats"
)

// paperSet is sparse VD on LeNet-300-100 near the published row (1.92 %), and a network far from it
// (1.64 %).
func paperSet() results.Set {
	set := results.Set{Units: results.Units{
		"error": {Name: "error", Better: results.Lower}, "sparsity": {Name: "sparsity", Better: results.Higher},
		"compression": {Name: "compression", Better: results.Higher},
	}}
	add := func(method, seed string, samples int, sweep []results.Pair, unit string, v float64) {
		set.Records = append(set.Records, results.Record{Data: "mnist", Model: "lenet-300-100", Method: method, Backend: "gonum", Samples: samples,
			Sweep: sweep, Config: []results.Pair{{Key: "seed", Value: seed}}, Values: []results.Value{{Unit: unit, Value: v}}})
	}
	for i := range 4 {
		seed := fmt.Sprint(i)
		add("sparse-vd", seed, 1, []results.Pair{{Key: "predict", Value: "mean"}}, "error", 0.0190+0.0002*float64(i%2))
		add("sparse-vd", seed, 16, []results.Pair{{Key: "predict", Value: "sample"}}, "error", 0.5)
		add("sparse-vd", seed, 0, nil, "compression", 70)
		add("sparse-vd", seed, 0, []results.Pair{{Key: "layer", Value: "fc1"}}, "sparsity", 0.99)
		add("sparse-vd", seed, 0, []results.Pair{{Key: "layer", Value: "fc2"}}, "sparsity", 0.95)
		add("deterministic", seed, 1, []results.Pair{{Key: "predict", Value: "mean"}}, "error", 0.0300+0.0002*float64(i%2))
	}
	return set
}

func TestPaper(t *testing.T) {
	p, err := papers.Get("sparse-vd")
	if err != nil {
		t.Fatal(err)
	}
	table, err := BuildPaper(paperSet(), p, "", 0.05)
	if err != nil {
		t.Fatal(err)
	}
	original, sparse := table.Rows[0].Pairs, table.Rows[4].Pairs
	if sparse[0] != (PaperPair{Printed: "1.92", Ours: "1.910 ±0.012 (4)", Verdict: stats.Equivalent}) {
		t.Errorf("error %+v", sparse[0])
	}
	if sparse[1].Ours != "99.0-95.0" || sparse[1].Printed != "98.9-97.2-62.0" {
		t.Errorf("layers %+v", sparse[1])
	}
	if sparse[2].Printed != "68" || sparse[2].Ours != "70 ±0 (4)" || sparse[2].Verdict != "" {
		t.Errorf("compression %+v", sparse[2])
	}
	if original[0].Verdict != stats.Different || original[0].Ours != "3.010 ±0.012 (4)" {
		t.Errorf("original %+v", original[0])
	}
	for _, format := range []string{"text", "markdown", "latex"} {
		var out bytes.Buffer
		if err := table.Write(&out, format, Style{Width: 100}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"98.9-97.2-62.0", "99.0-95.0", "1701.05369", "README"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", format, want, out.String())
			}
		}
	}
	if err := table.Write(&bytes.Buffer{}, "pdf", Style{}); err == nil {
		t.Error("format pdf passed")
	}
}

// Every table of ours can be built from results that have nothing to do with it, and says so.
func TestPapersWithoutResults(t *testing.T) {
	for _, name := range papers.Names() {
		p, err := papers.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		set := results.Set{Units: demoUnits, Records: []results.Record{record("a", "0", 1, results.Value{Unit: "nll", Value: 1})}}
		table, err := BuildPaper(set, p, "", 0.05)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if table.Notes[0] != "None of these results belongs to a row of this table." {
			t.Errorf("%s: notes %q", name, table.Notes)
		}
	}
}

// Rules part groups; a row without numbers is no group.
func TestPaperRules(t *testing.T) {
	table := PaperTable{Paper: papers.Paper{Columns: []papers.Column{{Head: "error"}}}, Rows: []PaperRow{
		{Group: "A", Label: "one", Pairs: []PaperPair{{}}}, {Group: "A", Label: "two", Pairs: []PaperPair{{Printed: "1"}}}, {Group: "B", Label: "one", Pairs: []PaperPair{{}}}}}
	for _, want := range []int{2, 1} { // with that below the heads
		var out bytes.Buffer
		if err := table.Write(&out, "latex", Style{}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\\midrule"); n != want {
			t.Errorf("%d rules, want %d:\n%s", n, want, &out)
		}
		for i := range table.Rows {
			table.Rows[i].Group = ""
		}
	}
}

// Where a column asks for it, ours is marked as reaching the printed number, or short of it.
func TestPaperReach(t *testing.T) {
	p, err := papers.Parse(`title = "t"
citation = "c"
source = "s"
[[columns]]
unit = "error"
head = "error %"
scale = 100
reach = true
[[rows]]
label = "sparse"
filter = "/method:sparse-vd /predict:mean"
[rows.published]
error = { value = 1.89, spread = 0.03, kind = "se", runs = 5 }
[[rows]]
label = "dense"
filter = "/method:deterministic"
[rows.published]
error = { value = 2.99 }
[[rows]]
label = "unknown"
filter = "/method:sparse-vd /predict:mean"
`, "reach")
	if err != nil {
		t.Fatal(err)
	}
	table, err := BuildPaper(paperSet(), p, "", 0.05)
	if err != nil {
		t.Fatal(err)
	}
	// 1.91 is within 0.03 of 1.89. 3.01 is not within its own standard error, 0.006, and half of
	// 0.01 of 2.99.
	for i, want := range []stats.Reach{stats.Reached, stats.Short, ""} {
		if got := table.Rows[i].Pairs[0].Reach; got != want {
			t.Errorf("row %s: %q, want %q", table.Rows[i].Label, got, want)
		}
	}
	var out bytes.Buffer
	if err := table.Write(&out, "text", Style{Width: 100}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"(4) ✓", "(4) ✗", "at or better"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
