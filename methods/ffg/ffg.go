// Package ffg is variational inference with a fully factorised Gaussian: for
// every weight q(w) = N(μ, σ²), ρ = log σ, trained on the negative ELBO per
// example
//
//	loss = −1/B Σ log p(y | x, w) + β/N · KL(q‖p),  w ~ q
//	KL   = Σ ½[(σ² + μ²)/s² − 1 − log(σ²/s²)]
//
// under the prior N(0, s²), or another of prior.go's. Biases and batch
// normalisation are point estimates under a flat prior. State: μ and ρ of each weight's shape, "fc1.w" and
// "fc1.rho". How w is drawn is nn.Estimator's to say: the local
// reparameterisation by default. Prediction: "sample" draws one w for all
// examples, which is one posterior sample; "mean" takes w = μ.
//
// Source: Graves, "Practical variational inference for neural networks", NIPS
// 2011; Blundell et al., "Weight uncertainty in neural networks", ICML 2015;
// Kingma, Salimans, Welling, "Variational dropout and the local
// reparameterization trick", NIPS 2015.
package ffg

import (
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
	fit.KLWeight
	Init nn.Initializer `toml:"init"` // of μ
}

// Default is the prior N(0, 1), σ = 0.01 at the start (Izmailov et al., "What
// are Bayesian neural network posteriors really like?", ICML 2021) and the
// full KL from the first step.
func Default() Method {
	return Method{Prior: defaultPrior, InitSigma: 0.01, Estimator: nn.Local, KLWeight: fit.KLWeight{Weight: 1}, Init: nn.Glorot}
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
	tensors, err := model.Tensors(j.Input, j.Classes)
	if err != nil {
		return nil, err
	}
	under := func(e nn.Estimator) fit.Network {
		return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, e) }}
	}
	var p fit.Plan
	p.Minimise(under(m.Estimator), weight)
	p.Predictor("sample", under(nn.Weight))
	p.Predictor("mean", under(nn.Mean))
	if m.Prior.Kind == Mixture {
		return p.Build() // its KL has no closed form
	}
	p.Report(func(s *nn.Scope) {
		for _, t := range tensors {
			q, rho := m.posterior(s, t.Layer, nn.Init{}, t.Shape)
			s.KL = append(s.KL, m.Prior.KL(s, q, rho))
		}
		s.Result("kl", s.Total(s.KL))
	})
	return p.Build()
}

func (m Method) layers(s *nn.Scope, e nn.Estimator) *nn.Gaussian {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: e}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		q, rho := m.posterior(s, layer, g.Initial(shape), shape)
		if s.Training {
			s.KL = append(s.KL, m.Prior.KL(s, q, rho))
		}
		return q
	}
	return g
}

// posterior declares μ and ρ of a weight tensor.
func (m Method) posterior(s *nn.Scope, layer string, init nn.Init, shape []int) (q nn.Posterior, rho ir.Value) {
	q.Mean = s.Learn(layer+".w", init, shape...)
	rho = s.Learn(layer+".rho", nn.Init{A: math.Log(m.InitSigma)}, shape...)
	q.Std = s.Exp(rho)
	q.Variance = s.Square(q.Std)
	return q, rho
}
