package report

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// regressionData are the jobs of two methods on two splits of a set whose targets are quantiles of
// N(0, 1): one predicts N(0, 1), the other N(0, 4), which is too wide.
func regressionData(t *testing.T) Data {
	t.Helper()
	const n = 400
	d := Data{Set: results.Set{Units: results.Units{}}}
	for _, m := range metrics.List() {
		d.Set.Units[m.Unit] = results.Unit{Name: m.Unit, Better: m.Better}
	}
	y, mean := make([]float64, n), make([]float64, n)
	for i := range y {
		y[i] = distuv.UnitNormal.Quantile((float64(i) + 0.5) / n)
	}
	for method, variance := range map[string]float64{"right": 1, "wide": 4} {
		for split := range 2 {
			g, err := metrics.NewGaussian(n, 1, y)
			if err != nil {
				t.Fatal(err)
			}
			v := make([]float64, n)
			for i := range v {
				v[i] = variance
			}
			if err := g.Add(mean, v); err != nil {
				t.Fatal(err)
			}
			e, err := g.Evaluate()
			if err != nil {
				t.Fatal(err)
			}
			scores, err := e.Score()
			if err != nil {
				t.Fatal(err)
			}
			r := onSplit(method, "0", split, append(scores, results.Value{Unit: "predict-sec/example", Value: 1e-6})...)
			r.Data = "boston"
			d.Set.Records = append(d.Set.Records, r)
			d.Jobs = append(d.Jobs, results.JobResult{
				ID: fmt.Sprint(method, split), Records: []results.Record{r},
				Details: results.Details{
					Coverage:   []results.Coverage{e.Coverage()},
					Histograms: []results.Histogram{e.Residuals("boston")},
				},
			})
		}
	}
	return d
}

// The reliability of N(0, 1) is the diagonal, that of N(0, 4) lies above it, and both histograms of
// residuals are those of normal distributions.
func TestRegressionFigures(t *testing.T) {
	d := regressionData(t)
	coverage, err := Draw(d, "coverage", Query{})
	if err != nil {
		t.Fatal(err)
	}
	residuals, err := Draw(d, "residuals", Query{})
	if err != nil {
		t.Fatal(err)
	}
	if len(coverage) != 1 || len(residuals) != 1 || residuals[0].Name != "residuals-boston" {
		t.Fatalf("%d and %d figures", len(coverage), len(residuals))
	}
	for _, s := range coverage[0].series {
		sd := map[string]float64{"right": 1, "wide": 2}[s.label]
		for _, p := range s.points {
			want := 2*distuv.UnitNormal.CDF(sd*distuv.UnitNormal.Quantile((1+p.x)/2)) - 1
			if math.Abs(p.y-want) > 1./400 {
				t.Errorf("%s: %v of the targets in the interval of level %v, want %v", s.label, p.y, p.x, want)
			}
		}
	}
	for _, s := range residuals[0].series {
		sd := map[string]float64{"right": 1, "wide": 2}[s.label]
		total := 0.0
		for i := 0; i < len(s.points); i += 2 {
			lo, hi := s.points[i].x, s.points[i+1].x
			want := distuv.UnitNormal.CDF(sd*hi) - distuv.UnitNormal.CDF(sd*lo)
			if math.Abs(s.points[i].y-want) > 2./400 {
				t.Errorf("%s: %v of the residuals from %v to %v, want %v", s.label, s.points[i].y, lo, hi, want)
			}
			total += s.points[i].y
		}
		if math.Abs(total-1) > 1e-12 {
			t.Errorf("%s: the shares of residuals add up to %v", s.label, total)
		}
	}
	total := 0.0
	for i, p := range residuals[0].reference.points {
		if i%2 == 0 {
			total += p.y
		}
	}
	if math.Abs(total-1) > 1e-12 {
		t.Errorf("the shares of N(0, 1) add up to %v", total)
	}
	for _, f := range append(coverage, residuals...) {
		var svg bytes.Buffer
		if err := f.Write(&svg, "svg"); err != nil {
			t.Fatal(err)
		}
		wellFormed(t, svg.String())
		for _, want := range []string{">right<", ">wide<"} {
			if !strings.Contains(svg.String(), want) {
				t.Errorf("%s: no %s in the legend", f.Name, want)
			}
		}
	}
}

// The test over points is one of classes, and says so.
func TestPointsOfRegression(t *testing.T) {
	if _, err := BuildPoints(regressionData(t), Query{Baseline: "right"}); err == nil || !strings.Contains(err.Error(), "these jobs predict numbers: compare methods over splits") {
		t.Errorf("%v", err)
	}
}

// A table that names no metrics shows those of the kind of prediction, RMSE first, and a set of
// classes beside it has its own.
func TestRegressionHeadline(t *testing.T) {
	d := regressionData(t)
	heads := func(table Table) (heads []string) {
		for _, c := range table.Columns {
			heads = append(heads, c.Unit)
		}
		return heads
	}
	table := build(t, d.Set, Query{Baseline: "right"})[0]
	if got := strings.Join(heads(table), " "); got != "rmse nll crps qce15" {
		t.Errorf("columns %s", got)
	}
	byNLL := build(t, d.Set, Query{Baseline: "right", Primary: "nll"})[0] // in RMSE they are equal
	if notes := strings.Join(byNLL.Notes, " "); !strings.Contains(notes, "Too few splits for a verdict") || strings.Contains(notes, "points") {
		t.Errorf("notes %s", notes)
	}
	if table.primary != "rmse" || table.Over != "splits" {
		t.Errorf("primary metric %s, over %s", table.primary, table.Over)
	}
	d.Set.Records = append(d.Set.Records, record("right", "0", 1, results.Value{Unit: "error", Value: 0.1}, results.Value{Unit: "nll", Value: 0.2}))
	tables := build(t, d.Set, Query{})
	if len(tables) != 2 || strings.Join(heads(tables[0]), " ") != "rmse nll crps qce15" || strings.Join(heads(tables[1]), " ") != "error nll" {
		t.Errorf("%d tables, columns %v", len(tables), heads(tables[0]))
	}
	for kind, names := range map[string]string{"samples": "[nll-samples rmse-samples crps-samples]", "pareto": "[pareto]"} {
		figures, err := Draw(regressionData(t), kind, Query{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range figures {
			got = append(got, f.Name)
		}
		if fmt.Sprint(got) != names {
			t.Errorf("%s: figures %v, want %s", kind, got, names)
		}
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, regressionData(t), Query{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"coverage of central intervals", "residuals on boston"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q on the page", want)
		}
	}
}
