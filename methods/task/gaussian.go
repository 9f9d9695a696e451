package task

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/key"
	"bayesbench/methods/nn"
)

func init() {
	kinds["gaussian"] = kind{"numbers with Gaussian noise: heteroscedastic, homoscedastic or fixed", []string{"noise", "variance", "tau"}, newGaussian}
}

// Noise says where the variance of a [Gaussian] comes from.
type Noise string

const (
	Heteroscedastic Noise = "heteroscedastic" // outputs of the network's
	Homoscedastic   Noise = "homoscedastic"   // a parameter for each number of the target
	Fixed           Noise = "fixed"           // given
)

// Link says how an output makes a variance.
type Link string

const (
	Exp      Link = "exp"      // exp(r): the output is the log variance
	Softplus Link = "softplus" // softplus(r) + 1e-6, as Lakshminarayanan et al. 2017 have it
)

// Gaussian is d independent numbers with Gaussian noise,
//
//	log p(y | f) = Σ_i −½[log 2π + log v_i + (y_i − m_i)²/v_i]
//
// m = f[:, :d] the means and v the variances, in the unit of y, which is standardised. By Noise:
//
//   - heteroscedastic: v is a function of further outputs r = f[:, d:], so that the last layer has
//     2d of them. Nix and Weigend, "Estimating the mean and variance of the target probability
//     distribution", 1994.
//   - homoscedastic: log v is the parameter "noise.log_var" f32[d], 0 at the start, which the prior
//     Gamma(1, 0.1) on the precision λ = 1/v keeps off 0. Its density of s = log v is λ times that
//     of λ, so that −log p(s) = s + 0.1·exp(−s) up to a constant. Shape and rate are those of Liu
//     and Wang, "Stein variational gradient descent", NIPS 2016, section 5, on standardised
//     targets. The Gamma(6, 6) of Hernández-Lobato and Adams, "Probabilistic backpropagation",
//     ICML 2015, would hold v above 12/(N + 12) at the mode, however well the network fits: 0.04 of
//     the targets' variance with 277 examples.
//   - fixed: v is given.
//
// A log variance that is an output or a parameter is held within [log 1e-6, log 1e6]; 1e-6 is the
// floor of Lakshminarayanan et al. too. The gradient passes the bounds unchanged, as that of
// PyTorch's GaussianNLLLoss does: a variance at the floor can grow again as soon as the error does.
//
// Predict results in "mean" and "log_var" f32[rows d], in the unit of y.
//
// The Hessian in f is not positive at every y where the variance is an output. HessianRoot is of
// its expectation, the Fisher information, which is 1/v for a mean and ½·(v′/v)² for an output r of
// the variance, v′ = dv/dr: ½ with the link exp.
type Gaussian struct {
	Noise    Noise
	Link     Link      // of Heteroscedastic
	Width    int       // d
	Variance []float64 // of Fixed: v of each number, in the unit of y
	taught   bool
}

// The shape and rate of the prior on the precision of homoscedastic noise.
const (
	gammaShape = 1
	gammaRate  = 0.1
)

// The bounds of a variance.
const (
	minVariance = 1e-6
	maxVariance = 1e6
)

func newGaussian(k Keys, t Target) (Likelihood, error) {
	if t.Classes > 0 {
		return nil, key.Bad("likelihood.name", k.Name, fmt.Sprintf("\"categorical\": the target of the data is one of %d classes and no number", t.Classes))
	}
	l := Gaussian{Noise: Noise(k.Noise), Link: Link(k.Variance), Width: len(t.Units)}
	if l.Noise == "" {
		l.Noise = Heteroscedastic
	}
	switch {
	case l.Noise != Heteroscedastic && l.Noise != Homoscedastic && l.Noise != Fixed:
		return nil, key.Bad("likelihood.noise", string(l.Noise), fmt.Sprintf("%q, %q or %q", Heteroscedastic, Homoscedastic, Fixed))
	case l.Noise != Heteroscedastic && l.Link != "":
		return nil, key.Bad("likelihood.variance", string(l.Link), fmt.Sprintf("none but with noise = %q, whose variance is an output", Heteroscedastic))
	case l.Noise != Fixed && k.Tau != 0:
		return nil, key.Bad("likelihood.tau", k.Tau, fmt.Sprintf("none but with noise = %q", Fixed))
	case l.Noise == Fixed:
		err := l.fix(k.Tau, t.Units)
		return l, err
	case l.Noise == Homoscedastic:
		return l, nil
	}
	switch l.Link {
	case "":
		l.Link = Exp
	case Exp, Softplus:
	default:
		return nil, key.Bad("likelihood.variance", string(l.Link), fmt.Sprintf("%q or %q", Exp, Softplus))
	}
	return l, nil
}

// fix sets the variances that a precision in original units makes.
func (l *Gaussian) fix(tau float64, units []float64) error {
	for i, unit := range units {
		v := 1 / (tau * unit * unit)
		if !(tau > 0 && v >= minVariance && v <= maxVariance) {
			return key.Bad("likelihood.tau", tau, fmt.Sprintf("the precision of noise = %q, %.3g to %.3g where number %d of the target has the standard deviation %.3g",
				Fixed, 1/(maxVariance*unit*unit), 1/(minVariance*unit*unit), i, unit))
		}
		l.Variance = append(l.Variance, v)
	}
	return nil
}

func (l Gaussian) Name() string { return "gaussian" }

func (l Gaussian) Outputs() int {
	if l.Noise == Heteroscedastic {
		return 2 * l.Width
	}
	return l.Width
}

func (l Gaussian) Target(rows int) ir.Type {
	if l.taught {
		return ir.Float(rows, 2*l.Width)
	}
	return ir.Float(rows, l.Width)
}

func (l Gaussian) LogProb(s *nn.Scope, f, y ir.Value) ir.Value {
	p := l.density(s, f)
	if l.Noise == Homoscedastic {
		own := l.parameter(s)
		s.Prior = append(s.Prior, s.Sum(s.Add(s.MulConst(own, gammaShape), s.MulConst(s.Exp(s.Neg(own)), gammaRate))))
	}
	var square ir.Value
	if l.taught {
		square = s.Add(s.Square(s.Sub(l.columns(s, y, 0), p.mean)), l.columns(s, y, 1))
	} else {
		square = s.Square(s.Sub(y, p.mean))
	}
	return s.MulConst(s.AddConst(s.Add(p.logVar, s.Mul(square, p.precision)), math.Log(2*math.Pi)), -0.5)
}

func (l Gaussian) Predict(s *nn.Scope, f ir.Value) []ir.Result {
	p := l.density(s, f)
	return []ir.Result{{Name: "mean", Value: p.mean}, {Name: "log_var", Value: p.logVar}}
}

func (l Gaussian) HessianRoot(s *nn.Scope, f ir.Value) []ir.Value {
	rows, width := s.Shape(f)[0], s.Shape(f)[1]
	p := l.density(s, f)
	root := s.Sqrt(p.precision)
	if l.Noise == Heteroscedastic {
		root = s.Concat(1, root, s.MulConst(p.slope, math.Sqrt(0.5)))
	}
	// The root is diagonal: column c is zero but for its own element.
	columns := make([]ir.Value, width)
	for c := range columns {
		own := s.Slice(root, []int{0, c}, []int{rows, c + 1})
		columns[c] = s.Pad(own, []int{0, c}, []int{0, width - c - 1})
	}
	return columns
}

// Taught has the target f32[rows 2d], the means of the teacher's predictive and behind them its
// variances. Of the predictive no more than these two enter the expectation
//
//	−½[log 2π + log v + ((m_teacher − m)² + v_teacher)/v],
//
// whatever its shape: it is the cross-entropy to a mixture and to the Gaussian of its moments
// alike.
func (l Gaussian) Taught() Likelihood {
	l.taught = true
	return l
}

// Teach is the mean and the variance.
func (l Gaussian) Teach(s *nn.Scope, f ir.Value) ir.Value {
	p := l.density(s, f)
	return s.Concat(1, p.mean, s.Exp(p.logVar))
}

// density is the parameters of p(y | f), each f32[rows d].
type density struct {
	mean, logVar, precision ir.Value
	slope                   ir.Value // v′/v of Heteroscedastic
}

func (l Gaussian) density(s *nn.Scope, f ir.Value) density {
	switch {
	case l.Noise == Fixed:
		rows := s.Shape(f)[0]
		return density{mean: f, logVar: l.each(s, rows, math.Log), precision: l.each(s, rows, func(v float64) float64 { return 1 / v })}
	case l.Noise == Homoscedastic:
		logVar := s.Broadcast(l.parameter(s), s.Shape(f), 1)
		return density{mean: f, logVar: logVar, precision: s.Exp(s.Neg(logVar))}
	}
	mean, r := l.columns(s, f, 0), l.columns(s, f, 1)
	if l.Link == Softplus {
		v := s.AddConst(s.Softplus(r), minVariance)
		return density{mean: mean, logVar: s.Log(v), precision: s.Div(s.Const(1), v), slope: s.Div(s.Sigmoid(r), v)}
	}
	logVar := bounded(s, r)
	return density{mean: mean, logVar: logVar, precision: s.Exp(s.Neg(logVar)), slope: s.Full(1, s.Shape(r)...)}
}

// columns are the first d columns of v f32[rows 2d], or the second.
func (l Gaussian) columns(s *nn.Scope, v ir.Value, which int) ir.Value {
	return s.Slice(v, []int{0, which * l.Width}, []int{s.Shape(v)[0], (which + 1) * l.Width})
}

// parameter is the log variances of homoscedastic noise f32[d].
func (l Gaussian) parameter(s *nn.Scope) ir.Value {
	return bounded(s, s.LearnSpread("noise.log_var", nn.Init{}, l.Width))
}

// each is f of the given variances, f32[rows d].
func (l Gaussian) each(s *nn.Scope, rows int, f func(v float64) float64) ir.Value {
	columns := make([]ir.Value, l.Width)
	for i, v := range l.Variance {
		columns[i] = s.Full(f(v), rows, 1)
	}
	if l.Width == 1 {
		return columns[0]
	}
	return s.Concat(1, columns...)
}

// bounded is a log variance within the bounds, with the gradient of one that has none.
func bounded(s *nn.Scope, v ir.Value) ir.Value {
	clamped := s.Clamp(v, math.Log(minVariance), math.Log(maxVariance))
	return s.Add(s.Stop(clamped), s.Sub(v, s.Stop(v))) // v − v is 0 and has v's gradient
}
