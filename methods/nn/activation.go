package nn

import (
	"math"

	"bayesbench/backends/ir"
)

// Activations that are no ops of package ir. Each is elementwise.

// Gelu is x·Φ(x), Φ the distribution function of N(0, 1). Hendrycks and Gimpel, "Gaussian error
// linear units", 2016.
func Gelu(b *ir.Builder, x ir.Value) ir.Value {
	half := b.MulConst(b.AddConst(Erf(b, b.MulConst(x, math.Sqrt2/2)), 1), 0.5)
	return b.Mul(x, half)
}

// GeluTanh is the approximation of Gelu by tanh, of the same paper.
func GeluTanh(b *ir.Builder, x ir.Value) ir.Value {
	cubic := b.MulConst(b.Mul(x, b.Square(x)), 0.044715)
	inner := b.MulConst(b.Add(x, cubic), math.Sqrt(2/math.Pi))
	return b.Mul(x, b.MulConst(b.AddConst(b.Tanh(inner), 1), 0.5))
}

// Erf is the error function to 2e-7. Abramowitz and Stegun, Handbook of Mathematical Functions,
// 1964, 7.1.26.
func Erf(b *ir.Builder, x ir.Value) ir.Value {
	size := b.Abs(x)
	t := b.Div(b.Const(1), b.AddConst(b.MulConst(size, 0.3275911), 1))
	poly := b.MulConst(t, 1.061405429)
	for _, a := range []float64{-1.453152027, 1.421413741, -0.284496736, 0.254829592} {
		poly = b.Mul(b.AddConst(poly, a), t)
	}
	tail := b.Mul(poly, b.Exp(b.Neg(b.Square(x))))
	return b.Mul(b.Sign(x), b.Sub(b.Const(1), tail))
}

// Silu is x·sigmoid(x), also called Swish.
func Silu(b *ir.Builder, x ir.Value) ir.Value { return b.Mul(x, b.Sigmoid(x)) }

// LeakyRelu is x where x is positive, else slope·x.
func LeakyRelu(b *ir.Builder, x ir.Value, slope float64) ir.Value {
	return b.Add(b.Relu(x), b.MulConst(b.Min(x, b.Const(0)), slope))
}

// Elu is x where x is positive, else alpha·(exp(x) − 1). Clevert et al., "Fast and accurate deep
// network learning by exponential linear units", ICLR 2016.
func Elu(b *ir.Builder, x ir.Value, alpha float64) ir.Value {
	below := b.AddConst(b.Exp(b.Min(x, b.Const(0))), -1)
	return b.Add(b.Relu(x), b.MulConst(below, alpha))
}

// HardSigmoid is slope·x + shift, limited to [0, 1].
func HardSigmoid(b *ir.Builder, x ir.Value, slope, shift float64) ir.Value {
	return b.Clamp(b.AddConst(b.MulConst(x, slope), shift), 0, 1)
}

// HardSwish is x·min(max(x + 3, 0), 6)/6. Howard et al., "Searching for MobileNetV3", ICCV 2019.
func HardSwish(b *ir.Builder, x ir.Value) ir.Value {
	return b.Mul(x, HardSigmoid(b, x, 1./6, 0.5))
}

// Mish is x·tanh(softplus(x)). Misra, "Mish", BMVC 2020.
func Mish(b *ir.Builder, x ir.Value) ir.Value { return b.Mul(x, b.Tanh(b.Softplus(x))) }
