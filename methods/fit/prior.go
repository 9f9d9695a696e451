package fit

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// GaussianPrior is −log N(w; 0, sigma²) of a weight tensor up to a constant,
// Σ w²/(2·sigma²); nil, a flat prior, where sigma is infinite.
func GaussianPrior(s *nn.Scope, sigma float64) func(w ir.Value) ir.Value {
	if math.IsInf(sigma, 1) {
		return nil
	}
	return func(w ir.Value) ir.Value { return s.MulConst(s.Sum(s.Square(w)), 1/(2*sigma*sigma)) }
}

// UnderPrior is point layers whose parameters all have the prior N(0, sigma²),
// biases and batch normalisation's scale and shift included: what a method that
// explores the whole posterior needs it to be proper.
func UnderPrior(sigma float64, init nn.Initializer) func(s *nn.Scope) nn.Layers {
	return func(s *nn.Scope) nn.Layers {
		prior := GaussianPrior(s, sigma)
		return &nn.Point{Scope: s, Init: init, Penalty: prior, BiasPenalty: prior}
	}
}
