package sgmcmc

import (
	"fmt"
	"math"

	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
	"bayesbench/methods/schedule"
)

// Chain is the keys that the samplers share.
type Chain struct {
	LR          float64        `toml:"lr"` // η at the first step
	PriorSigma  float64        `toml:"prior_sigma"`
	Temperature float64        `toml:"temperature"` // T
	Samples     int            `toml:"samples"`     // states kept
	Init        nn.Initializer `toml:"init"`
}

func (c Chain) check() error {
	switch {
	case !(c.LR > 0) || math.IsInf(c.LR, 1):
		return methods.BadKey("lr", c.LR, "a finite number above 0")
	case !(c.PriorSigma > 0):
		return methods.BadKey("prior_sigma", c.PriorSigma, "a number above 0, or inf")
	case !(c.Temperature >= 0) || math.IsInf(c.Temperature, 1):
		return methods.BadKey("temperature", c.Temperature, "a finite number not below 0")
	case c.Samples < 1:
		return methods.BadKey("samples", c.Samples, "1 or more")
	}
	return nil
}

// Decay is the keys of a single chain that anneals: η_t = lr·(1 + t/b)^(−γ),
// and samples evenly spaced after the burn-in.
type Decay struct {
	Gamma float64 `toml:"gamma"` // 0 for a constant rate
	B     float64 `toml:"b"`     // in steps
	// BurnIn is in epochs; nil is half of the training.
	BurnIn *float64 `toml:"burn_in"`
}

func (d Decay) check() error {
	switch {
	case !(d.Gamma >= 0 && d.Gamma <= 1):
		return methods.BadKey("gamma", d.Gamma, "a number in [0, 1]")
	case !(d.B > 0) || math.IsInf(d.B, 1):
		return methods.BadKey("b", d.B, "a finite number of steps above 0")
	case d.BurnIn != nil && !(*d.BurnIn >= 0):
		return methods.BadKey("burn_in", *d.BurnIn, "an epoch, 0 or later")
	}
	return nil
}

// sampler is the step of a chain.
type sampler interface {
	optim.Optimizer
	// Sampler describes the chain whose step has the size η and moves the slots.
	Sampler(slots []string, eta float64) methods.Sampler
}

// course is how a chain goes on.
type course struct {
	lr    methods.Schedule
	first int // the step from which on states may be kept; lr is at its largest of these
	keep  methods.Every
}

// plan is a chain under the sampler: one stage, one predictor.
func (d Decay) plan(c Chain, by sampler, model nn.Model, j methods.Job) (*methods.Plan, error) {
	burnIn := float64(j.Epochs) / 2
	if d.BurnIn != nil {
		burnIn = *d.BurnIn
	}
	if burnIn >= float64(j.Epochs) {
		return nil, methods.BadKey("burn_in", burnIn, fmt.Sprintf("less than the %d epochs of the training", j.Epochs))
	}
	if c.Samples > j.Epochs {
		return nil, methods.BadKey("samples", c.Samples, fmt.Sprintf("no more than the %d epochs of the training", j.Epochs))
	}
	// (1 + t/b)^(−γ) is bᵞ(b + t)^(−γ).
	lr := schedule.Polynomial(c.LR*math.Pow(d.B, d.Gamma), d.B, d.Gamma)
	first := int(burnIn * float64(j.StepsPerEpoch()))
	if left := j.Steps() - first; c.Samples > left {
		return nil, methods.BadKey("samples", c.Samples, fmt.Sprintf("no more than the %d steps after burn_in = %v", left, burnIn))
	}
	return c.plan(by, course{lr, first, methods.Every{From: first, Period: j.Steps(), Count: c.Samples}}, model, j)
}

// plan is the stage and the predictor of a chain.
func (c Chain) plan(by sampler, way course, model nn.Model, j methods.Job) (*methods.Plan, error) {
	if j.Steps() < 1 {
		return nil, methods.BadKey("train.epochs", j.Epochs, "at least one step")
	}
	n := fit.Network{Model: model, Job: j, Layers: fit.UnderPrior(c.PriorSigma, c.Init)}
	var p fit.Plan
	var slots []string
	stage := p.Stage("sample", j.Steps(), func(s *nn.Scope) {
		fit.Minimise(s, n, methods.Schedule{}, by, way.lr)
		for _, slot := range s.Trained() {
			slots = append(slots, slot.Name)
		}
	})
	sample := p.Refreshed("sample", n)
	sample.Chain = true
	p.Keep(stage, sample, way.keep)
	p.Sampler(by.Sampler(slots, way.lr.At(way.first)))
	return p.Build()
}
