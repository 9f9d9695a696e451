package ffg

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
		Name:        "ffg",
		Description: "fully factorised Gaussian VI (Graves 2011; Blundell et al. 2015)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Default()
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of FFG VI.
type Method struct {
	Prior
	InitSigma float64      `toml:"init_sigma"` // σ at the start
	Estimator nn.Estimator `toml:"estimator"`
	Biases    Biases       `toml:"biases"`
	Layers    Layers       `toml:"layers"`
	fit.KLWeight
	Init nn.Initializer `toml:"init"` // of μ
}

// Biases says what the posterior of biases is, and of batch normalisation's
// scale and shift.
type Biases string

const (
	Point    Biases = "point"    // a point estimate under a flat prior
	Gaussian Biases = "gaussian" // as the weights
)

// UnmarshalText reads a name and refuses an unknown one.
func (b *Biases) UnmarshalText(text []byte) error {
	switch v := Biases(text); v {
	case Point, Gaussian:
		*b = v
		return nil
	}
	return fmt.Errorf("biases = %q: want \"point\" or \"gaussian\"", text)
}

// Layers says which layers have a posterior.
type Layers string

const (
	All  Layers = "all"
	Last Layers = "last" // the others are point estimates
)

// UnmarshalText reads a name and refuses an unknown one.
func (l *Layers) UnmarshalText(text []byte) error {
	switch v := Layers(text); v {
	case All, Last:
		*l = v
		return nil
	}
	return fmt.Errorf("layers = %q: want \"all\" or \"last\"", text)
}

// Default is the prior N(0, 1), σ = 0.01 at the start (Izmailov et al., "What
// are Bayesian neural network posteriors really like?", ICML 2021) and the
// full KL from the first step.
func Default() Method {
	return Method{Prior: defaultPrior, InitSigma: 0.01, Estimator: nn.Local, Biases: Point, Layers: All, KLWeight: fit.KLWeight{Weight: 1}, Init: nn.Glorot}
}

func (m Method) check() error {
	if err := m.Prior.check(); err != nil {
		return err
	}
	if !(m.InitSigma > 0) || math.IsInf(m.InitSigma, 1) {
		return methods.BadKey("init_sigma", m.InitSigma, "a finite number above 0")
	}
	return m.KLWeight.Check()
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	weight, err := m.KLWeight.Schedule(j)
	if err != nil {
		return nil, err
	}
	tensors, under, err := m.networks(model, j)
	if err != nil {
		return nil, err
	}
	var p fit.Plan
	p.Minimise(under(m.Estimator), weight)
	p.Predictor("sample", under(nn.Weight))
	p.Predictor("mean", under(nn.Mean))
	p.Estimators(tensors)
	if m.Prior.Kind == Mixture {
		return p.Build() // its KL has no closed form
	}
	p.Report(func(s *nn.Scope) {
		for _, t := range tensors {
			m.posterior(s, t.Layer+".w", t.Layer+".rho", nn.Init{}, t.Shape)
		}
		for _, slot := range p.State() { // of biases and batch normalisation
			if rho, ok := p.StateOf(slot.Name + ".rho"); ok {
				m.posterior(s, slot.Name, rho.Name, nn.Init{}, slot.Type.Shape)
			}
		}
		s.Result("kl", s.Total(s.KL))
	})
	return p.Build()
}

// Gradient is one estimator of the gradient.
func (m Method) Gradient(model nn.Model, j methods.Job, estimator string) (*ir.Program, error) {
	_, under, err := m.networks(model, j)
	if err != nil {
		return nil, err
	}
	return fit.Gradient(estimator, under(nn.Estimator(estimator)))
}

// networks lists the weight tensors that have a posterior, and is the network under
// each estimator.
func (m Method) networks(model nn.Model, j methods.Job) (tensors []nn.Tensor, under func(nn.Estimator) fit.Network, err error) {
	if tensors, err = model.Tensors(j.Task.Input, j.Task.Likelihood.Outputs()); err != nil {
		return nil, nil, err
	}
	only := ""
	if m.Layers == Last {
		tensors = tensors[len(tensors)-1:]
		only = tensors[0].Layer
	}
	under = func(e nn.Estimator) fit.Network {
		return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, e, only) }}
	}
	return tensors, under, nil
}

func (m Method) layers(s *nn.Scope, e nn.Estimator, only string) *nn.Gaussian {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init, Penalty: fit.GaussianPrior(s, m.Prior.Sigma)}, Estimator: e, Only: only}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		return m.posterior(s, layer+".w", layer+".rho", g.Initial(shape), shape)
	}
	if m.Biases == Gaussian {
		g.Vector = func(name string, init nn.Init, n int) nn.Posterior {
			return m.posterior(s, name, name+".rho", init, []int{n})
		}
	}
	return g
}

// posterior declares μ and ρ of a tensor and adds its KL. A program that
// predicts has no use for the KL, and for the noise that Mixture draws.
func (m Method) posterior(s *nn.Scope, mu, rho string, init nn.Init, shape []int) (q nn.Posterior) {
	q.Mean = s.Learn(mu, init, shape...)
	r := s.LearnSpread(rho, nn.Init{A: math.Log(m.InitSigma)}, shape...)
	q.Std = s.Exp(r)
	q.Variance = s.Square(q.Std)
	if s.Training || m.Prior.Kind != Mixture {
		s.KL = append(s.KL, m.Prior.KL(s, q, r))
	}
	return q
}
