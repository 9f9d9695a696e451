package task

import (
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/key"
	"bayesbench/methods/nn"
)

func init() {
	kinds["gaussian"] = kind{"numbers with Gaussian noise: heteroscedastic, homoscedastic or fixed", newGaussian}
}

// Noise says where the variance of a [Gaussian] comes from.
type Noise string

const (
	Heteroscedastic Noise = "heteroscedastic" // outputs of the network's
	Homoscedastic   Noise = "homoscedastic"   // a parameter for each number of the target
	Fixed           Noise = "fixed"           // given
)

// Gaussian is d independent numbers with Gaussian noise,
//
//	log p(y | f) = Σ_i −½[log 2π + s_i + (y_i − m_i)²·exp(−s_i)]
//
// m = f[:, :d] the means and s the log variances, in the unit of y, which is standardised. By Noise:
//
//   - heteroscedastic: s = f[:, d:], so that the last layer has 2d outputs. Nix and Weigend,
//     "Estimating the mean and variance of the target probability distribution", 1994.
//   - homoscedastic: s is the parameter "noise.log_var" f32[d], 0 at the start, which the prior
//     Gamma(6, 6) on the precision λ = exp(−s) keeps near 1. Its density of s is λ times that of
//     λ, so that −log p(s) = 6·s + 6·exp(−s) up to a constant. Shape and rate are those of
//     Hernández-Lobato and Adams, "Probabilistic backpropagation", ICML 2015, on standardised
//     targets.
//   - fixed: s is given.
//
// A log variance is held within [log 1e-6, log 1e6]; 1e-6 is the floor of Lakshminarayanan et al.
// 2017, who add it. The gradient passes the bounds unchanged, as that of PyTorch's GaussianNLLLoss
// does: a variance at the floor can grow again as soon as the error does.
//
// Predict results in "mean" and "log_var" f32[rows d], in the unit of y.
//
// The Hessian in f is not positive at every y where s is an output; HessianRoot is of its
// expectation, the Fisher information diag(exp(−s), ½), or diag(exp(−s)) where s is no output.
type Gaussian struct {
	Noise    Noise
	Width    int       // d
	Variance []float64 // of Fixed: σ² of each number, in the unit of y
	taught   bool
}

// The shape and rate of the prior on the precision of homoscedastic noise.
const (
	gammaShape = 6
	gammaRate  = 6
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
	l := Gaussian{Noise: k.Noise, Width: len(t.Units)}
	switch k.Noise {
	case "":
		l.Noise = Heteroscedastic
	case Heteroscedastic, Homoscedastic, Fixed:
	default:
		return nil, key.Bad("likelihood.noise", string(k.Noise), fmt.Sprintf("%q, %q or %q", Heteroscedastic, Homoscedastic, Fixed))
	}
	if l.Noise != Fixed {
		if k.Tau != 0 {
			return nil, key.Bad("likelihood.tau", k.Tau, fmt.Sprintf("none but with noise = %q", Fixed))
		}
		return l, nil
	}
	for i, unit := range t.Units {
		v := 1 / (k.Tau * unit * unit)
		if !(k.Tau > 0 && v >= minVariance && v <= maxVariance) {
			return nil, key.Bad("likelihood.tau", k.Tau, fmt.Sprintf("a precision of %.3g to %.3g, since number %d of the target has the standard deviation %.3g (noise = %q takes a tau)",
				1/(maxVariance*unit*unit), 1/(minVariance*unit*unit), i, unit, Fixed))
		}
		l.Variance = append(l.Variance, v)
	}
	return l, nil
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
	mean, logVar, precision := l.moments(s, f)
	if l.Noise == Homoscedastic {
		own := l.parameter(s)
		s.Prior = append(s.Prior, s.Sum(s.Add(s.MulConst(own, gammaShape), s.MulConst(s.Exp(s.Neg(own)), gammaRate))))
	}
	var square ir.Value
	if l.taught {
		square = s.Add(s.Square(s.Sub(l.columns(s, y, 0), mean)), l.columns(s, y, 1))
	} else {
		square = s.Square(s.Sub(y, mean))
	}
	return s.MulConst(s.AddConst(s.Add(logVar, s.Mul(square, precision)), math.Log(2*math.Pi)), -0.5)
}

func (l Gaussian) Predict(s *nn.Scope, f ir.Value) []ir.Result {
	mean, logVar, _ := l.moments(s, f)
	return []ir.Result{{Name: "mean", Value: mean}, {Name: "log_var", Value: logVar}}
}

func (l Gaussian) HessianRoot(s *nn.Scope, f ir.Value) []ir.Value {
	_, logVar, _ := l.moments(s, f)
	rows, width := s.Shape(f)[0], s.Shape(f)[1]
	var columns []ir.Value
	// at is the column v f32[rows 1] as the one of f with number i.
	at := func(v ir.Value, i int) ir.Value { return s.Pad(v, []int{0, i}, []int{0, width - i - 1}) }
	root := s.Exp(s.MulConst(logVar, -0.5))
	for i := range l.Width {
		columns = append(columns, at(s.Slice(root, []int{0, i}, []int{rows, i + 1}), i))
	}
	for i := l.Width; i < width; i++ {
		columns = append(columns, at(s.Full(math.Sqrt(0.5), rows, 1), i))
	}
	return columns
}

// Taught has the target f32[rows 2d], the means of the teacher's predictive and behind them its
// variances. Of the predictive no more than these two enter the expectation
//
//	−½[log 2π + s + ((m_teacher − m)² + v_teacher)·exp(−s)],
//
// whatever its shape: it is the cross-entropy to a mixture and to the Gaussian of its moments alike.
func (l Gaussian) Taught() Likelihood {
	l.taught = true
	return l
}

// Teach is the mean and the variance.
func (l Gaussian) Teach(s *nn.Scope, f ir.Value) ir.Value {
	mean, logVar, _ := l.moments(s, f)
	return s.Concat(1, mean, s.Exp(logVar))
}

// moments are the mean, the log variance and its inverse's exponential, the precision, each
// f32[rows d].
func (l Gaussian) moments(s *nn.Scope, f ir.Value) (mean, logVar, precision ir.Value) {
	switch shape := s.Shape(f); l.Noise {
	case Heteroscedastic:
		mean, logVar = l.columns(s, f, 0), bounded(s, l.columns(s, f, 1))
	case Homoscedastic:
		mean, logVar = f, s.Broadcast(l.parameter(s), shape, 1)
	default:
		mean = f
		return f, l.each(s, shape[0], math.Log), l.each(s, shape[0], func(v float64) float64 { return 1 / v })
	}
	return mean, logVar, s.Exp(s.Neg(logVar))
}

// columns are the first d columns of v f32[rows 2d], or the second.
func (l Gaussian) columns(s *nn.Scope, v ir.Value, which int) ir.Value {
	return s.Slice(v, []int{0, which * l.Width}, []int{s.Shape(v)[0], (which + 1) * l.Width})
}

// parameter is the log variances of homoscedastic noise f32[d].
func (l Gaussian) parameter(s *nn.Scope) ir.Value {
	return bounded(s, s.Learn("noise.log_var", nn.Init{}, l.Width))
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
