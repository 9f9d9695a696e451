package gomlx

import (
	"slices"

	mlx "github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// lowering emits one instruction. Its operands and its result have elements.
type lowering func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op

// lowerings holds every core op but Param.
var lowerings = map[ir.Op]lowering{
	ir.Const: func(e *emitter, in *ir.Instr, _ []mlx.Op) mlx.Op { return e.full(in.Value, in.Type) },

	ir.Neg:   unary(mlx.Builder.Neg),
	ir.Abs:   unary(mlx.Builder.Abs),
	ir.Sign:  unary(mlx.Builder.Sign),
	ir.Floor: unary(mlx.Builder.Floor),
	ir.Exp:   unary(mlx.Builder.Exp),
	ir.Log:   unary(mlx.Builder.Log),
	ir.Log1p: unary(mlx.Builder.Log1p),
	ir.Sqrt:  unary(mlx.Builder.Sqrt),
	ir.Sin:   unary(mlx.Builder.Sin),
	ir.Cos:   unary(mlx.Builder.Cos),
	ir.Tanh:  unary(mlx.Builder.Tanh),

	ir.Add: binary(mlx.Builder.Add),
	ir.Sub: binary(mlx.Builder.Sub),
	ir.Mul: binary(mlx.Builder.Mul),
	ir.Div: binary(mlx.Builder.Div),
	ir.Max: binary(mlx.Builder.Max),
	ir.Min: binary(mlx.Builder.Min),

	ir.Less:      comparison(mlx.Builder.LessThan),
	ir.LessEqual: comparison(mlx.Builder.LessOrEqual),
	ir.Equal:     comparison(mlx.Builder.Equal),
	ir.Select: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
		return e.do(e.b.Where(e.do(e.b.NotEqual(x[0], e.scalar(0))), x[1], x[2]))
	},

	ir.Broadcast: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
		return e.do(e.b.BroadcastInDim(x[0], shapeOf(in.Type), in.Dims))
	},
	ir.Reshape: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op { return e.reshape(x[0], in.Type.Shape...) },
	ir.Transpose: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
		return e.transpose(x[0], in.Dims...)
	},
	ir.Slice: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op { return e.slice(x[0], in.Lo, in.Hi, nil) },
	ir.Concat: func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
		return e.concat(in.Axis, x...)
	},
	ir.Pad:    func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op { return e.pad(x[0], in.Lo, in.Hi, nil) },
	ir.Gather: gather,
	ir.OneHot: oneHot,

	ir.ReduceSum: reduceSum,
	ir.ReduceMax: reduction(mlx.Builder.ReduceMax),

	ir.MatMul:      matMul,
	ir.Conv2D:      conv2D,
	ir.Conv2DDX:    conv2DDX,
	ir.Conv2DDW:    conv2DDW,
	ir.MaxPool:     maxPool,
	ir.MaxPoolGrad: maxPoolGrad,
	ir.AvgPool:     avgPool,
	ir.AvgPoolGrad: avgPoolGrad,

	ir.Uniform: uniform,
	ir.Normal:  normal,
}

func unary(f func(mlx.Builder, mlx.Op) (mlx.Op, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []mlx.Op) mlx.Op { return e.do(f(e.b, x[0])) }
}

func binary(f func(b mlx.Builder, x, z mlx.Op) (mlx.Op, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []mlx.Op) mlx.Op { return e.do(f(e.b, x[0], x[1])) }
}

func comparison(f func(b mlx.Builder, x, z mlx.Op) (mlx.Op, error)) lowering {
	return func(e *emitter, _ *ir.Instr, x []mlx.Op) mlx.Op { return e.float(e.do(f(e.b, x[0], x[1]))) }
}

func reduction(f func(b mlx.Builder, x mlx.Op, axes ...int) (mlx.Op, error)) lowering {
	return func(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
		if len(in.Dims) == 0 { // to GoMLX, no axis means all
			return x[0]
		}
		return e.do(f(e.b, x[0], in.Dims...))
	}
}

// reduceSum takes the Go engine's sums axis by axis, a long one in parts, since
// that engine adds in order; XLA does not.
func reduceSum(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	if e.has[mlx.OpTypePad] {
		return reduction(mlx.Builder.ReduceSum)(e, in, x)
	}
	y := x[0]
	for i := len(in.Dims) - 1; i >= 0; i-- { // the last first: the others keep their places
		y = e.sumAxis(y, in.Dims[i])
	}
	return y
}

func (e *emitter) sumAxis(x mlx.Op, axis int) mlx.Op {
	shape := e.dims(x)
	if parts := backends.SumParts(shape[axis]); parts > 1 {
		split := slices.Concat(shape[:axis], []int{parts, shape[axis] / parts}, shape[axis+1:])
		x = e.sumAxis(e.reshape(x, split...), axis+1)
	}
	return e.do(e.b.ReduceSum(x, axis))
}

// The emitter's small ops.

func (e *emitter) dims(x mlx.Op) []int {
	s, err := e.b.OpShape(x)
	if err != nil {
		panic(emitError{err})
	}
	return s.Dimensions
}

func (e *emitter) scalar(c float64) mlx.Op { return e.do(e.b.Constant([]float32{float32(c)})) }

func (e *emitter) word(c uint32) mlx.Op { return e.do(e.b.Constant([]uint32{c})) }

func (e *emitter) full(c float64, t ir.Type) mlx.Op {
	x := e.scalar(c)
	if t.DType == ir.U32 {
		x = e.word(uint32(c))
	}
	return e.do(e.b.BroadcastInDim(x, shapeOf(t), nil))
}

func (e *emitter) float(x mlx.Op) mlx.Op { return e.do(e.b.ConvertDType(x, dtypes.Float32)) }

func (e *emitter) reshape(x mlx.Op, dims ...int) mlx.Op { return e.do(e.b.Reshape(x, dims...)) }

func (e *emitter) transpose(x mlx.Op, perm ...int) mlx.Op {
	if len(perm) == 0 {
		return x
	}
	return e.do(e.b.Transpose(x, perm...))
}

// slice takes every strides[i]-th element of [lo, hi) along each axis.
func (e *emitter) slice(x mlx.Op, lo, hi, strides []int) mlx.Op {
	if len(lo) == 0 {
		return x
	}
	if strides == nil {
		strides = make([]int, len(lo))
		for i := range strides {
			strides[i] = 1
		}
	}
	return e.do(e.b.Slice(x, lo, hi, strides))
}

// concat joins those of xs that have elements.
func (e *emitter) concat(axis int, xs ...mlx.Op) mlx.Op {
	var parts []mlx.Op
	for _, x := range xs {
		if x != nil {
			parts = append(parts, x)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return e.do(e.b.Concatenate(axis, parts...))
}

// pad puts lo[i] zeros before, hi[i] after, and between[i] between the
// elements of axis i.
func (e *emitter) pad(x mlx.Op, lo, hi, between []int) mlx.Op {
	if between == nil {
		between = make([]int, len(lo))
	}
	if e.has[mlx.OpTypePad] {
		axes := make([]mlx.PadAxis, len(lo))
		for i := range axes {
			axes[i] = mlx.PadAxis{Start: lo[i], End: hi[i], Interior: between[i]}
		}
		return e.do(e.b.Pad(x, e.scalar(0), axes...))
	}
	zeros := func(axis, n int) mlx.Op {
		if n == 0 {
			return nil
		}
		shape := append([]int(nil), e.dims(x)...)
		shape[axis] = n
		return e.full(0, ir.Float(shape...))
	}
	for axis := range lo {
		if n := between[axis]; n > 0 {
			// A new axis after this one holds each element and its zeros.
			old := append([]int(nil), e.dims(x)...)
			split := append(append(append([]int(nil), old[:axis+1]...), 1), old[axis+1:]...)
			x = e.reshape(x, split...)
			x = e.concat(axis+1, x, zeros(axis+1, n))
			old[axis] *= 1 + n
			x = e.reshape(x, old...)
			to := append([]int(nil), old...)
			to[axis] -= n // the zeros after the last element
			x = e.slice(x, make([]int, len(old)), to, nil)
		}
		x = e.concat(axis, zeros(axis, lo[axis]), x, zeros(axis, hi[axis]))
	}
	return x
}

// reverse turns the order of the axis round.
func (e *emitter) reverse(x mlx.Op, axis int) mlx.Op {
	dims := e.dims(x)
	if dims[axis] == 1 {
		return x
	}
	if e.has[mlx.OpTypeReverse] {
		return e.do(e.b.Reverse(x, axis))
	}
	parts := make([]mlx.Op, dims[axis])
	for i := range parts {
		lo, hi := make([]int, len(dims)), append([]int(nil), dims...)
		lo[axis], hi[axis] = i, i+1
		parts[len(parts)-1-i] = e.slice(x, lo, hi, nil)
	}
	return e.concat(axis, parts...)
}

func gather(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	sizes := append([]int(nil), e.dims(x[0])...)
	sizes[0] = 1
	rows := in.Type.Shape[0]
	offset := make([]int, len(sizes)-1)
	for i := range offset {
		offset[i] = 1 + i
	}
	return e.do(e.b.Gather(x[0], e.reshape(x[1], rows, 1), 1, offset, []int{0}, []int{0}, sizes, false))
}

func oneHot(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	shape := shapes.Make(dtypes.Uint32, in.Type.Shape...)
	last := in.Type.Rank() - 1
	axes := make([]int, last)
	for i := range axes {
		axes[i] = i
	}
	class := e.do(e.b.Iota(shape, last))
	return e.float(e.do(e.b.Equal(e.do(e.b.BroadcastInDim(x[0], shape, axes)), class)))
}

func matMul(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	inner := func(first bool) []int { // the axis that is summed over
		if first {
			return []int{0}
		}
		return []int{1}
	}
	return e.do(e.b.DotGeneral(x[0], inner(in.TransA), nil, x[1], inner(!in.TransB), nil))
}
