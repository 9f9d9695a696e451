package sparsevd

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

// fineTuned is the plan with the pruned network trained on at the end. Which
// weights are pruned is decided once, between the stages.
func (m Method) fineTuned(p *fit.Plan, posterior fit.Network, weight methods.Schedule, tensors []nn.Tensor) (*methods.Plan, error) {
	j := posterior.Job
	first := j.Steps() - int(m.FineTune*float64(j.StepsPerEpoch()))
	if m.WarmupEnd*float64(j.StepsPerEpoch()) > float64(first) || first < 1 {
		return nil, methods.BadKey("fine_tune", m.FineTune, fmt.Sprintf("no more than what is left of the %d epochs after warmup_end", j.Epochs))
	}
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	frozen := posterior
	frozen.Layers = m.frozen
	train := p.Stage("train", first, func(s *nn.Scope) { fit.Minimise(s, posterior, weight, opt, lr) })
	train.Done = func(state map[string][]float32) error { m.freeze(state, tensors); return nil }
	if first < j.Steps() {
		p.Stage("fine-tune", j.Steps()-first, func(s *nn.Scope) {
			fit.Minimise(s, frozen, methods.Schedule{}, optim.Resume(opt, first), lr.After(first))
		})
	}
	p.Predictor("mean", frozen)
	p.Report(func(s *nn.Scope) {
		for _, t := range tensors {
			s.Result("nonzero/"+t.Layer, s.Sum(mask(s, t.Layer, t.Shape)))
		}
	})
	p.Weights(tensors)
	return p.Build()
}

func mask(s *nn.Scope, layer string, shape []int) ir.Value {
	return s.Keep(layer+".w/mask", nn.Init{A: 1}, shape...)
}

// frozen is layers of the means that are left.
func (m Method) frozen(s *nn.Scope) nn.Layers {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: nn.Mean}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		return nn.Posterior{Mean: s.Mul(s.Learn(layer+".w", g.Initial(shape), shape...), mask(s, layer, shape))}
	}
	return g
}

// freeze fills the masks by log α, which needs no clipping to be compared with
// a threshold within the clipping's bounds.
func (m Method) freeze(state map[string][]float32, tensors []nn.Tensor) {
	for _, t := range tensors {
		for i, theta := range state[t.Layer+".w"] {
			var logAlpha float64
			if m.Parameterisation == Multiplicative {
				logAlpha = float64(state[t.Layer+".logalpha"][i])
			} else {
				logAlpha = float64(state[t.Layer+".logvar"][i]) - math.Log(float64(theta)*float64(theta)+1e-8)
			}
			if logAlpha >= m.Threshold {
				state[t.Layer+".w/mask"][i] = 0
			}
		}
	}
}
