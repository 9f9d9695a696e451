package bench

import (
	"math"
	"math/rand/v2"
	"testing"

	"bayesbench/results/metrics"
)

// Samples come from the chains in turn, in batches; the worst of what the
// metrics say of each function value is reported.
func TestChains(t *testing.T) {
	const members, draws, rows = 3, 12, 130
	random := rand.New(rand.NewPCG(5, 5))
	functions := make([][][]float64, watched+1)
	for f := range functions {
		functions[f] = make([][]float64, members)
	}
	c := newChains(members, rows)
	for k := range members * draws {
		logLik := make([]float64, rows)
		mean := 0.0
		for i := range rows {
			x := -random.ExpFloat64()
			logLik[i] = x
			mean += x / rows
			if i < watched {
				functions[i][k%members] = append(functions[i][k%members], x)
			}
		}
		functions[watched][k%members] = append(functions[watched][k%members], mean)
		const cut = 47
		c.add(k, 0, logLik[:cut])
		c.add(k, cut, logLik[cut:])
	}
	scores, err := c.score(2)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"rhat": 0, "ess_bulk": math.Inf(1), "ess_tail": math.Inf(1)}
	for _, chains := range functions {
		r, _ := metrics.RHat(chains)
		bulk, _ := metrics.ESSBulk(chains)
		tail, _ := metrics.ESSTail(chains)
		want["rhat"], want["ess_bulk"], want["ess_tail"] = max(want["rhat"], r), min(want["ess_bulk"], bulk), min(want["ess_tail"], tail)
	}
	want["ess_bulk/s"] = want["ess_bulk"] / 2
	if len(scores) != len(want) {
		t.Errorf("%d scores, want %d", len(scores), len(want))
	}
	for _, s := range scores {
		if math.Abs(s.Value-want[s.Unit]) > 1e-6*want[s.Unit] {
			t.Errorf("%s is %v, want %v", s.Unit, s.Value, want[s.Unit])
		}
	}
}

func TestFewDraws(t *testing.T) {
	c := newChains(1, 1)
	for k := range metrics.FewestDraws - 1 {
		c.add(k, 0, []float64{-1})
	}
	if scores, err := c.score(0); err != nil || scores != nil {
		t.Errorf("%v, %v, want nothing", scores, err)
	}
}
