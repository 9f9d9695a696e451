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
		Name:        "dropout",
		Description: "binary dropout VI, or MC dropout (Gal & Ghahramani 2016)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Default()
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Method is the settings of binary dropout.
type Method struct {
	// P is the rate of every site; nil takes the rate published with the
	// network, 0.5 at a site for which there is none, and 0.2 of the inputs.
	P           *float64       `toml:"p"`
	Inputs      bool           `toml:"inputs"`       // drop the network's inputs too
	LengthScale float64        `toml:"length_scale"` // l, 1/standard deviation of the prior
	Init        nn.Initializer `toml:"init"`
}

// Default is the network's own rates and l = 1, the prior N(0, 1).
func Default() Method { return Method{LengthScale: 1, Init: nn.Glorot} }

func (m Method) check() error {
	if err := checkRate(m.P); err != nil {
		return err
	}
	if !(m.LengthScale >= 0) || math.IsInf(m.LengthScale, 1) {
		return methods.BadKey("length_scale", m.LengthScale, "a finite number above 0, or 0 for a flat prior")
	}
	return nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if m.Inputs {
		model = withInputs(model)
	}
	sampled := fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, true) }}
	mean := fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, false) }}
	var p fit.Plan
	p.Minimise(sampled, methods.Schedule{})
	p.Predictor("sample", sampled)
	p.Predictor("mean", mean)
	return p.Build()
}

// layers drops units and remembers the rate until the next weights ask for it.
type layers struct {
	nn.Gaussian
	method Method
	sample bool
	rate   float64 // of the site that the next weights read from
}

func (m Method) layers(s *nn.Scope, sample bool) nn.Layers {
	l := &layers{method: m, sample: sample}
	l.Gaussian = means(s, m.Init, func(w ir.Value) ir.Value {
		if m.LengthScale == 0 {
			return ir.None
		}
		sigma := math.Sqrt(1-l.rate) / m.LengthScale
		l.rate = 0
		return fit.GaussianPrior(s, sigma)(w)
	})
	return l
}

// means is layers of the means M of each layer's weights; kl gives a tensor's part
// of KL(q‖p), ir.None under a flat prior.
func means(s *nn.Scope, init nn.Initializer, kl func(w ir.Value) ir.Value) nn.Gaussian {
	point := nn.Point{Scope: s, Init: init}
	g := nn.Gaussian{Point: point, Estimator: nn.Mean}
	g.Weight = func(layer string, shape []int) nn.Posterior {
		w := s.Learn(layer+".w", point.Initial(shape), shape...)
		if term := kl(w); term != ir.None {
			s.KL = append(s.KL, term)
		}
		return nn.Posterior{Mean: w}
	}
	return g
}

func (l *layers) Dropout(name string, x ir.Value, rate float64) ir.Value {
	rate = siteRate(l.method.P, rate)
	l.rate = rate
	if rate == 0 || !l.sample {
		return x
	}
	kept := l.LessEqual(l.Const(rate), l.RowChance(l.Shape(x)...))
	return l.Mul(x, l.MulConst(kept, 1/(1-rate)))
}
