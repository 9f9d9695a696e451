package nn

import (
	"fmt"

	"bayesbench/backends/ir"
)

// Gaussian is layers whose weights have independent Gaussian posteriors
// q(w) = N(mean, std²); biases and batch normalisation's scale and shift are
// point estimates unless Vector gives them one too, response normalisation's
// always.
// The methods differ in the Weight they supply.
type Gaussian struct {
	Point
	// Weight declares the slots of one weight tensor, adds its KL, and gives
	// its posterior.
	Weight func(layer string, shape []int) Posterior
	// Vector does the same for a bias or batch normalisation's scale or shift,
	// name its slot's, [n]; nil for point estimates. Every estimator but Mean
	// draws one for the whole batch.
	Vector    func(name string, init Init, n int) Posterior
	Estimator Estimator
	// Only, where set, is the one layer that has a posterior; the others are
	// point estimates.
	Only string
}

// bayesian reports whether the layer has a posterior.
func (g *Gaussian) bayesian(layer string) bool { return g.Only == "" || g.Only == layer }

// Posterior is the factorised Gaussian over one weight tensor. Std and
// Variance say the same; an estimator uses one of them.
type Posterior struct {
	Mean, Std, Variance ir.Value
}

// Estimator says how the weights' noise enters a forward pass.
type Estimator string

const (
	// Mean draws nothing: the weights are their posterior means.
	Mean Estimator = "mean"
	// Local draws the outputs rather than the weights, an own sample for every
	// example: y = x·meanᵀ + b + √(x²·varᵀ + 1e-8)·ε. Kingma, Salimans, Welling,
	// "Variational dropout and the local reparameterization trick", NIPS 2015,
	// eq. 6. For convolutions it takes the outputs of one map as independent,
	// as the literature does.
	Local Estimator = "local"
	// Weight draws one w = mean + std·ε for the whole batch. Blundell et al.,
	// "Weight uncertainty in neural networks", ICML 2015.
	Weight Estimator = "weight"
	// Datum draws an own w for every example, which for a batch of n takes n
	// times the noise of Weight: for fully connected layers, to compare with.
	Datum Estimator = "datum"
	// Flipout draws one std·ε for the batch and gives every example random
	// signs s, r of its inputs and outputs: y = x·meanᵀ + b + ((x∘s)·(std·ε)ᵀ)∘r.
	// Wen et al., "Flipout", ICLR 2018, eq. 4.
	Flipout Estimator = "flipout"
)

// UnmarshalText reads the estimators that train.
func (e *Estimator) UnmarshalText(text []byte) error {
	switch v := Estimator(text); v {
	case Local, Weight, Datum, Flipout:
		*e = v
		return nil
	}
	return fmt.Errorf("estimator = %q: want \"local\", \"weight\", \"datum\" or \"flipout\"", text)
}

// varianceFloor keeps the gradient of the square root finite where the
// variance of an output vanishes.
const varianceFloor = 1e-8

func (g *Gaussian) Linear(name string, x ir.Value, out int) ir.Value {
	if !g.bayesian(name) {
		return g.Point.Linear(name, x, out)
	}
	q := g.Weight(name, []int{out, g.Shape(x)[1]})
	b := g.biasValue(name, out)
	return g.apply(x, q,
		func(x, w ir.Value) ir.Value { return g.Scope.Linear(x, w, b) },
		func(x, w ir.Value) ir.Value { return g.MatMul(x, w, false, true) })
}

func (g *Gaussian) Conv(name string, x ir.Value, c Conv) ir.Value {
	if !g.bayesian(name) {
		return g.Point.Conv(name, x, c)
	}
	q := g.Weight(name, c.shape(g.channels(name, x)))
	stride, pad, groups := c.window()
	conv := func(x, w ir.Value) ir.Value { return g.Conv2D(x, w, stride, pad, groups) }
	if c.NoBias {
		return g.apply(x, q, conv, conv)
	}
	b := g.biasValue(name, c.Out)
	return g.apply(x, q, func(x, w ir.Value) ir.Value { return g.addBias(conv(x, w), b) }, conv)
}

func (g *Gaussian) biasValue(layer string, out int) ir.Value {
	if g.Vector == nil {
		return g.bias(layer, out)
	}
	return g.vector(layer+".b", Init{}, out)
}

// vector draws a parameter that Vector gives a posterior.
func (g *Gaussian) vector(name string, init Init, n int) ir.Value {
	q := g.Vector(name, init, n)
	if g.Estimator == Mean {
		return q.Mean
	}
	return g.Add(q.Mean, g.Mul(q.Std, g.Noise(n)))
}

func (g *Gaussian) BatchNorm(name string, x ir.Value, n Norm) ir.Value {
	if g.Vector == nil || !g.bayesian(name) {
		return g.Point.BatchNorm(name, x, n)
	}
	channels := g.Shape(x)[1]
	return g.normalise(name, x, n, g.vector(name+".gamma", Init{A: 1}, channels), g.vector(name+".beta", Init{}, channels))
}

// apply is the layer under the estimator; affine and linear apply weights to x
// with the bias and without.
func (g *Gaussian) apply(x ir.Value, q Posterior, affine, linear func(x, w ir.Value) ir.Value) ir.Value {
	switch g.Estimator {
	case Mean:
		return affine(x, q.Mean)
	case Local:
		y := affine(x, q.Mean)
		std := g.Sqrt(g.AddConst(linear(g.Square(x), q.Variance), varianceFloor))
		return g.Add(y, g.Mul(std, g.RowNoise(g.Shape(y)...)))
	case Weight:
		return affine(x, g.Add(q.Mean, g.Mul(q.Std, g.Noise(g.Shape(q.Mean)...))))
	case Datum:
		if g.Type(x).Rank() != 2 {
			g.Fail(fmt.Errorf("estimator %q is for fully connected layers", Datum))
		}
		std := g.Shape(q.Std)
		each := []int{g.Shape(x)[0], std[0], std[1]} // row, output, input
		noise := g.Mul(g.RowNoise(each...), q.Std)
		return g.Add(affine(x, q.Mean), g.Sum(g.Mul(noise, g.Broadcast(x, each, 0, 2)), 2))
	case Flipout:
		y := affine(x, q.Mean)
		step := g.Mul(q.Std, g.Noise(g.Shape(q.Mean)...))
		return g.Add(y, g.Mul(g.signs(y), linear(g.Mul(x, g.signs(x)), step)))
	}
	g.Fail(fmt.Errorf("no estimator %q", g.Estimator))
	return ir.None
}

// signs draws −1 or 1 for every example and channel of x, alike over a map.
func (g *Gaussian) signs(x ir.Value) ir.Value {
	shape := g.Shape(x)
	half := g.Less(g.RowChance(shape[0], shape[1]), g.Const(0.5))
	return g.Broadcast(g.AddConst(g.MulConst(half, 2), -1), shape, 0, 1)
}
