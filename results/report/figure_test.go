package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"image/png"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"bayesbench/results"
)

func demoData(t *testing.T) Data {
	t.Helper()
	dir := t.TempDir()
	demoRun(t, dir, 2)
	d, err := LoadData(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFigures(t *testing.T) {
	d := demoData(t)
	want := map[string][]string{
		"samples": {"nll-samples", "ece15-lorc-samples"}, "pareto": {"pareto"}, "training": {"test-nll-training", "test-error-training", "loss-training"},
		"reliability": {"reliability"}, "risk-coverage": {"risk-coverage"}, "entropy": {"entropy-mnist", "entropy-notmnist"},
		"shift": nil, "sparsity": {"sparsity-training", "sparsity-layers"},
	}
	for _, k := range Kinds {
		figures, err := Draw(d, k.Name, Query{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range figures {
			names = append(names, f.Name)
		}
		if fmt.Sprint(names) != fmt.Sprint(want[k.Name]) {
			t.Errorf("%s: figures %q, want %q", k.Name, names, want[k.Name])
		}
		for _, f := range figures {
			var svg, raster, pdf bytes.Buffer
			if err := errors.Join(f.Write(&svg, "svg"), f.Write(&raster, "png"), f.Write(&pdf, "pdf")); err != nil {
				t.Fatal(err)
			}
			wellFormed(t, svg.String())
			if _, err := png.Decode(&raster); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if !bytes.HasPrefix(pdf.Bytes(), []byte("%PDF-")) {
				t.Errorf("%s: not a PDF", f.Name)
			}
			// Every series stands in the legend, and none but those of methods that have the data.
			sparse := strings.HasPrefix(f.Name, "sparsity")
			for _, m := range demoMethods {
				if has := strings.Contains(svg.String(), ">"+m.name+"<"); has != (!sparse || m.sparsity > 0) {
					t.Errorf("%s: legend has %s: %v", f.Name, m.name, has)
				}
			}
			for _, bad := range []string{"NaN", "Inf", "#-"} {
				if strings.Contains(svg.String(), bad) {
					t.Errorf("%s: %s in the SVG", f.Name, bad)
				}
			}
		}
	}
	if _, err := Draw(d, "parato", Query{}); err == nil || !strings.Contains(err.Error(), `did you mean "pareto"?`) {
		t.Error(err)
	}
}

func TestShiftFigure(t *testing.T) {
	set := results.Set{Units: demoUnits}
	for _, corruption := range []string{"fog", "blur"} {
		for severity := 1; severity <= 5; severity++ {
			r := record("a", "0", 1, results.Value{Unit: "nll", Value: float64(severity)}, results.Value{Unit: "error", Value: 0.1})
			r.Sweep = []results.Pair{{Key: "corruption", Value: corruption}, {Key: "severity", Value: fmt.Sprint(severity)}}
			set.Records = append(set.Records, r)
		}
	}
	figures, err := Draw(Data{Set: set}, "shift", Query{})
	if err != nil || len(figures) != 2 || figures[1].Name != "nll-shift" {
		t.Fatal(figures, err)
	}
	if p := figures[1].plot; p.X.Min != 1 || p.X.Max != 5 || p.Y.Min != 1 || p.Y.Max != 5 {
		t.Errorf("x %v to %v, y %v to %v", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
}

// A method has one colour in all figures, whether they show its predictors or its jobs.
func TestColoursOfMethods(t *testing.T) {
	table := Table{RowHeads: []string{"method", "predict"}, Rows: []Row{
		{Labels: []string{"deterministic", "mean"}}, {Labels: []string{"dropout", "mean"}}, {Labels: []string{"dropout", "sample"}}, {Labels: []string{"ffg", "sample"}}}}
	want := map[string]look{"deterministic mean": {0, 0}, "dropout mean": {1, 0}, "dropout sample": {1, 1}, "ffg sample": {2, 0}}
	if got := table.looks(); !maps.Equal(got, want) {
		t.Errorf("looks %v, want %v", got, want)
	}
	mean, sample := look{1, 0}, look{1, 1}
	if mean.colour() != sample.colour() || slices.Equal(mean.dashes(), sample.dashes()) || mean.glyph() == sample.glyph() {
		t.Error("two predictors of one method cannot be told apart, or not be seen to belong together")
	}
	seen := map[string]look{} // whatever stands in one panel must differ
	for i := range 2 * perPanel {
		for v := range 2 {
			l := look{i, v}
			key := fmt.Sprint(l.colour(), l.dashes())
			if other, ok := seen[key]; ok {
				t.Errorf("%v looks like %v", l, other)
			}
			seen[key] = l
		}
	}
}

func TestParetoFront(t *testing.T) {
	front := paretoFront(points{{x: 4, y: 1}, {x: 1, y: 5}, {x: 2, y: 6}, {x: 3, y: 3}, {x: 3, y: 4}, {x: 5, y: 1}})
	if want := (points{{x: 1, y: 5}, {x: 3, y: 5}, {x: 3, y: 3}, {x: 4, y: 3}, {x: 4, y: 1}}); !slices.Equal(front, want) {
		t.Errorf("front %v, want %v", front, want)
	}
	if front := paretoFront(nil); front != nil {
		t.Errorf("front of nothing: %v", front)
	}
}

// The jobs of a figure's row are those of one configuration, each seed once.
func TestRowsOfJobs(t *testing.T) {
	speed := 100.0 // of each job another, as a clock measures it
	job := func(method, rate, seed string, nll float64) results.JobResult {
		speed++
		r := record(method, seed, 1, results.Value{Unit: "nll", Value: nll})
		if rate != "" {
			r.Sweep = []results.Pair{{Key: "method.rate", Value: rate}}
		}
		timings := r
		timings.Values = []results.Value{{Unit: "train-samples/s", Value: speed}}
		return results.JobResult{ID: method + rate + seed, Records: []results.Record{r, timings}}
	}
	// The labels read the same where a method's ends as another's setting does.
	d := Data{Set: results.Set{Units: demoUnits}, Jobs: []results.JobResult{
		job("x", "1", "0", 1), job("x", "1", "1", 2), job("x", "2", "0", 3), job("x 1", "", "0", 4), job("y", "", "0", 5),
		job("x", "1", "0", 1), // as in a copy of the run directory
	}}
	groups, err := d.grouped(Query{})
	if err != nil || len(groups) != 1 {
		t.Fatalf("%d groups: %v", len(groups), err)
	}
	want := map[string]int{`"x" method.rate="1"`: 2, "x 2": 1, `"x 1"`: 1, "y": 1}
	for _, r := range groups[0].rows {
		if want[r.label] != len(r.jobs) {
			t.Errorf("%d jobs of %s, want %d", len(r.jobs), r.label, want[r.label])
		}
		delete(want, r.label)
	}
	if len(want) > 0 {
		t.Errorf("no rows %v", want)
	}
	// The same seed with other values, as of other data, is refused in figures as it is in tables.
	d.Jobs = append(d.Jobs, job("y", "", "0", 6))
	if _, err := d.grouped(Query{}); err == nil || !strings.Contains(err.Error(), "nll stands twice for seed 0: 5 and 6") {
		t.Error(err)
	}
}

func TestMeanCurve(t *testing.T) {
	curve := func(values ...float64) results.JobResult {
		c := results.Curve{Columns: []string{"step", "epoch", "loss"}}
		for i, v := range values {
			c.Append(float64(100*(i+1)), float64(i+1), v)
		}
		return results.JobResult{Curve: c}
	}
	got := meanCurve([]results.JobResult{curve(2, math.NaN(), 8), curve(4, 6)}, "epoch", "loss")
	if fmt.Sprint(got) != "[{1 3 0} {2 6 0} {3 8 0}]" {
		t.Error(got)
	}
}

func TestTicker(t *testing.T) {
	labels := func(low, high float64, p plot.Ticker) string {
		var out []string
		for _, tick := range p.Ticks(low, high) {
			out = append(out, tick.Label)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{1, 20, "5 10 15 20"},
		{0.014, 0.029, "0.014 0.016 0.018 0.020 0.022 0.024 0.026 0.028"},
		{-1, 1, "-1.0 -0.5 0.0 0.5 1.0"},
		{9800, 52000, "10000 20000 30000 40000 50000"},
	} {
		if got := labels(c.low, c.high, ticker{}); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
	if got := labels(1, 3, ticker{whole: true}); got != "1 2 3" {
		t.Errorf("epochs 1 to 3: %s", got)
	}
	if got := labels(1, 30, ticker{whole: true}); got != "5 10 15 20 25 30" {
		t.Errorf("epochs 1 to 30: %s", got)
	}
}

func TestHTML(t *testing.T) {
	d := demoData(t)
	var out bytes.Buffer
	if err := WriteHTML(&out, d, Query{Baseline: "deterministic"}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if n := strings.Count(text, "<figure "); n != 12 || strings.Count(text, "</svg>") != n {
		t.Errorf("%d figures, %d drawings", n, strings.Count(text, "</svg>"))
	}
	// Nothing is fetched from anywhere.
	for _, bad := range []string{"src=", "http:", "https:", "@import", "url("} {
		rest := strings.ReplaceAll(text, "http://www.w3.org", "")
		if strings.Contains(rest, bad) {
			t.Errorf("%q in the page", bad)
		}
	}
	for _, want := range []string{"prefers-color-scheme: dark", "currentColor", "Too few seeds", "Results of demo", `data-sort="0.0`,
		"Not drawn, because these results lack what it takes: coverage (jobs of a run directory that predict numbers); residuals (jobs of a run directory that predict numbers); shift (a suite with eval.shift)."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the page", want)
		}
	}
}

// A results file alone has no curves and no details: the page says which figures it lacks, and
// draws the others.
func TestHTMLOfAFile(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHTML(&out, Data{Set: demoData(t).Set}, Query{}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{`id="nll-samples"`, `id="pareto"`, `id="sparsity-layers"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	_, missing, _ := strings.Cut(text, "Not drawn")
	missing, _, _ = strings.Cut(missing, "</p>")
	for _, k := range Kinds {
		drawn := slices.Contains([]string{"samples", "pareto", "sparsity"}, k.Name)
		if strings.Contains(missing, k.Name+" ("+html.EscapeString(k.Needs)+")") == drawn {
			t.Errorf("%s is said to be missing: %v", k.Name, !drawn)
		}
	}
}

// Twenty series are drawn in panels of the same axes, each series in one of them.
func TestPanels(t *testing.T) {
	f := newFigure("nll-samples", "NLL", "K", "nll", "Means.")
	f.reference = &series{label: "floor", points: points{{x: 1, y: 0}, {x: 2, y: 0}}}
	for i := range 20 {
		f.line(look{method: i}, fmt.Sprint("method ", i), points{{x: 1, y: float64(i)}, {x: 2, y: float64(i) + 1, spread: 0.5}}, true)
	}
	panels, err := f.panels()
	if err != nil || len(panels) != 3 {
		t.Fatalf("%d panels, %v", len(panels), err)
	}
	seen := map[string]int{}
	for i, p := range panels {
		if x, y := p.plot.X, p.plot.Y; x.Min != 1 || x.Max != 2 || y.Min != 0 || y.Max != 20.5 || x.Label.Text != "K" {
			t.Errorf("axes %g..%g, %g..%g, %s", x.Min, x.Max, y.Min, y.Max, x.Label.Text)
		}
		if want := fmt.Sprintf("NLL (%d of 3)", i+1); p.Title != want {
			t.Errorf("title %s, want %s", p.Title, want)
		}
		for _, e := range p.legend {
			seen[e.label]++
		}
		if _, err := p.Inline(); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 21 || seen["floor"] != 3 || seen["method 7"] != 1 {
		t.Errorf("legends %v", seen)
	}
}
