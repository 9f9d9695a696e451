package sgmcmc

import (
	"fmt"

	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "csgmcmc",
		Description: "cyclical SG-MCMC (Zhang et al. 2020)",
		Ignores:     methods.LossKeys,
		New: func(p methods.Params) (methods.Method, error) {
			m := Cyclical{
				Chain:    Chain{LR: 0.1, PriorSigma: 1, Temperature: 1, Samples: 3, Init: nn.Glorot},
				Friction: 0.1, Cycles: 4, Exploration: 0.8,
			}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if err := m.Chain.check(); err != nil {
				return nil, err
			}
			switch {
			case m.Cycles < 1:
				return nil, methods.BadKey("cycles", m.Cycles, "1 or more")
			case !(m.Exploration >= 0 && m.Exploration < 1):
				return nil, methods.BadKey("exploration", m.Exploration, "a fraction in [0, 1)")
			}
			return m, checkFriction(m.Friction)
		},
	})
}

// Cyclical is SGHMC (SGLD with friction 1) under a learning rate that restarts,
//
//	η_t = lr/2·(cos(π·(t mod L)/L) + 1),  L = ⌈steps/cycles⌉
//
// The first part of a cycle explores without noise, the rest samples at
// temperature T; there the chain keeps `samples` states of each cycle, evenly
// spaced. Zhang et al., "Cyclical stochastic gradient MCMC for Bayesian deep
// learning", ICLR 2020, eq. 1 and algorithm 1; 4 cycles of 3 samples are
// theirs on CIFAR, exploration 0.8 is theirs.
type Cyclical struct {
	Chain               // Samples is per cycle
	Friction    float64 `toml:"friction"`
	Cycles      int     `toml:"cycles"`
	Exploration float64 `toml:"exploration"` // β, fraction of a cycle
}

func (m Cyclical) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if m.Cycles > j.Epochs {
		return nil, methods.BadKey("cycles", m.Cycles, fmt.Sprintf("no more than the %d epochs of the training", j.Epochs))
	}
	steps := j.Steps()
	length := (steps + m.Cycles - 1) / m.Cycles
	first := int(m.Exploration * float64(length))
	// The last cycle is the shortest.
	sampling := steps - (m.Cycles-1)*length - first
	if sampling < 1 {
		return nil, methods.BadKey("cycles", m.Cycles, fmt.Sprintf("fewer in %d steps: the last one ends before it samples", steps))
	}
	if m.Samples > sampling {
		return nil, methods.BadKey("samples", m.Samples, fmt.Sprintf("no more than the %d sampling steps of the last cycle", sampling))
	}
	temperature := constant(m.Temperature)
	if !temperature.IsZero() {
		temperature = schedule.Late(m.Temperature, length, first)
	}
	keep := methods.Every{From: first, Period: length, Count: m.Samples}
	way := course{lr: schedule.Cyclic(m.LR, steps, m.Cycles), first: first, keep: keep}
	return m.Chain.plan(Langevin{m.Friction, temperature, j.Task.Examples}, way, model, j)
}
