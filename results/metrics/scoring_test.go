package metrics

import (
	"testing"

	"bayesbench/results"
)

// What several metrics of one evaluation share is computed once: each score of a detection is
// ranked once for its six metrics, and inputs are binned once for ECE, MCE and RMSCE.
func TestSharedWorkIsDoneOnce(t *testing.T) {
	e := twoClass(t, []float64{.9, .8, .7, .6}, []bool{true, true, false, true})
	ranked := 0
	counting := uncertaintyScore{"test", "a test", func(e *Evaluation) []float64 {
		ranked++
		return MaxProbScore(e)
	}}
	s := newScoring(e, e)
	all := detectionMetrics("test", "the same inputs", counting)
	for _, m := range all {
		m.compute(s)
	}
	if len(all) != 6 || ranked != 2 { // once for either side
		t.Errorf("%d metrics asked %d times for scores, want 6 and 2", len(all), ranked)
	}

	binned, bins := 0, s.bins
	s.bins = func() []results.Bin {
		binned++
		return bins()
	}
	diagrams := map[*results.Bin]bool{}
	for _, f := range []func([]results.Bin) float64{ECE, MCE, RMSCE} {
		ofBins(func(b []results.Bin) float64 {
			diagrams[&b[0]] = true
			return f(b)
		})(s)
	}
	if binned != 3 || len(diagrams) != 1 {
		t.Errorf("%d diagrams were given to %d metrics, want one to 3", len(diagrams), binned)
	}
}

// What figures show of predictions of numbers is stored: coverage at every number of samples, the
// residuals and the spread of the last.
func TestGaussianDiagrams(t *testing.T) {
	p := drawn(3, 30, 2, 5)
	e := judgedNumbers{p.evaluate(t, 7), Truth{Inputs: 30, Columns: 2, Targets: p.y}}
	var d results.Details
	e.Diagrams(&d, "set", false)
	if len(d.Coverage) != 1 || d.Coverage[0].Targets != 60 || d.Coverage[0].Samples != 3 || len(d.Histograms) != 0 {
		t.Errorf("on the way: %d coverages, %d histograms", len(d.Coverage), len(d.Histograms))
	}
	e.Diagrams(&d, "set", true)
	if len(d.Coverage) != 2 || len(d.Histograms) != 2 || d.Histograms[0].Quantity != "residual" {
		t.Fatalf("at the end: %d coverages, %+v", len(d.Coverage), d.Histograms)
	}
	for i, want := range []int{60, 30} { // targets, inputs
		total := 0
		for _, n := range d.Histograms[i].Counts {
			total += n
		}
		if total != want || d.Histograms[i].Data != "set" {
			t.Errorf("%s on %s counts %d, want %d", d.Histograms[i].Quantity, d.Histograms[i].Data, total, want)
		}
	}
}
