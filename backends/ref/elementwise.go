package ref

import (
	"math"

	"bayesbench/backends/ir"
)

func elementwise1(f func(x float64) float64) eval {
	return func(in *ir.Instr, x []Value) Value {
		y := Zeros(in.Type)
		for i := range y.F {
			y.F[i] = f(x[0].F[i])
		}
		return y
	}
}

func elementwise2(f func(x, z float64) float64) eval {
	return func(in *ir.Instr, x []Value) Value {
		y := Zeros(in.Type)
		for i := range y.F {
			y.F[i] = f(x[0].F[i], x[1].F[i])
		}
		return y
	}
}

func fill(t ir.Type, c float64) Value {
	y := Zeros(t)
	for i := range y.F {
		y.F[i] = c
	}
	return y
}

func neg(x float64) float64   { return -x }
func abs(x float64) float64   { return math.Abs(x) }
func floor(x float64) float64 { return math.Floor(x) }
func exp(x float64) float64   { return math.Exp(x) }
func log(x float64) float64   { return math.Log(x) }
func log1p(x float64) float64 { return math.Log1p(x) }
func sqrt(x float64) float64  { return math.Sqrt(x) }
func sin(x float64) float64   { return math.Sin(x) }
func cos(x float64) float64   { return math.Cos(x) }
func tanh(x float64) float64  { return math.Tanh(x) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0, or NaN
}

func add(x, z float64) float64 { return x + z }
func sub(x, z float64) float64 { return x - z }
func mul(x, z float64) float64 { return x * z }
func div(x, z float64) float64 { return x / z }

// The built-in max and min give NaN where either operand is; math.Max does not.

func larger(x, z float64) float64  { return max(x, z) }
func smaller(x, z float64) float64 { return min(x, z) }

func less(x, z float64) float64      { return mask(x < z) }
func lessEqual(x, z float64) float64 { return mask(x <= z) }
func equal(x, z float64) float64     { return mask(x == z) }

func mask(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func selectOp(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	for i := range y.F {
		if x[0].F[i] != 0 {
			y.F[i] = x[1].F[i]
		} else {
			y.F[i] = x[2].F[i]
		}
	}
	return y
}
