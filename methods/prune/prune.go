package prune

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "magnitude-pruning",
		Description: "train, prune the smallest weights, train on (Han et al. 2015)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{Sparsity: 0.9, Scope: PerLayer, PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			switch {
			case !(m.Sparsity >= 0 && m.Sparsity < 1):
				return nil, methods.BadKey("sparsity", m.Sparsity, "a fraction in [0, 1)")
			case m.Start != nil && !(*m.Start >= 0):
				return nil, methods.BadKey("start", *m.Start, "an epoch, 0 or later")
			case !(m.PriorSigma > 0):
				return nil, methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
			}
			return m, nil
		},
	})
}

// Method is the settings of magnitude pruning.
type Method struct {
	Sparsity float64 `toml:"sparsity"` // fraction of the weights that go
	Scope    Scope   `toml:"scope"`    // among which weights the smallest are sought
	// Start is the epoch at which they go; nil is half of the training.
	Start      *float64       `toml:"start"`
	PriorSigma float64        `toml:"prior_sigma"`
	Init       nn.Initializer `toml:"init"`
}

// Scope names among which weights the smallest are sought.
type Scope string

const (
	PerLayer Scope = "layer"
	Global   Scope = "global"
)

// UnmarshalText reads a name and refuses an unknown one.
func (c *Scope) UnmarshalText(text []byte) error {
	switch v := Scope(text); v {
	case PerLayer, Global:
		*c = v
		return nil
	}
	return fmt.Errorf("scope = %q: want \"layer\" or \"global\"", text)
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	tensors, err := model.Tensors(j.Task.Input, j.Task.Likelihood.Outputs())
	if err != nil {
		return nil, err
	}
	start := float64(j.Epochs) / 2
	if m.Start != nil {
		start = *m.Start
	}
	first := int(start * float64(j.StepsPerEpoch()))
	if first < 1 || first >= j.Steps() {
		return nil, methods.BadKey("start", start, fmt.Sprintf("within the %d epochs of the training", j.Epochs))
	}
	n := fit.Network{Model: model, Job: j, Layers: m.layers}
	var p fit.Plan
	train := p.Stage("train", first, func(s *nn.Scope) { fit.Minimise(s, n, methods.Schedule{}, opt, lr) })
	train.Done = func(state map[string][]float32) error { m.prune(state, tensors); return nil }
	p.Stage("fine-tune", j.Steps()-first, func(s *nn.Scope) {
		fit.Minimise(s, n, methods.Schedule{}, optim.Resume(opt, first), lr.After(first))
	})
	p.Predictor("mean", n)
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

// layers are point estimates times their masks.
func (m Method) layers(s *nn.Scope) nn.Layers {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: nn.Mean}
	prior := fit.GaussianPrior(s, m.PriorSigma)
	g.Weight = func(layer string, shape []int) nn.Posterior {
		w := s.Mul(s.Learn(layer+".w", g.Initial(shape), shape...), mask(s, layer, shape))
		if prior != nil {
			s.Prior = append(s.Prior, prior(w))
		}
		return nn.Posterior{Mean: w}
	}
	return g
}

// prune fills the masks. Of equal magnitudes the first ones go.
func (m Method) prune(state map[string][]float32, tensors []nn.Tensor) {
	var group []place
	for i, t := range tensors {
		for k, w := range state[t.Layer+".w"] {
			group = append(group, place{t.Layer + ".w/mask", k, math.Abs(float64(w))})
		}
		if m.Scope == PerLayer || i == len(tensors)-1 {
			slices.SortStableFunc(group, func(a, b place) int {
				switch {
				case a.size < b.size:
					return -1
				case a.size > b.size:
					return 1
				}
				return 0
			})
			for _, p := range group[:int(math.Round(m.Sparsity*float64(len(group))))] {
				state[p.mask][p.at] = 0
			}
			group = group[:0]
		}
	}
}

// place is one weight and its magnitude.
type place struct {
	mask string
	at   int
	size float64
}
