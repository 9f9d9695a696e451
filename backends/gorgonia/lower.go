package gorgonia

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

type node = gorgonia.Node

// lowering emits one instruction. Its operands and its result have elements.
type lowering func(e *emitter, in *ir.Instr, x []*node) *node

// lowerings holds every core op but Param.
var lowerings map[ir.Op]lowering

func init() {
	lowerings = map[ir.Op]lowering{
		ir.Const: func(e *emitter, in *ir.Instr, _ []*node) *node { return e.full(in.Value, in.Type) },

		ir.Neg:   native1(gorgonia.Neg),
		ir.Abs:   native1(gorgonia.Abs),
		ir.Sign:  native1(gorgonia.Sign),
		ir.Floor: native1(gorgonia.Floor),
		ir.Log:   native1(gorgonia.Log),
		ir.Log1p: native1(gorgonia.Log1p),
		ir.Sqrt:  native1(gorgonia.Sqrt),
		ir.Tanh:  native1(gorgonia.Tanh),

		ir.Exp: own1(math.Exp),
		ir.Sin: own1(math.Sin),
		ir.Cos: own1(math.Cos),

		ir.Add: native2(gorgonia.Add),
		ir.Sub: native2(gorgonia.Sub),
		ir.Mul: native2(gorgonia.HadamardProd),

		ir.Less:      comparison(gorgonia.Lt),
		ir.LessEqual: comparison(gorgonia.Lte),
		ir.Equal:     comparison(gorgonia.Eq),

		ir.Div:    own2(func(x, z float32) float32 { return x / z }),
		ir.Max:    own2(func(x, z float32) float32 { return max(x, z) }),
		ir.Min:    own2(func(x, z float32) float32 { return min(x, z) }),
		ir.Select: own(selectOp),

		ir.Broadcast: own(broadcast),
		ir.Reshape:   own(reshape),
		ir.Transpose: own(transpose),
		ir.Slice:     own(slice),
		ir.Pad:       own(pad),
		ir.Concat:    func(e *emitter, in *ir.Instr, x []*node) *node { return e.concat(in.Type, in.Axis, x) },
		ir.Gather:    own(gather),
		ir.OneHot:    own(oneHot),

		ir.ReduceSum: reduceSum,
		ir.ReduceMax: own(reduceMax),

		ir.MatMul:      matMul,
		ir.Conv2D:      conv2D,
		ir.Conv2DDX:    conv2DDX,
		ir.Conv2DDW:    conv2DDW,
		ir.MaxPool:     own(maxPool),
		ir.MaxPoolGrad: own(maxPoolGrad),
		ir.AvgPool:     own(avgPool),
		ir.AvgPoolGrad: own(avgPoolGrad),

		ir.Uniform: own(uniform),
		ir.Normal:  own(normal),
	}
}

// Gorgonia's own.

func native1(f func(*node) (*node, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []*node) *node { return e.do(f(x[0])) }
}

func native2(f func(x, z *node) (*node, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []*node) *node { return e.do(f(x[0], x[1])) }
}

// comparison asks for the result as numbers.
func comparison(f func(x, z *node, asNumber bool) (*node, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []*node) *node { return e.do(f(x[0], x[1], true)) }
}

// loop is a custom op's code for one instruction, given its operands' types.
type loop func(in *ir.Instr, types []ir.Type) func(y array, x []array)

// own makes a custom op of a loop.
func own(k loop) lowering {
	return func(e *emitter, in *ir.Instr, x []*node) *node {
		types := make([]ir.Type, len(x))
		for i, a := range in.Args {
			types[i] = e.p.Type(a)
		}
		return e.custom(in, k, types, x...)
	}
}

func (e *emitter) custom(in *ir.Instr, k loop, types []ir.Type, x ...*node) *node {
	return e.apply(fmt.Sprintf("%v %+v", in.Op, in.Attrs), in.Type, k(in, types), x, types...)
}

func own1(f func(float64) float64) lowering {
	return own(func(*ir.Instr, []ir.Type) func(y array, x []array) {
		return func(y array, x []array) {
			for i, v := range x[0].f {
				y.f[i] = float32(f(float64(v)))
			}
		}
	})
}

func own2(f func(x, z float32) float32) lowering {
	return own(func(*ir.Instr, []ir.Type) func(y array, x []array) {
		return func(y array, x []array) {
			for i, v := range x[0].f {
				y.f[i] = f(v, x[1].f[i])
			}
		}
	})
}

func selectOp(*ir.Instr, []ir.Type) func(y array, x []array) {
	return func(y array, x []array) {
		for i, m := range x[0].f {
			if m != 0 {
				y.f[i] = x[1].f[i]
			} else {
				y.f[i] = x[2].f[i]
			}
		}
	}
}

func uniform(in *ir.Instr, _ []ir.Type) func(y array, x []array) {
	return func(y array, x []array) {
		rng.UniformFrom(y.f, rng.Key(x[0].u[:2]), in.Stream, ir.NoiseStart(in.Type, x[0].u))
	}
}

func normal(in *ir.Instr, _ []ir.Type) func(y array, x []array) {
	return func(y array, x []array) {
		rng.NormalFrom(y.f, rng.Key(x[0].u[:2]), in.Stream, ir.NoiseStart(in.Type, x[0].u))
	}
}

// matMul is Gorgonia's product of two matrices. That one of its operands is
// transposed cannot be said to Mul, so such a one is copied.
func matMul(e *emitter, in *ir.Instr, x []*node) *node {
	operand := func(i int, trans bool) (*node, ir.Type) {
		t := e.p.Type(in.Args[i])
		if !trans {
			return x[i], t
		}
		return e.transposed(x[i], t)
	}
	a, ta := operand(0, in.TransA)
	b, tb := operand(1, in.TransB)
	return e.product(a, ta, b, tb)
}

func (e *emitter) transposed(x *node, t ir.Type) (*node, ir.Type) {
	to := ir.Float(t.Shape[1], t.Shape[0])
	in := &ir.Instr{Op: ir.Transpose, Attrs: ir.Attrs{Dims: []int{1, 0}}, Type: to}
	return e.custom(in, transpose, []ir.Type{t}, x), to
}

func (e *emitter) product(a *node, _ ir.Type, b *node, _ ir.Type) *node {
	return e.do(gorgonia.Mul(a, b))
}

func (e *emitter) reshaped(x *node, from ir.Type, shape ...int) *node {
	if slices.Equal(from.Shape, shape) {
		return x
	}
	in := &ir.Instr{Op: ir.Reshape, Type: ir.Type{DType: from.DType, Shape: shape}}
	return e.custom(in, reshape, []ir.Type{from}, x)
}

// reduceSum is Gorgonia's sum of the rows or columns of a matrix, which the
// operand is brought into the form of.
func reduceSum(e *emitter, in *ir.Instr, x []*node) *node {
	t := e.p.Type(in.Args[0])
	if len(in.Dims) == 0 {
		return x[0]
	}
	reduced, kept := 1, in.Type.Size()
	for _, d := range in.Dims {
		reduced *= t.Shape[d]
	}
	rank, n := t.Rank(), len(in.Dims)
	a, axis, to := x[0], 1, ir.Float(kept, reduced)
	switch {
	case in.Dims[0] == rank-n: // the last axes
		a = e.reshaped(a, t, kept, reduced)
	case in.Dims[n-1] == n-1: // the first
		axis, to = 0, ir.Float(reduced, kept)
		a = e.reshaped(a, t, reduced, kept)
	default:
		var order, shape []int
		for d := range rank {
			if !slices.Contains(in.Dims, d) {
				order = append(order, d)
			}
		}
		for _, d := range append(order, in.Dims...) {
			shape = append(shape, t.Shape[d])
		}
		moved := ir.Float(shape...)
		move := &ir.Instr{Op: ir.Transpose, Attrs: ir.Attrs{Dims: append(order, in.Dims...)}, Type: moved}
		a = e.reshaped(e.custom(move, transpose, []ir.Type{t}, a), moved, kept, reduced)
	}
	return e.reshaped(e.sum(a, to, axis), ir.Float(kept), in.Type.Shape...)
}

// sum is Gorgonia's sum along an axis of a matrix; since that adds in order, a
// long one is taken in parts.
func (e *emitter) sum(a *node, t ir.Type, axis int) *node {
	n, kept := t.Shape[axis], t.Shape[1-axis]
	parts := backends.SumParts(n)
	if parts == 1 {
		return e.do(gorgonia.Sum(a, axis))
	}
	pieces, partial := ir.Float(kept*parts, n/parts), ir.Float(kept, parts)
	if axis == 0 {
		pieces, partial = ir.Float(n/parts, parts*kept), ir.Float(parts, kept)
	}
	a = e.sum(e.reshaped(a, t, pieces.Shape...), pieces, axis)
	return e.sum(e.reshaped(a, ir.Float(kept*parts), partial.Shape...), partial, axis)
}
