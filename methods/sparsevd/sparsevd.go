package sparsevd

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
		Name:        "sparse-vd",
		Description: "sparse variational dropout (Molchanov et al. 2017)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Default()
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of sparse VD.
type Method struct {
	Threshold float64 `toml:"threshold"`  // of log α, from which weights are pruned
	TrainClip bool    `toml:"train_clip"` // prune the means in training too
	// Parameterisation says which of log σ² and log α is learnt.
	Parameterisation Parameterisation `toml:"parameterisation"`
	InitLogVar       float64          `toml:"init_logvar"`   // log σ² at the start, additive
	InitLogAlpha     float64          `toml:"init_logalpha"` // log α at the start, multiplicative
	fit.KLWeight
	// FineTune is the number of epochs at the end in which the pruned network is
	// trained on as a point estimate: the means that are left, without KL.
	FineTune float64        `toml:"fine_tune"`
	Init     nn.Initializer `toml:"init"` // of θ
}

// Parameterisation names what is learnt beside θ.
type Parameterisation string

const (
	Additive       Parameterisation = "additive"       // log σ²
	Multiplicative Parameterisation = "multiplicative" // log α
)

// UnmarshalText reads a name and refuses an unknown one.
func (p *Parameterisation) UnmarshalText(text []byte) error {
	switch v := Parameterisation(text); v {
	case Additive, Multiplicative:
		*p = v
		return nil
	}
	return fmt.Errorf("parameterisation = %q: want \"additive\" or \"multiplicative\"", text)
}

// Default is the published recipe of the LeNets: KL weight 0 to epoch 5 and 1
// from epoch 20. A training shorter than 20 epochs sets the warm-up itself.
func Default() Method {
	return Method{Threshold: 3, TrainClip: true, Parameterisation: Additive, InitLogVar: -10, InitLogAlpha: -4, Init: nn.Glorot,
		KLWeight: fit.KLWeight{Weight: 1, WarmupStart: 5, WarmupEnd: 20}}
}

func (m Method) check() error {
	if !(m.Threshold > -clip && m.Threshold < clip) {
		return methods.BadKey("threshold", m.Threshold, "a log α within (-8, 8)")
	}
	if !(math.Abs(m.InitLogVar) <= 80) { // σ² must be a float32
		return methods.BadKey("init_logvar", m.InitLogVar, "a log σ² in [-80, 80]")
	}
	if !(m.InitLogAlpha >= -clip && m.InitLogAlpha <= clip) {
		return methods.BadKey("init_logalpha", m.InitLogAlpha, "a log α in [-8, 8]")
	}
	if !(m.FineTune >= 0) {
		return methods.BadKey("fine_tune", m.FineTune, "a number of epochs, 0 or more")
	}
	return m.KLWeight.Check()
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
	under := func(e nn.Estimator, pruned bool) fit.Network { return m.network(model, j, e, pruned) }
	var p fit.Plan
	if m.FineTune > 0 {
		return m.fineTuned(&p, under(nn.Local, m.TrainClip), weight, tensors)
	}
	p.Minimise(under(nn.Local, m.TrainClip), weight)
	p.Predictor("mean", under(nn.Mean, true))
	p.Predictor("sample", under(nn.Weight, false))
	p.Estimators(tensors)
	p.Report(func(s *nn.Scope) {
		for _, t := range tensors {
			w := m.weight(s, t.Layer, t.Shape, nn.Init{})
			s.KL = append(s.KL, KL(s, w.logAlpha))
			s.Result("nonzero/"+t.Layer, s.Sum(m.kept(s, w.logAlpha)))
		}
		s.Result("kl", s.Total(s.KL))
	})
	p.Weights(tensors)
	return p.Build()
}

// Gradient is one estimator of the gradient.
func (m Method) Gradient(model nn.Model, j methods.Job, estimator string) (*ir.Program, error) {
	return fit.Gradient(estimator, m.network(model, j, nn.Estimator(estimator), m.TrainClip))
}

// network is the model under an estimator; pruned weights are 0 where it is asked for.
func (m Method) network(model nn.Model, j methods.Job, e nn.Estimator, pruned bool) fit.Network {
	return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, e, pruned) }}
}

func (m Method) layers(s *nn.Scope, e nn.Estimator, pruned bool) nn.Layers {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: e}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		w := m.weight(s, layer, shape, g.Initial(shape))
		s.KL = append(s.KL, KL(s, w.logAlpha))
		q := nn.Posterior{
			Mean:     w.theta,
			Std:      s.Mul(s.Exp(s.MulConst(w.logAlpha, 0.5)), s.Abs(w.theta)),
			Variance: s.Mul(s.Exp(w.logAlpha), s.Square(w.theta)),
		}
		if pruned {
			q.Mean = s.Mul(w.theta, m.kept(s, w.logAlpha))
		}
		return q
	}
	return g
}

// weight is one tensor's posterior, log α clipped.
type weight struct{ theta, logAlpha ir.Value }

func (m Method) weight(s *nn.Scope, layer string, shape []int, init nn.Init) weight {
	w := weight{theta: s.Learn(layer+".w", init, shape...)}
	if m.Parameterisation == Multiplicative {
		w.logAlpha = s.Clamp(s.LearnSpread(layer+".logalpha", nn.Init{A: m.InitLogAlpha}, shape...), -clip, clip)
		return w
	}
	w.logAlpha = LogAlpha(s, w.theta, s.LearnSpread(layer+".logvar", nn.Init{A: m.InitLogVar}, shape...))
	return w
}

// kept is 1 where a weight is not pruned.
func (m Method) kept(s *nn.Scope, logAlpha ir.Value) ir.Value {
	return s.Less(logAlpha, s.Const(m.Threshold))
}

const clip = 8 // of log α

// LogAlpha is log σ² − log(θ² + 1e-8), clipped to [−8, 8].
func LogAlpha(s *nn.Scope, theta, logVar ir.Value) ir.Value {
	return s.Clamp(s.Sub(logVar, s.Log(s.AddConst(s.Square(theta), 1e-8))), -clip, clip)
}

// KL is the approximation of eq. 14 summed over a tensor.
func KL(s *nn.Scope, logAlpha ir.Value) ir.Value {
	const k1, k2, k3 = 0.63576, 1.87320, 1.48695
	gain := s.MulConst(s.Sigmoid(s.AddConst(s.MulConst(logAlpha, k3), k2)), k1)
	cost := s.MulConst(s.Softplus(s.Neg(logAlpha)), 0.5)
	return s.AddConst(s.Sum(s.Sub(cost, gain)), k1*float64(s.Type(logAlpha).Size()))
}
