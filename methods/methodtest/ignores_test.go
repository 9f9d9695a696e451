package methodtest_test

import (
	"slices"
	"testing"

	"bayesbench/methods"
	"bayesbench/methods/methodtest"
)

// A method's plan depends on the keys of [train] that it does not ignore, and on no other.
func TestIgnores(t *testing.T) {
	base := methodtest.Toy()
	base.Train = methods.Train{Optimizer: "sgd", LR: 0.02, Momentum: 0.5, Schedule: "constant"}
	changes := map[string]func(j *methods.Job){
		"epochs":    func(j *methods.Job) { j.Epochs-- },
		"optimizer": func(j *methods.Job) { j.Train.Optimizer, j.Train.Momentum = "adam", 0 },
		"lr":        func(j *methods.Job) { j.Train.LR *= 2 },
		"momentum":  func(j *methods.Job) { j.Train.Momentum = 0.9 },
		"schedule":  func(j *methods.Job) { j.Train.Schedule = "linear" },
		"nesterov":  func(j *methods.Job) { j.Train.Nesterov = true },
		"clip_norm": func(j *methods.Job) { j.Train.ClipNorm = 1 },
		"warmup":    func(j *methods.Job) { j.Train.Warmup = 1 },

		"milestones":   func(j *methods.Job) { j.Train.Milestones = []float64{1} },
		"gamma":        func(j *methods.Job) { j.Train.Gamma = 0.5 },
		"weight_decay": func(j *methods.Job) { j.Train.WeightDecay = 0.1 },
	}
	for _, d := range methods.Drivers() {
		m, err := methodtest.New(d.Name, keys[d.Name])
		if err != nil {
			t.Fatal(err)
		}
		hash := func(j methods.Job) (string, error) {
			plan, err := m.Plan(methodtest.MLP, j)
			if err != nil {
				return "", err
			}
			return plan.Hash()
		}
		of, err := hash(base)
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		for _, k := range methods.TrainKeys {
			j, of := base, of
			if k == "milestones" || k == "gamma" { // which one schedule has
				j.Train.Schedule = "step"
				of, _ = hash(j)
			}
			changes[k](&j)
			got, err := hash(j)
			reads := err != nil || got != of // snapshots refuse a schedule, which is to read it
			if ignores := slices.Contains(d.Ignores, k); ignores == reads {
				t.Errorf("%s: ignores %s: %v, and its plan depends on it: %v", d.Name, k, ignores, reads)
			}
		}
		for _, k := range d.Ignores {
			if !slices.Contains(methods.TrainKeys, k) {
				t.Errorf("%s ignores %q, which is none of %q", d.Name, k, methods.TrainKeys)
			}
		}
	}
}
