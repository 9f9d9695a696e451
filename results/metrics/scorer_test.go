package metrics

import (
	"math"
	"testing"
)

// A scorer takes a predict program's results in the unit of the program, and scores and teaches as
// if they had come in the unit of the targets.
func TestGaussianScorerScales(t *testing.T) {
	s, err := ScorerOf("gaussian")
	if err != nil {
		t.Fatal(err)
	}
	truth := Truth{Inputs: 3, Columns: 2, Targets: []float64{10, -3, 12, -1, 8, -2}, Scales: []Scale{{10, 2}, {-2, 0.5}}}
	r, err := s.Open(truth)
	if err != nil {
		t.Fatal(err)
	}
	mean := []float32{0, -1.5, 1.25, 1, -0.5, 0.25}
	logVar := []float32{0.5, -1, 0.25, 0, -0.75, 0.125}
	want := make([]float64, 3)
	for i, m := range mean {
		sc := truth.Scales[i%2]
		mu, v := sc.Mean+sc.SD*float64(m), sc.SD*sc.SD*math.Exp(float64(logVar[i]))
		off := truth.Targets[i] - mu
		want[i/2] += -0.5*math.Log(2*math.Pi*v) - off*off/(2*v)
	}
	// In two batches, as a loader cuts them.
	var got []float64
	for _, cut := range [][2]int{{0, 4}, {4, 6}} {
		ll, err := r.Add(func(name string) []float32 {
			return map[string][]float32{"mean": mean, "log_var": logVar}[name][cut[0]:cut[1]]
		})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ll...)
	}
	nll := 0.0
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-12 {
			t.Errorf("log p of input %d is %v, want %v", i, got[i], w)
		}
		nll -= w / 3
	}
	e, err := r.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	scores, err := e.Score()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, v := range scores {
		if v.Unit == "nll" {
			found = true
			if math.Abs(v.Value-nll) > 1e-12 {
				t.Errorf("nll %v, want %v", v.Value, nll)
			}
		}
	}
	if !found {
		t.Error("no nll")
	}
	taught := e.Taught()
	for i, m := range mean {
		row, c := i/2, i%2
		if x := taught[row*4+c]; math.Abs(x-float64(m)) > 1e-12 {
			t.Errorf("taught mean %d of input %d is %v, want %v", c, row, x, m)
		}
		if x, v := taught[row*4+2+c], math.Exp(float64(logVar[i])); math.Abs(x-v) > 1e-12 {
			t.Errorf("taught variance %d of input %d is %v, want %v", c, row, x, v)
		}
	}
}

// A class is a 1 among zeros, and each likelihood has a scorer whose headline are metrics of its
// kind.
func TestScorers(t *testing.T) {
	c, err := ScorerOf("categorical")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(Truth{Inputs: 2, Columns: 2, Targets: []float64{0, 1, 0.5, 0.5}}); err == nil {
		t.Error("half a class is taken")
	}
	if _, err := ScorerOf("laplace"); err == nil {
		t.Error("a likelihood without metrics has a scorer")
	}
	for name, s := range scorers {
		if len(s.Headline()) < 2 {
			t.Errorf("%s: want two metrics or more that are looked at first, found %q", name, s.Headline())
		}
		for _, unit := range s.Headline() {
			if _, ok := Lookup(unit); !ok {
				t.Errorf("%s: no metric %q", name, unit)
			}
		}
	}
}
