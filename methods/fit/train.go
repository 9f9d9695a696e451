package fit

import (
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// Optimizer is the optimiser and learning rate of the suite's [train] table.
func Optimizer(j methods.Job) (optim.Optimizer, methods.Schedule, error) {
	lr, err := LearningRate(j)
	if err != nil {
		return nil, lr, err
	}
	t := j.Train.WithDefaults()
	opt, err := optim.Named(t.Optimizer, t.Momentum)
	return opt, lr, err
}

// LearningRate is the schedule of the suite's [train] table.
func LearningRate(j methods.Job) (methods.Schedule, error) {
	t, steps := j.Train.WithDefaults(), j.Steps()
	if steps < 1 {
		return methods.Schedule{}, methods.BadKey("train.epochs", j.Epochs, "at least one step (a batch no larger than the data, one epoch or more)")
	}
	if !(t.LR > 0) {
		return methods.Schedule{}, methods.BadKey("train.lr", t.LR, "a number above 0")
	}
	lr, ok := schedule.Rate(t.Schedule, t.LR, steps)
	if !ok {
		return lr, methods.BadKey("train.schedule", t.Schedule, fmt.Sprintf("one of %q", schedule.Rates()))
	}
	return lr, nil
}

// KLWeight is a method's keys for the weight of the KL in the objective: 0
// before epoch WarmupStart, then linear, and Weight from epoch WarmupEnd.
// Sønderby et al., "Ladder variational autoencoders", NIPS 2016; Molchanov et
// al. 2017.
type KLWeight struct {
	Weight      float64 `toml:"kl_weight"`
	WarmupStart float64 `toml:"warmup_start"` // epochs
	WarmupEnd   float64 `toml:"warmup_end"`   // epochs
}

// Check refuses what no job could run with.
func (w KLWeight) Check() error {
	switch {
	case !(w.Weight >= 0) || math.IsInf(w.Weight, 1):
		return methods.BadKey("kl_weight", w.Weight, "a finite number not below 0")
	case !(w.WarmupStart >= 0):
		return methods.BadKey("warmup_start", w.WarmupStart, "an epoch, 0 or later")
	case !(w.WarmupEnd >= w.WarmupStart):
		return methods.BadKey("warmup_end", w.WarmupEnd, "an epoch not before warmup_start")
	}
	return nil
}

// Schedule is the weight at each step of the job.
func (w KLWeight) Schedule(j methods.Job) (methods.Schedule, error) {
	if w.WarmupEnd > float64(j.Epochs) {
		return methods.Schedule{}, methods.BadKey("warmup_end", w.WarmupEnd, fmt.Sprintf("no more than the %d epochs of the training", j.Epochs))
	}
	perEpoch := float64(j.StepsPerEpoch())
	return schedule.WarmUp(w.Weight, w.WarmupStart*perEpoch, w.WarmupEnd*perEpoch), nil
}
