package methodtest_test

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	"bayesbench/methods/methodtest"
)

// Under each of the keys of [train] a training of forty steps is on every backend that of ref: of a
// point estimate, and of a posterior whose spreads do not decay.
func TestTrajectoriesOfKeys(t *testing.T) {
	trains := []methods.Train{
		{Optimizer: "adamw", LR: 0.02, WeightDecay: 0.1, ClipNorm: 0.5, Schedule: "cosine", Warmup: 2},
		{Optimizer: "sgd", LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01, ClipNorm: 1, Schedule: "step", Milestones: []float64{4, 7.5}, Gamma: 0.3, Warmup: 1},
		{Optimizer: "rmsprop", LR: 0.01, WeightDecay: 0.05, Schedule: "step"},
	}
	fit := func(t *testing.T, be backends.Backend, name string, train methods.Train) *methodtest.Fitted {
		t.Helper()
		m, err := methodtest.New(name, keys[name])
		if err != nil {
			t.Fatal(err)
		}
		j := methodtest.Toy()
		j.Epochs, j.Train = 10, train
		f, err := methodtest.Fit(be, m, methodtest.ConvNet, j, methodtest.Examples(j), 5)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	names := []string{"deterministic", "ffg"}
	want := map[string][]*methodtest.Fitted{}
	for _, name := range names {
		for _, train := range trains {
			want[name] = append(want[name], fit(t, ref.New(), name, train))
		}
	}
	for _, driver := range backends.Drivers() {
		for _, config := range driver.Configs {
			if config == "ref" {
				continue
			}
			t.Run(config, func(t *testing.T) {
				be, err := backends.Open(config)
				if err != nil {
					t.Skip(err) // says which plugin is missing
				}
				defer be.Close()
				for _, name := range names {
					for i, train := range trains {
						if err := methodtest.Same(fit(t, be, name, train), want[name][i], plain); err != nil {
							t.Errorf("%s, %s: %v", name, train.Optimizer, err)
						}
					}
				}
			})
		}
	}
}
