package ref

import (
	"math"

	"bayesbench/backends/ir"
)

// The composites by their own formulas; that they equal their expansions in
// core ops is tested.

func square(x float64) float64  { return x * x }
func relu(x float64) float64    { return max(x, 0) }
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is log(1+exp x), written so that exp does not overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// logSoftmax is x − log Σ exp x over each row of the last axis.
func logSoftmax(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	n := in.Type.Shape[len(in.Type.Shape)-1]
	for start := 0; start < len(y.F); start += n {
		row, out := x[0].F[start:start+n], y.F[start:start+n]
		top := math.Inf(-1)
		for _, v := range row {
			top = max(top, v)
		}
		sum := 0.0
		for _, v := range row {
			sum += math.Exp(v - top)
		}
		for i, v := range row {
			out[i] = v - top - math.Log(sum)
		}
	}
	return y
}

// linear is y[i, o] = Σ_k x[i, k]·w[o, k] + b[o].
func linear(in *ir.Instr, a []Value) Value {
	x, w, bias, y := a[0].F, a[1].F, a[2].F, Zeros(in.Type)
	outs, inner := in.Type.Shape[1], a[0].Type.Shape[1]
	each(in.Type.Shape, func(p int, idx []int) {
		i, o := idx[0], idx[1]
		y.F[i*outs+o] = bias[o]
		for k := range inner {
			y.F[p] += x[i*inner+k] * w[o*inner+k]
		}
	})
	return y
}
