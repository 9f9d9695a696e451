package report

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"bayesbench/results"
)

// hardNumbers are those at which axes, ticks and formats go wrong.
var hardNumbers = []float64{0, 1, -1, 0.5, 1e-3, 12345, 1e300, -1e300, 1.7e308, -1.7e308, 1e-300, 5e-324, 1e-310,
	math.Inf(1), math.Inf(-1), math.NaN(), 1e17, 1e17 + 32, math.Nextafter(1, 2), 1e7, 9007199254740993}

// hardNumber is one of them, or any number of any size.
func hardNumber(r *rand.Rand) float64 {
	if r.IntN(2) == 0 {
		return hardNumbers[r.IntN(len(hardNumbers))]
	}
	v := math.Pow(10, 600*r.Float64()-300)
	if r.IntN(4) == 0 {
		v = -v
	}
	return v
}

// An axis of whatever values has a finite range with a width and a few ticks in it, whose labels
// differ and are short.
func TestAxesAreBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range []axis{{}, {whole: true}, {zero: true}, {base: 2, whole: true}, {base: 10}, {base: 10, whole: true}} {
		for n := range 3000 {
			var values []float64
			for range 1 + n%4 {
				v := hardNumber(r)
				if n%3 == 0 && len(values) > 0 {
					v = values[0] // all equal
				}
				if a.bears(v) {
					values = append(values, v)
				}
			}
			if len(values) == 0 {
				continue
			}
			p := plot.New()
			p.X.Min, p.X.Max = slices.Min(values), slices.Max(values)
			a.fit(&p.X)
			width := p.X.Max - p.X.Min
			if !(p.X.Min <= slices.Min(values) && slices.Max(values) <= p.X.Max) || !(width > 0) || math.IsInf(width, 0) {
				t.Fatalf("%+v of %v: from %v to %v", a, values, p.X.Min, p.X.Max)
			}
			for _, v := range values {
				if at := p.X.Norm(v); !(at >= 0 && at <= 1) {
					t.Fatalf("%+v of %v: %v lies at %v", a, values, v, at)
				}
			}
			ticks := p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max)
			if len(ticks) > mostTicks || !a.whole && len(ticks) < 2 {
				t.Fatalf("%+v of %v, %v to %v: %d ticks", a, values, p.X.Min, p.X.Max, len(ticks))
			}
			seen := map[string]bool{}
			for _, tick := range ticks {
				if seen[tick.Label] || len(tick.Label) > 20 {
					t.Fatalf("%+v of %v: labels %v", a, values, ticks)
				}
				seen[tick.Label] = true
			}
		}
	}
	// The tickers alone, whatever they are asked.
	for _, ticker := range []plot.Ticker{ticker{}, ticker{whole: true}, logTicker{base: 2}, logTicker{base: 10}} {
		for _, low := range hardNumbers {
			for _, high := range hardNumbers {
				if n := len(ticker.Ticks(low, high)); n > mostTicks {
					t.Errorf("%v to %v: %d ticks", low, high, n)
				}
			}
		}
	}
}

// hardSet is results of a few methods whose values, K and severities are hard numbers, with their
// jobs.
func hardSet(r *rand.Rand, methods int) Data {
	d := Data{Set: results.Set{Units: demoUnits}}
	value := func() float64 { // a record holds no NaN
		for {
			if v := hardNumber(r); !math.IsNaN(v) {
				return v
			}
		}
	}
	same := r.IntN(3) == 0
	fixed := value()
	for m := range methods {
		job := results.JobResult{ID: fmt.Sprint("job-", m), Units: demoUnits,
			Curve: results.Curve{Columns: []string{"step", "epoch", "loss", "test-nll", "test-error", "sparsity"}}}
		base := results.Record{Data: "mnist", Model: "m", Method: fmt.Sprint("method-", m), Backend: "gonum",
			Config: []results.Pair{{Key: "seed", Value: fmt.Sprint(r.IntN(2))}}}
		ks := map[int]bool{1: true}
		for range r.IntN(3) {
			ks[1+r.IntN(math.MaxInt32)] = true
		}
		for k := range ks {
			rec := base
			rec.Samples = k
			for _, unit := range []string{"error", "nll", "ece15-lorc", "predict-sec/example"} {
				v := value()
				if same {
					v = fixed
				}
				rec.Values = append(rec.Values, results.Value{Unit: unit, Value: v})
			}
			job.Records = append(job.Records, rec)
		}
		shifted := base
		shifted.Samples, shifted.Values = 1, []results.Value{{Unit: "nll", Value: value()}, {Unit: "error", Value: value()}}
		shifted.Sweep = []results.Pair{{Key: "corruption", Value: "fog"}, {Key: "severity", Value: fmt.Sprint(hardNumber(r))}}
		layer := base
		layer.Values = []results.Value{{Unit: "sparsity", Value: value()}}
		layer.Sweep = []results.Pair{{Key: "layer", Value: fmt.Sprint("fc", r.IntN(3))}}
		job.Records = append(job.Records, shifted, layer)
		for range 3 {
			job.Curve.Append(hardNumber(r), hardNumber(r), hardNumber(r), hardNumber(r), hardNumber(r), hardNumber(r))
		}
		job.Details = results.Details{
			Reliability: []results.Reliability{{Samples: 1, Bins: []results.Bin{{Count: 20, Confidence: value(), Accuracy: value()}}}},
			RiskCover:   []results.RiskCover{{Samples: 1, Coverage: []float64{value(), 1}, Risk: []float64{value(), value()}}},
			Coverage:    []results.Coverage{{Samples: 1, Targets: r.IntN(9), Levels: []float64{value(), value()}, Shares: []float64{value(), value()}}},
			Histograms: []results.Histogram{
				{Quantity: "entropy", Data: "mnist", Samples: 1, Edges: []float64{value(), value(), value()}, Counts: []int{r.IntN(9), r.IntN(9)}},
				{Quantity: "residual", Data: "mnist", Samples: 1, Edges: []float64{value(), value(), value()}, Counts: []int{r.IntN(9), r.IntN(9)}},
			},
		}
		d.Jobs = append(d.Jobs, job)
		d.Set.Records = append(d.Set.Records, job.Records...)
	}
	return d
}

// Figures and pages of any numbers are drawn, and no drawing holds a coordinate that is not a
// number.
func TestFiguresOfHardNumbers(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for n := range rounds {
		d := hardSet(rand.New(rand.NewPCG(3, uint64(n))), 1+n%4)
		for _, k := range Kinds {
			figures, err := Draw(d, k.Name, Query{})
			if err != nil {
				t.Fatalf("round %d, %s: %v", n, k.Name, err)
			}
			for _, f := range figures {
				svg, err := f.Inline()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(svg, `"NaN`) || strings.Contains(svg, "NaN,") || strings.Contains(svg, "Inf,") || len(svg) > 1<<20 {
					t.Errorf("round %d, %s: %d bytes\n%.2000s", n, f.Name, len(svg), svg)
				}
			}
		}
		if n%10 == 0 {
			if err := WriteHTML(new(bytes.Buffer), d, Query{}); err != nil {
				t.Errorf("round %d: %v", n, err)
			}
		}
	}
}

// Every K is 1, as in results of deterministic networks alone.
func TestFiguresOfOneValue(t *testing.T) {
	set := results.Set{Units: demoUnits, Records: []results.Record{
		record("a", "0", 1, results.Value{Unit: "nll", Value: 0.5}, results.Value{Unit: "error", Value: 0.5}, results.Value{Unit: "predict-sec/example", Value: 1e-5})}}
	for kind, want := range map[string]int{"samples": 1, "pareto": 1, "shift": 0} {
		figures, err := Draw(Data{Set: set}, kind, Query{})
		if err != nil || len(figures) != want {
			t.Errorf("%s: %d figures, %v", kind, len(figures), err)
		}
	}
}

// Thousands of methods, layers and points have a page of bounded size, which says what is left out.
func TestPagesAreBounded(t *testing.T) {
	methods := 3000 // and as many K, which are more cells than are made
	if testing.Short() {
		methods = 1200
	}
	set := results.Set{Units: demoUnits}
	for m := range methods {
		name := fmt.Sprint("method-", m)
		layer := record(name, "0", 0, results.Value{Unit: "sparsity", Value: 0.5})
		layer.Sweep = []results.Pair{{Key: "layer", Value: fmt.Sprint("fc", m%80)}}
		set.Records = append(set.Records, record(name, "0", 1, results.Value{Unit: "nll", Value: float64(m)}), layer)
	}
	d := Data{Set: set}
	for kind, most := range map[string]int{"samples": mostSeries/perPanel + 1, "sparsity": 1} {
		figures, err := Draw(d, kind, Query{})
		if err != nil || len(figures) == 0 || len(figures) > most {
			t.Fatalf("%s: %d figures, %v", kind, len(figures), err)
		}
		if !strings.Contains(figures[0].Caption, "more are left out") {
			t.Errorf("%s: %s", kind, figures[0].Caption)
		}
		for _, f := range figures {
			if svg, err := f.Inline(); err != nil || len(svg) > 4<<20 {
				t.Errorf("%s: %d bytes, %v", f.Name, len(svg), err)
			}
		}
	}
	// A table of each method's own K would have the square of their number of cells. The page says
	// so and has the rest.
	for i := range set.Records {
		if r := &set.Records[i]; r.Samples > 0 {
			r.Samples = 1 + i
		}
	}
	if _, err := Draw(d, "samples", Query{}); err == nil || !strings.Contains(err.Error(), "keep fewer with -filter") {
		t.Errorf("error %v", err)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, d, Query{}); err != nil || !strings.Contains(page.String(), "samples (1 table to one with") || page.Len() > 32<<20 {
		t.Errorf("a page of %d bytes, %v", page.Len(), err)
	}
	f := newFigure("long", "", "", "", "")
	long := make(points, 1_000_000)
	for i := range long {
		long[i] = point{x: float64(i), y: 1}
	}
	f.line(look{}, strings.Repeat("long ", 1000), long, false)
	s := f.series[0]
	if n := len(s.points); n > mostPoints+1 || s.points[n-1].x != 999_999 || s.points[0].x != 0 || len([]rune(s.label)) > longestLabel {
		t.Errorf("%d points to %v, label of %d", n, s.points[n-1], len(s.label))
	}
	if _, err := f.panels(); err != nil || !strings.Contains(f.Caption, "evenly spaced") {
		t.Error(f.Caption, err)
	}
}

// A details file whose lists do not fit together never comes to the figures: TestDetailsFit of
// package results. Curves without an epoch or a step are left out.
func TestCurveWithoutSteps(t *testing.T) {
	curve := results.Curve{Columns: []string{"loss"}}
	curve.Append(1)
	if ps := meanCurve([]results.JobResult{{Curve: curve}}, "epoch", "loss"); len(ps) > 0 {
		t.Error(ps)
	}
}
