package deterministic_test

import (
	"math"
	"testing"

	_ "bayesbench/methods/all"
	"bayesbench/methods/methodtest"
	"bayesbench/methods/nn"
)

// Softmax regression under a Gaussian prior is strictly convex: at the MAP
// estimate Σ(p − y)xᵀ + w/σ² = 0.
func TestReachesTheMAP(t *testing.T) {
	j := methodtest.Toy()
	j.Epochs, j.Batch = 1500, j.Task.Examples
	j.Train.LR, j.Train.Schedule = 0.05, "linear"
	j.EvalBatch = j.Task.Examples
	d := methodtest.Blobs(j, j.Task.Examples)
	model, err := nn.Open("softmax-regression")
	if err != nil {
		t.Fatal(err)
	}
	f := methodtest.Trained(t, "deterministic", "prior_sigma = 0.7", model, j, d, 1)
	logp, err := f.LogProbs("mean", d, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 3 {
		for k := range 16 {
			g := float64(f.State["fc1.w"][c*16+k]) / (0.7 * 0.7)
			for i := range j.Task.Examples {
				g += (math.Exp(float64(logp[0][i*3+c])) - float64(d.Y[i*3+c])) * float64(d.X[i*16+k])
			}
			if math.Abs(g) > 1e-3 {
				t.Errorf("gradient of w[%d %d] is %v", c, k, g)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	methodtest.Refused(t, "deterministic", "prior_sigma = 0", "prior_sigma")
	methodtest.Refused(t, "deterministic", "prior_sigma = -inf", "prior_sigma")
	j := methodtest.Toy()
	for key, change := range map[string]func(){
		"train.optimizer": func() { j.Train.Optimizer = "adma" },
		"train.lr":        func() { j.Train.LR = -1 },
		"train.schedule":  func() { j.Train.Schedule = "stairs" },
		"train.momentum":  func() { j.Train.Momentum = 1; j.Train.Optimizer = "sgd" },
		"train.epochs":    func() { j.Epochs = 0 },
	} {
		j = methodtest.Toy()
		change()
		methodtest.RefusedFor(t, j, "deterministic", "", key)
	}
}
