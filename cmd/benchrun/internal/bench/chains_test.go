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
	const members, draws, rows, classes = 3, 12, 130, 4
	random := rand.New(rand.NewPCG(5, 5))
	truth := make([]int, rows)
	for i := range truth {
		truth[i] = random.IntN(classes)
	}
	functions := make([][][]float64, watched+1)
	for f := range functions {
		functions[f] = make([][]float64, members)
	}
	c := newChains(members, classes, truth)
	for k := range members * draws {
		logp := make([]float32, rows*classes)
		mean := 0.0
		for i := range rows {
			for class := range classes {
				logp[i*classes+class] = float32(-random.ExpFloat64())
			}
			x := float64(logp[i*classes+truth[i]])
			mean += x / rows
			if i < watched {
				functions[i][k%members] = append(functions[i][k%members], x)
			}
		}
		functions[watched][k%members] = append(functions[watched][k%members], mean)
		const cut = 47 * classes
		c.add(k, 0, logp[:cut])
		c.add(k, 47, logp[cut:])
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
	c := newChains(1, 2, []int{0})
	for k := range metrics.FewestDraws - 1 {
		c.add(k, 0, []float32{-1, -2})
	}
	if scores, err := c.score(0); err != nil || scores != nil {
		t.Errorf("%v, %v, want nothing", scores, err)
	}
}
