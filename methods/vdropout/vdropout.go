package vdropout

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "variational-dropout",
		Description: "variational dropout with learnt noise, alpha <= 1 (Kingma et al. 2015)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Method{Per: Layer, InitAlpha: 0.5, KLWeight: fit.KLWeight{Weight: 1}, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if !(m.InitAlpha > 0 && m.InitAlpha <= 1) {
				return nil, methods.BadKey("init_alpha", m.InitAlpha, "a number in (0, 1]")
			}
			return m, m.KLWeight.Check()
		},
	})
}

// Method is the settings of variational dropout.
type Method struct {
	Per       Per     `toml:"per"`        // what has an α of its own
	InitAlpha float64 `toml:"init_alpha"` // α at the start
	fit.KLWeight
	Init nn.Initializer `toml:"init"` // of θ
}

// Per names what shares one α.
type Per string

const (
	Layer  Per = "layer"
	Neuron Per = "neuron" // the weights of one output
	Weight Per = "weight"
)

// UnmarshalText reads a name and refuses an unknown one.
func (p *Per) UnmarshalText(text []byte) error {
	switch v := Per(text); v {
	case Layer, Neuron, Weight:
		*p = v
		return nil
	}
	return fmt.Errorf("per = %q: want \"layer\", \"neuron\" or \"weight\"", text)
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	weight, err := m.KLWeight.Schedule(j)
	if err != nil {
		return nil, err
	}
	tensors, err := model.Tensors(j.Task.Input, j.Task.Likelihood.Outputs())
	if err != nil {
		return nil, err
	}
	under := func(e nn.Estimator) fit.Network { return m.network(model, j, e) }
	opt, lr, err := fit.Optimizer(j)
	if err != nil {
		return nil, err
	}
	var p fit.Plan
	p.Stage("train", j.Steps(), func(s *nn.Scope) {
		fit.Minimise(s, under(nn.Local), weight, opt, lr)
		project(s, tensors)
	})
	p.Predictor("sample", under(nn.Weight))
	p.Predictor("mean", under(nn.Mean))
	p.Estimators(tensors)
	p.Report(func(s *nn.Scope) {
		for _, t := range tensors {
			s.KL = append(s.KL, m.kl(s, m.logAlpha(s, t.Layer, t.Shape), t.Shape))
		}
		s.Result("kl", s.Total(s.KL))
	})
	return p.Build()
}

// Gradient is one estimator of the gradient.
func (m Method) Gradient(model nn.Model, j methods.Job, estimator string) (*ir.Program, error) {
	return fit.Gradient(estimator, m.network(model, j, nn.Estimator(estimator)))
}

// network is the model under an estimator.
func (m Method) network(model nn.Model, j methods.Job, e nn.Estimator) fit.Network {
	return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, e) }}
}

func (m Method) layers(s *nn.Scope, e nn.Estimator) nn.Layers {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: e}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		theta := s.Learn(layer+".w", g.Initial(shape), shape...)
		logAlpha := m.logAlpha(s, layer, shape)
		s.KL = append(s.KL, m.kl(s, logAlpha, shape))
		root := s.Exp(s.MulConst(logAlpha, 0.5))
		if m.Per == Neuron {
			root = s.Broadcast(root, shape, 0)
		}
		std := s.Mul(theta, root) // its sign does not matter to a Gaussian
		return nn.Posterior{Mean: theta, Std: std, Variance: s.Square(std)}
	}
	return g
}

// project moves log α back to 0 where a step has led beyond. A cap in the
// objective would hold it there for good: it has no gradient above.
func project(s *nn.Scope, tensors []nn.Tensor) {
	for _, t := range tensors {
		for _, slot := range s.Slots {
			if slot.Name == t.Layer+".logalpha" {
				s.Set(slot.Value, s.Min(slot.Next, s.Const(0)))
			}
		}
	}
}

// logAlpha is a tensor's, at most 0.
func (m Method) logAlpha(s *nn.Scope, layer string, shape []int) ir.Value {
	switch m.Per {
	case Layer:
		shape = nil
	case Neuron:
		shape = shape[:1]
	}
	return s.LearnSpread(layer+".logalpha", nn.Init{A: math.Log(m.InitAlpha)}, shape...)
}

// kl is the sum over a tensor of the shape, up to the approximation's constant.
func (m Method) kl(s *nn.Scope, logAlpha ir.Value, shape []int) ir.Value {
	share := float64(ir.Float(shape...).Size()) / float64(s.Type(logAlpha).Size())
	return s.MulConst(KL(s, logAlpha), share)
}

// KL is the negative of eq. 14's approximation, summed.
func KL(s *nn.Scope, logAlpha ir.Value) ir.Value {
	const c1, c2, c3 = 1.16145124, -1.50204118, 0.58629921
	a := s.Exp(logAlpha)
	cubic := s.Mul(a, s.AddConst(s.Mul(a, s.AddConst(s.MulConst(a, c3), c2)), c1))
	return s.Neg(s.Sum(s.Add(s.MulConst(logAlpha, 0.5), cubic)))
}
