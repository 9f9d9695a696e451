package dropout

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
		Name:        "learned-dropout",
		Description: "binary dropout with learnt rates: concrete relaxation or REINFORCE (Gal et al. 2017)",
		New: func(p methods.Params) (methods.Method, error) {
			m := Learned{LengthScale: 1, InitP: 0.1, Temperature: 0.1, Estimator: Concrete, KLWeight: fit.KLWeight{Weight: 1}, Init: nn.Glorot}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			return m, m.check()
		},
	})
}

// Learned is binary dropout whose rate p is learnt at every site, with the
// posterior of package dropout and
//
//	loss = −1/B Σ log p(y | x, W) + β/N·KL
//	KL   = Σ_layers l²/(2(1−p))·‖M‖² − Σ_sites K·H(p)
//
// up to a constant, H the entropy of a unit's Bernoulli, K the site's units. β
// weighs both sums. Training draws
// z by the estimator; prediction "sample" draws the binary z, "mean" is the
// weight-scaling rule. Gal, Hron, Kendall, "Concrete dropout", NIPS 2017, eq. 3
// and 5, with M as in package dropout and in the authors' code, from which
// p = 0.1 and temperature 0.1 are too.
type Learned struct {
	LengthScale float64   `toml:"length_scale"` // l
	InitP       float64   `toml:"init_p"`
	Inputs      bool      `toml:"inputs"`      // a site at the network's inputs too
	Temperature float64   `toml:"temperature"` // t of the concrete relaxation
	Estimator   Estimator `toml:"estimator"`
	fit.KLWeight
	Init nn.Initializer `toml:"init"`
}

// Estimator says how the gradient reaches p.
type Estimator string

const (
	// Concrete relaxes the dropped indicator to
	// sigmoid((logit p + logit u)/t), u uniform.
	Concrete Estimator = "concrete"
	// Reinforce draws it binary and takes the score-function estimator.
	Reinforce Estimator = "reinforce"
)

// UnmarshalText reads a name and refuses an unknown one.
func (e *Estimator) UnmarshalText(text []byte) error {
	switch v := Estimator(text); v {
	case Concrete, Reinforce:
		*e = v
		return nil
	}
	return fmt.Errorf("estimator = %q: want \"concrete\" or \"reinforce\"", text)
}

func (m Learned) check() error {
	switch {
	case !(m.LengthScale > 0) || math.IsInf(m.LengthScale, 1):
		return methods.BadKey("length_scale", m.LengthScale, "a finite number above 0")
	case !(m.InitP > 0 && m.InitP < 1):
		return methods.BadKey("init_p", m.InitP, "a rate in (0, 1)")
	case !(m.Temperature > 0) || math.IsInf(m.Temperature, 1):
		return methods.BadKey("temperature", m.Temperature, "a finite number above 0")
	}
	return m.KLWeight.Check()
}

func (m Learned) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	if m.Inputs {
		model = withInputs(model)
	}
	weight, err := m.KLWeight.Schedule(j)
	if err != nil {
		return nil, err
	}
	if m.Estimator == Reinforce && j.Batch < 2 {
		return nil, methods.BadKey("estimator", string(m.Estimator), "\"concrete\" with batches of one example")
	}
	under := func(draw func(l *learnedLayers, x, logit ir.Value) ir.Value) fit.Network {
		return fit.Network{Model: model, Job: j, Layers: func(s *nn.Scope) nn.Layers { return m.layers(s, draw) }}
	}
	train := (*learnedLayers).concrete
	if m.Estimator == Reinforce {
		train = (*learnedLayers).binary
	}
	var p fit.Plan
	p.Minimise(under(train), weight)
	p.Predictor("sample", under((*learnedLayers).binary))
	p.Predictor("mean", under(func(l *learnedLayers, x, logit ir.Value) ir.Value { return x }))
	return p.Build()
}

// learnedLayers drops by learnt rates, and remembers the site's logit until the
// next weights ask for it.
type learnedLayers struct {
	nn.Gaussian
	method Learned
	draw   func(l *learnedLayers, x, logit ir.Value) ir.Value
	logit  ir.Value
}

func (m Learned) layers(s *nn.Scope, draw func(l *learnedLayers, x, logit ir.Value) ir.Value) nn.Layers {
	l := &learnedLayers{method: m, draw: draw, logit: ir.None}
	prior := fit.GaussianPrior(s, 1/m.LengthScale)
	l.Gaussian = means(s, m.Init, func(w ir.Value) ir.Value {
		kl := prior(w)
		if l.logit != ir.None {
			kl = s.Div(kl, s.Sigmoid(s.Neg(l.logit)))
		}
		l.logit = ir.None
		return kl
	})
	return l
}

func (l *learnedLayers) Dropout(name string, x ir.Value, rate float64) ir.Value {
	p := l.method.InitP
	l.logit = l.LearnSpread(name+".logit", nn.Init{A: math.Log(p / (1 - p))})
	if l.Training {
		// −K·H(p) = K·(p·log p + (1−p)·log(1−p)), by log p = −softplus(−logit).
		// K counts an example's units; a convolution's maps count by position.
		units := float64(l.Type(x).Size() / l.Shape(x)[0])
		yes := l.Mul(l.Sigmoid(l.logit), l.Softplus(l.Neg(l.logit)))
		no := l.Mul(l.Sigmoid(l.Neg(l.logit)), l.Softplus(l.logit))
		l.KL = append(l.KL, l.MulConst(l.Add(yes, no), -units))
	}
	return l.draw(l, x, l.logit)
}

// concrete is x·(1 − z̃)/(1−p).
func (l *learnedLayers) concrete(x, logit ir.Value) ir.Value {
	const edge = 1e-7 // keeps log u and log(1−u) finite
	u := l.Clamp(l.RowChance(l.Shape(x)...), edge, 1-edge)
	noise := l.Sub(l.Log(u), l.Log(l.Sub(l.Const(1), u)))
	// 1 − sigmoid(a) is sigmoid(−a).
	kept := l.Sigmoid(l.MulConst(l.Add(noise, logit), -1/l.method.Temperature))
	return l.Mul(x, l.Div(kept, l.Sigmoid(l.Neg(logit))))
}

// binary is x·(1 − z)/(1−p), z ~ Bernoulli(p); in training it notes log q(z).
func (l *learnedLayers) binary(x, logit ir.Value) ir.Value {
	p := l.Sigmoid(logit)
	dropped := l.Less(l.RowChance(l.Shape(x)...), l.Stop(p))
	kept := l.Sub(l.Const(1), dropped)
	if l.Training {
		logq := l.Neg(l.Add(l.Mul(dropped, l.Softplus(l.Neg(logit))), l.Mul(kept, l.Softplus(logit))))
		l.Scores = append(l.Scores, l.Sum(l.Flatten(logq), 1))
	}
	return l.Mul(x, l.Div(kept, l.Sub(l.Const(1), p)))
}
