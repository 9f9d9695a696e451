package snapshot

import (
	"fmt"

	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/schedule"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "snapshot",
		Description: "snapshot ensemble, cyclic cosine learning rate (Huang et al. 2017)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{Cycles: 5, PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			switch {
			case m.Cycles < 1:
				return nil, methods.BadKey("cycles", m.Cycles, "1 or more")
			case !(m.PriorSigma > 0):
				return nil, methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
			}
			return m, nil
		},
	})
}

// Method is the settings of a snapshot ensemble.
type Method struct {
	Cycles     int            `toml:"cycles"`
	PriorSigma float64        `toml:"prior_sigma"`
	Init       nn.Initializer `toml:"init"`
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if m.Cycles > j.Epochs {
		return nil, methods.BadKey("cycles", m.Cycles, fmt.Sprintf("no more than the %d epochs of the training", j.Epochs))
	}
	if j.Train.Schedule != "" && j.Train.Schedule != "constant" {
		return nil, methods.BadKey("train.schedule", j.Train.Schedule, `"constant", which snapshots replace by their cycles`)
	}
	if j.Train.Warmup != 0 {
		return nil, methods.BadKey("train.warmup", j.Train.Warmup, "0: each cycle of snapshots begins with the largest rate")
	}
	opt, constant, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	n := fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers {
		return &nn.Point{Scope: s, Init: m.Init, Penalty: fit.GaussianPrior(s, m.PriorSigma)}
	}}
	steps := j.Steps()
	length := (steps + m.Cycles - 1) / m.Cycles
	if (m.Cycles-1)*length >= steps {
		return nil, methods.BadKey("cycles", m.Cycles, fmt.Sprintf("fewer: those of %d steps fill the %d steps of the training", length, steps))
	}
	var p fit.Plan
	stage := p.Stage("train", steps, func(s *nn.Scope) {
		fit.Minimise(s, n, methods.Schedule{}, opt, schedule.Cyclic(constant.At(0), steps, m.Cycles))
	})
	p.Keep(stage, p.Refreshed("sample", n), methods.Every{Period: length, Count: 1})
	return p.Build()
}
