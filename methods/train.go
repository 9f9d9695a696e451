package methods

import (
	"cmp"

	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// Train is the suite's [train] table as far as methods care: how a method
// that minimises a loss does so. A field that is zero has its default.
type Train struct {
	Optimizer string  // one of [optim.Names]
	LR        float64 // the largest learning rate; default 1e-3
	Momentum  float64 // of sgd; default 0
	Schedule  string  // of the learning rate, over all epochs: one of [schedule.Rates]
}

// WithDefaults is the table with a value for every key.
func (t Train) WithDefaults() Train {
	return Train{
		Optimizer: cmp.Or(t.Optimizer, optim.Names()[0]),
		LR:        cmp.Or(t.LR, 1e-3),
		Momentum:  t.Momentum,
		Schedule:  cmp.Or(t.Schedule, schedule.Rates()[0]),
	}
}
