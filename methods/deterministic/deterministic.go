package deterministic

import (
	"bayesbench/methods"
	"bayesbench/methods/fit"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "deterministic",
		Description: "one network, maximum a posteriori (MacKay 1992)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Default()
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of MAP training.
type Method struct {
	PriorSigma float64        `toml:"prior_sigma"` // σ; inf for maximum likelihood
	Init       nn.Initializer `toml:"init"`
}

// Default is σ = 1 and Glorot's initialisation.
func Default() Method { return Method{PriorSigma: 1, Init: nn.Glorot} }

func (m Method) check() error {
	if !(m.PriorSigma > 0) {
		return methods.BadKey("prior_sigma", m.PriorSigma, "a number above 0, or inf")
	}
	return nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	n := fit.Network{Model: model, Job: j, Layers: m.layers}
	var p fit.Plan
	p.Minimise(n, methods.Schedule{})
	p.Predictor("mean", n)
	return p.Build()
}

func (m Method) layers(s *nn.Scope) nn.Layers {
	return &nn.Point{Scope: s, Init: m.Init, Penalty: fit.GaussianPrior(s, m.PriorSigma)}
}
