package dropout

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "gaussian-dropout",
		Description: "multiplicative Gaussian noise N(1, p/(1-p)) (Srivastava et al. 2014)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Gaussian{PriorSigma: 1, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if !(m.PriorSigma > 0) {
				return nil, methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
			}
			return m, checkRate(m.P)
		},
	})
}

// Gaussian is Gaussian dropout: at every dropout site, for every example and
// unit,
//
//	x ← x·(1 + √α·ε),  α = p/(1−p),
//
// which has binary dropout's mean and variance. The loss is MAP's, with
// N(0, σ²) on the weights. "sample" draws the noise in prediction, "mean"
// leaves it out, which is the weight-scaling rule. Srivastava et al.,
// "Dropout", JMLR 2014, section 10; Kingma et al. 2015, section 3.1.
type Gaussian struct {
	P          *float64       `toml:"p"`      // as binary dropout's
	Inputs     bool           `toml:"inputs"` // as binary dropout's
	PriorSigma float64        `toml:"prior_sigma"`
	Init       nn.Initializer `toml:"init"`
}

func (m Gaussian) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if m.Inputs {
		model = withInputs(model)
	}
	under := func(sample bool) fit.Network {
		return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers {
			point := nn.Point{Scope: s, Init: m.Init, Penalty: fit.GaussianPrior(s, m.PriorSigma)}
			if !sample {
				return &point
			}
			return &gaussianLayers{point, m.P}
		}}
	}
	var p fit.Plan
	p.Minimise(under(true), methods.Schedule{})
	p.Predictor("sample", under(true))
	p.Predictor("mean", under(false))
	return p.Build()
}

type gaussianLayers struct {
	nn.Point
	p *float64
}

func (l *gaussianLayers) Dropout(name string, x ir.Value, rate float64) ir.Value {
	rate = siteRate(l.p, rate)
	if rate == 0 {
		return x
	}
	noise := l.MulConst(l.RowNoise(l.Shape(x)...), math.Sqrt(rate/(1-rate)))
	return l.Mul(x, l.AddConst(noise, 1))
}
