package fit_test

import (
	"errors"
	"math"
	"testing"

	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/key"
	"bayesbench/methods/task"
)

// job has 20 epochs of 10 steps.
func job(t methods.Train) methods.Job {
	return methods.Job{Task: task.Task{Examples: 105}, Batch: 10, Epochs: 20, Train: t}
}

// Epochs become steps: a warm-up of 1.5 epochs, then drops after the epochs that the suite names,
// or after half and three quarters of all.
func TestLearningRateInEpochs(t *testing.T) {
	for _, c := range []struct {
		name  string
		train methods.Train
		rates map[int]float64
	}{
		{"milestones", methods.Train{LR: 1, Schedule: "step", Milestones: []float64{2, 7.25}, Gamma: 0.5}, map[int]float64{0: 1, 19: 1, 20: 0.5, 71: 0.5, 73: 0.25, 199: 0.25}},
		{"none said", methods.Train{LR: 1, Schedule: "step"}, map[int]float64{99: 1, 100: 0.1, 149: 0.1, 150: 0.01}},
		{"after a warm-up", methods.Train{LR: 1, Schedule: "step", Milestones: []float64{2}, Warmup: 1.5}, map[int]float64{0: 1. / 15, 13: 14. / 15, 14: 1, 19: 1, 20: 0.1}},
		{"a cosine after a warm-up", methods.Train{LR: 1, Schedule: "cosine", Warmup: 10}, map[int]float64{49: 0.5, 100: 1, 150: 0.5}},
	} {
		lr, err := fit.LearningRate(job(c.train))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for step, want := range c.rates {
			if got := lr.At(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: rate %v at step %d, want %v", c.name, got, step, want)
			}
		}
	}
}

func TestLearningRateRefused(t *testing.T) {
	for _, c := range []struct {
		key   string
		train methods.Train
	}{
		{"train.warmup", methods.Train{Warmup: 20}},
		{"train.warmup", methods.Train{Warmup: -1}},
		{"train.warmup", methods.Train{Warmup: math.NaN()}},
		{"train.milestones", methods.Train{Milestones: []float64{5}}},
		{"train.gamma", methods.Train{Schedule: "cosine", Gamma: 0.5}},
		{"train.gamma", methods.Train{Schedule: "step", Gamma: 1}},
		{"train.milestones", methods.Train{Schedule: "step", Milestones: []float64{5, 5}}},
		{"train.milestones", methods.Train{Schedule: "step", Milestones: []float64{5, 20}}},
		{"train.milestones", methods.Train{Schedule: "step", Milestones: []float64{math.NaN()}}},
		{"train.milestones", methods.Train{Schedule: "step", Milestones: []float64{2}, Warmup: 3}},
		{"train.schedule", methods.Train{Schedule: "plateau"}},
	} {
		var bad *key.Error
		if lr, err := fit.LearningRate(job(c.train)); !errors.As(err, &bad) || bad.Key != c.key {
			t.Errorf("%+v: %+v, %v; want an error of %s", c.train, lr, err, c.key)
		}
	}
}
