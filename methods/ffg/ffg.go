// Package ffg is variational inference with a fully factorised Gaussian: for
// every weight q(w) = N(μ, σ²), ρ = log σ, trained on the negative ELBO per
// example
//
//	loss = −1/B Σ log p(y | x, w) + β/N · KL(q‖p),  w ~ q
//	KL   = Σ ½[(σ² + μ²)/s² − 1 − log(σ²/s²)]
//
// under the prior N(0, s²). Biases and batch normalisation are point estimates
// under a flat prior. State: μ and ρ of each weight's shape, "fc1.w" and
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
	PriorSigma float64      `toml:"prior_sigma"` // s
	InitSigma  float64      `toml:"init_sigma"`  // σ at the start
	Estimator  nn.Estimator `toml:"estimator"`
	fit.KLWeight
	Init nn.Initializer `toml:"init"` // of μ
}

// Default is the prior N(0, 1), σ = 0.01 at the start (Izmailov et al., "What
// are Bayesian neural network posteriors really like?", ICML 2021) and the
// full KL from the first step.
func Default() Method {
	return Method{PriorSigma: 1, InitSigma: 0.01, Estimator: nn.Local, KLWeight: fit.KLWeight{Weight: 1}, Init: nn.Glorot}
}

func (m Method) check() error {
	if !(m.PriorSigma > 0) || math.IsInf(m.PriorSigma, 1) {
		return methods.BadKey("prior_sigma", m.PriorSigma, "a finite number above 0")
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
	p.Report(func(s *nn.Scope) {
		g := m.layers(s, nn.Mean)
		for _, t := range tensors {
			g.Weight(t.Layer, t.Shape)
		}
		s.Result("kl", s.Total(s.KL))
	})
	return p.Build()
}

func (m Method) layers(s *nn.Scope, e nn.Estimator) *nn.Gaussian {
	g := &nn.Gaussian{Point: nn.Point{Scope: s, Init: m.Init}, Estimator: e}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		mu := s.Learn(layer+".w", g.Initial(shape), shape...)
		rho := s.Learn(layer+".rho", nn.Init{A: math.Log(m.InitSigma)}, shape...)
		std := s.Exp(rho)
		q := nn.Posterior{Mean: mu, Std: std, Variance: s.Square(std)}
		s.KL = append(s.KL, GaussianKL(s, q, rho, m.PriorSigma))
		return q
	}
	return g
}

// GaussianKL is KL(N(μ, σ²) ‖ N(0, prior²)) summed over a tensor,
// Σ ½[(σ² + μ²)/prior² − 1] − log σ + log prior, with rho = log σ.
func GaussianKL(s *nn.Scope, q nn.Posterior, rho ir.Value, prior float64) ir.Value {
	second := s.MulConst(s.Add(q.Variance, s.Square(q.Mean)), 1/(2*prior*prior))
	constant := float64(s.Type(rho).Size()) * (math.Log(prior) - 0.5)
	return s.AddConst(s.Sum(s.Sub(second, rho)), constant)
}
