package swag_test

import (
	"math"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, keys, key string }{
		{"swa", "collect = 0", "collect"},
		{"swa", "collect = 13", "collect"}, // 12 steps are left after start
		{"swa", "start = 12.0", "start"},
		{"swa", "lr = 0", "lr"},
		{"swa", "momentum = 1", "momentum"},
		{"swa", "prior_sigma = 0", "prior_sigma"},
		{"swag", "rank = 1", "rank"},
		{"swag", "rank = 5\ncollect = 4", "rank"},
	} {
		methodtest.Refused(t, c.name, c.keys, c.key)
	}
}

// While full batches pull towards the mode with a constant rate the collected networks come
// together there: SWA's network is the exact posterior's mode, and the Gaussian has no width.
func TestCollectsTheMode(t *testing.T) {
	l := methodtest.NewLinear(20, 2)
	l.Job.Epochs, l.Job.Train.LR = 3000, 0.05
	mean, _ := l.PosteriorWith([]float64{1, 1, math.Inf(1)}) // the prior is on the weights alone
	f := methodtest.Trained(t, "swag", "lr = 0.05\nmomentum = 0.5\ncollect = 10\nrank = 5", l.Model, l.Job, l.Data, 3)
	draws, err := f.Draws(0, "sample", l.Data, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		want := mean.AtVec(0)*float64(l.Data.X[2*n]) + mean.AtVec(1)*float64(l.Data.X[2*n+1]) + mean.AtVec(2)
		for _, draw := range draws {
			if y := float64(draw["mean"][n]); math.Abs(y-want) > 1e-3 {
				t.Errorf("example %d is predicted %v, by the mode %v", n, y, want)
			}
		}
	}
}
