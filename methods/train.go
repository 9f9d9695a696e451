package methods

import (
	"cmp"

	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// Train is the suite's [train] table as far as methods care: how a method
// that minimises a loss does so. A field that is zero has its default.
type Train struct {
	Optimizer   string  // one of [optim.Names]
	LR          float64 // the largest learning rate; default 1e-3
	Momentum    float64 // of sgd; default 0
	Nesterov    bool    // of sgd with momentum
	WeightDecay float64 // beside the method's prior, see [optim.Keys]; default 0
	ClipNorm    float64 // the largest norm of the gradient; 0 clips nothing
	Schedule    string  // of the learning rate, over all epochs: one of [schedule.Rates]
	// Milestones are the epochs after which the schedule "step" multiplies the rate by Gamma;
	// default half and three quarters of all.
	Milestones []float64
	Gamma      float64 // of the schedule "step"; default 0.1
	Warmup     float64 // epochs in which the rate rises before the schedule begins; default 0
}

// WithDefaults is the table with a value for every key but those of the schedule "step", which only
// that schedule has.
func (t Train) WithDefaults() Train {
	t.Optimizer = cmp.Or(t.Optimizer, optim.Names()[0])
	t.LR = cmp.Or(t.LR, 1e-3)
	t.Schedule = cmp.Or(t.Schedule, schedule.Rates()[0])
	return t
}

// Update are the keys of the optimiser.
func (t Train) Update() optim.Keys {
	return optim.Keys{
		Optimizer: t.Optimizer, Momentum: t.Momentum, Nesterov: t.Nesterov,
		WeightDecay: t.WeightDecay, ClipNorm: t.ClipNorm,
	}
}
