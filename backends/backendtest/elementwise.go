package backendtest

import (
	"math"

	"bayesbench/backends/ir"
)

// shapes are what an elementwise op is tried on: scalar, size one, odd, prime,
// empty, and more than one block of any kernel.
var shapes = [][]int{{}, {1}, {7}, {3, 5}, {2, 3, 4}, {17, 1}, {1, 1, 1, 1}, {0}, {3, 0, 2}, {8, 16}, {4099}}

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// A library function of float32 is good to a few ulp of its result.
var fewUlp = Tolerance{0, 1e-6, "a float32 library function, 8 ulp"}

// unary describes an op of one operand: where it is tried, and the special
// values that it is defined on.
type unary struct {
	op      ir.Op
	apply   func(b *ir.Builder, x ir.Value) ir.Value
	lo, hi  float64
	special []float64
	tol     Tolerance
}

var unaries = []unary{
	{ir.Neg, (*ir.Builder).Neg, -3, 3, []float64{0, inf, -inf, nan, 3e38}, exact},
	{ir.Abs, (*ir.Builder).Abs, -3, 3, []float64{0, inf, -inf, nan, -3e38}, exact},
	{ir.Sign, (*ir.Builder).Sign, -3, 3, []float64{0, math.Copysign(0, -1), inf, -inf, 1e-30, -1e-30}, exact},
	{ir.Floor, (*ir.Builder).Floor, -9, 9, []float64{0, 1, -1, 0.5, -0.5, -1e-10, 8388607.5, -8388607.5, 3e9, -3e38, inf, -inf, nan}, exact},
	{ir.Exp, (*ir.Builder).Exp, -80, 80, []float64{0, 1e-8, -1e-8, 1, -1, 88, -87, 200, inf, -inf, nan, 3e38}, fewUlp},
	// Special values next to 1: the logarithm is small there and its relative
	// error shows, and Box-Muller takes its square root.
	{ir.Log, (*ir.Builder).Log, 1e-3, 20, []float64{1, 1 - 0x1p-24, 1 + 0x1p-23, 0.999, 1.001, 0.5, 2, 1e-37, 3e38, 0, -1, inf, nan}, fewUlp},
	{ir.Log1p, (*ir.Builder).Log1p, -0.9, 20, []float64{0, 1e-8, -1e-8, 1e-4, -1e-4, 1e-30, 3e38, -1, -2, inf, nan}, fewUlp},
	{ir.Sqrt, (*ir.Builder).Sqrt, 0, 100, []float64{0, 1, 4, 1e-37, 3e38, -1, inf, nan},
		Tolerance{0, 2 * ulp, "correct rounding, or 1 ulp on devices that approximate"}},
	{ir.Sin, (*ir.Builder).Sin, -100, 100, []float64{0, 1e-6, math.Pi, inf, -inf, nan},
		Tolerance{2e-7, 1e-6, "reduction of the angle: 3 ulp of 1"}},
	{ir.Cos, (*ir.Builder).Cos, -100, 100, []float64{0, 1e-6, math.Pi / 2, inf, -inf, nan},
		Tolerance{2e-7, 1e-6, "reduction of the angle: 3 ulp of 1"}},
	{ir.Tanh, (*ir.Builder).Tanh, -10, 10, []float64{0, 1e-4, -1e-4, 9, -9, 100, -100, 3e38, inf, -inf, nan},
		Tolerance{1.5e-7, 1e-6, "by way of exp: 1 ulp of 1 near 0"}},
	{ir.Square, (*ir.Builder).Square, -3, 3, []float64{0, 1e18, inf, -inf, nan}, exact},
	{ir.Relu, (*ir.Builder).Relu, -3, 3, []float64{0, 1e-30, -1e-30, inf, -inf, nan}, exact},
	{ir.Sigmoid, (*ir.Builder).Sigmoid, -20, 20, []float64{0, 90, -90, 3e38, -3e38, inf, -inf, nan},
		Tolerance{1.5e-7, 1e-6, "its expansion adds 1: 1 ulp of 1"}},
	{ir.Softplus, (*ir.Builder).Softplus, -20, 20, []float64{0, 90, -80, 3e38, -3e38, inf, -inf, nan},
		Tolerance{0, 2e-6, "two library functions"}},
	{ir.Stop, (*ir.Builder).Stop, -3, 3, []float64{0, inf, -inf, nan}, exact},
}

// binary describes an op of two operands. Its special values are tried in all
// pairs.
type binary struct {
	op      ir.Op
	apply   func(b *ir.Builder, x, z ir.Value) ir.Value
	special []float64
	tol     Tolerance
}

var binaries = []binary{
	{ir.Add, (*ir.Builder).Add, []float64{0, 1, -1, 3e38, inf, -inf, nan}, exact},
	{ir.Sub, (*ir.Builder).Sub, []float64{0, 1, -1, 3e38, inf, -inf, nan}, exact},
	{ir.Mul, (*ir.Builder).Mul, []float64{0, 1, -1, 3e38, inf, -inf, nan}, exact},
	{ir.Div, (*ir.Builder).Div, []float64{0, 1, -1, 3, 1e19, inf, -inf, nan},
		Tolerance{0, 2 * ulp, "correct rounding, or 1 ulp on devices that approximate"}},
	{ir.Max, (*ir.Builder).Max, []float64{0, 1, -1, inf, -inf, nan}, exact},
	{ir.Min, (*ir.Builder).Min, []float64{0, 1, -1, inf, -inf, nan}, exact},
	{ir.Less, (*ir.Builder).Less, []float64{0, 1, -1, inf, -inf, nan}, exact},
	{ir.LessEqual, (*ir.Builder).LessEqual, []float64{0, 1, -1, inf, -inf, nan}, exact},
	{ir.Equal, (*ir.Builder).Equal, []float64{0, 1, -1, inf, -inf, nan}, exact},
}

func elementwiseCases() []Case {
	var out []Case
	for _, u := range unaries {
		out = append(out,
			newCase("elementwise/"+u.op.String(), u.tol, func(m *maker) {
				for _, s := range shapes {
					m.result(u.apply(m.Builder, m.between(u.lo, u.hi, s...)), "%v", s)
				}
			}),
			newCase("special/"+u.op.String(), u.tol, func(m *maker) {
				m.result(u.apply(m.Builder, m.float(floats(u.special...), len(u.special))), "special")
			}))
	}
	for _, o := range binaries {
		out = append(out,
			newCase("elementwise/"+o.op.String(), o.tol, func(m *maker) {
				for _, s := range shapes {
					m.result(o.apply(m.Builder, m.integers(-3, 3, s...), m.integers(-3, 3, s...)), "integers %v", s)
					m.result(o.apply(m.Builder, m.normal(s...), m.normal(s...)), "%v", s)
				}
				x := m.normal(5, 3)
				m.result(o.apply(m.Builder, x, x), "an operand and itself")
			}),
			// Operands that repeat along some axes, as a fusing backend may read them in place.
			newCase("broadcast/"+o.op.String(), o.tol, func(m *maker) {
				for _, s := range [][]int{{3, 5, 7}, {1, 9, 64}, {2, 1, 33}} {
					x := m.normal(s...)
					row, column := m.normal(s[2]), m.normal(s[0])
					middle, plane := m.normal(s[1]), m.normal(s[1], s[2])
					m.result(o.apply(m.Builder, x, m.Const(0.5)), "const %v", s)
					m.result(o.apply(m.Builder, m.Const(0.5), x), "const first %v", s)
					m.result(o.apply(m.Builder, x, m.normal()), "scalar %v", s)
					m.result(o.apply(m.Builder, x, row), "row %v", s)
					m.result(o.apply(m.Builder, row, x), "row first %v", s)
					m.result(o.apply(m.Builder, x, plane), "plane %v", s)
					m.result(o.apply(m.Builder, x, m.Broadcast(middle, s, 1)), "middle %v", s)
					m.result(o.apply(m.Builder, m.Broadcast(column, s, 0), x), "column %v", s)
					m.result(o.apply(m.Builder, m.Broadcast(column, s, 0), m.Broadcast(row, s, 2)), "outer %v", s)
				}
			}),
			newCase("special/"+o.op.String(), o.tol, func(m *maker) {
				n := len(o.special)
				x := m.float(floats(o.special...), n)
				m.result(o.apply(m.Builder, m.Broadcast(x, []int{n, n}, 0), m.Broadcast(x, []int{n, n}, 1)), "pairs")
			}))
	}
	return append(out,
		newCase("elementwise/const", exact, func(m *maker) {
			for _, s := range shapes {
				m.result(m.Full(-1.5, s...), "%v", s)
			}
			for _, x := range []float64{0, 0.1, 1e-30, 3e38, inf, -inf, nan} {
				m.result(m.Full(x, 3), "%v", x)
			}
		}),
		newCase("elementwise/select", exact, func(m *maker) {
			for _, s := range shapes {
				mask := m.integers(-1, 1, s...)
				m.result(m.Select(mask, m.normal(s...), m.normal(s...)), "%v", s)
				m.result(m.Select(m.Less(mask, m.Const(0)), m.normal(s...), m.Const(7)), "less %v", s)
			}
		}),
		// What is not chosen must not leak: 0·Inf would be NaN.
		newCase("special/select", exact, func(m *maker) {
			mask := m.float(floats(0, 1, 0, 1, 0, 1, -2, 0.5), 8)
			x := m.float(floats(inf, inf, nan, nan, 1, 1, 1, -inf), 8)
			z := m.float(floats(1, nan, 1, 2, -inf, -inf, inf, nan), 8)
			m.result(m.Select(mask, x, z), "x or z")
			m.result(m.Select(mask, z, x), "z or x")
		}),
		// A long chain over one array, as the blocks of a fused loop see it.
		newCase("elementwise/chain", Tolerance{1e-6, 1e-5, "ten ops in a row"}, func(m *maker) {
			for _, s := range [][]int{{1}, {31}, {5, 1023}, {0, 4}} {
				x, z := m.normal(s...), m.normal(s...)
				y := m.Mul(m.Tanh(m.Add(x, z)), m.Sigmoid(x))
				y = m.Add(m.Sqrt(m.AddConst(m.Square(y), 1)), m.Exp(m.Neg(m.Abs(z))))
				y = m.Select(m.Less(x, z), y, m.Div(m.Sub(x, y), m.AddConst(m.Square(z), 0.5)))
				m.result(m.Clamp(y, -1, 2), "%v", s)
				m.result(y, "before clamp %v", s) // used within and as a result
			}
		}),
	)
}
