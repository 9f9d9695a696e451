package ir

import (
	"errors"
	"fmt"
	"slices"
)

// Builder appends instructions to a program. Its methods take and return
// values of that program and panic on operands that do not fit; [Build]
// turns that panic into the error of the program.
type Builder struct {
	p Program
}

// buildError is what a Builder panics with.
type buildError struct{ err error }

// Build runs f on a new builder and returns the program it made. The error
// names the instruction that does not fit and why.
func Build(name string, f func(b *Builder)) (*Program, error) {
	return Extend(&Program{}, name, f)
}

// Extend is Build on a copy of from: its values keep their numbers, its results
// are gone, and f adds what it likes, such as the gradient of what from
// computes.
func Extend(from *Program, name string, f func(b *Builder)) (p *Program, err error) {
	b := &Builder{p: Program{Name: name, Instrs: slices.Clone(from.Instrs)}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(buildError)
			if !ok {
				panic(r)
			}
			p, err = nil, fmt.Errorf("program %s: %w", name, e.err)
		}
	}()
	f(b)
	if err := b.p.Validate(); err != nil {
		return nil, fmt.Errorf("program %s: %w", name, err)
	}
	return &b.p, nil
}

// Fail stops the build with err: for a model or method that finds its
// parameters unfit while it builds.
func (b *Builder) Fail(err error) { panic(buildError{err}) }

// Explain runs f. Where the build stops in it, the program's error is what why makes of the reason.
func (b *Builder) Explain(why func(error) error, f func()) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(buildError)
			if !ok {
				panic(r)
			}
			b.Fail(why(e.err))
		}
	}()
	f()
}

func (b *Builder) emit(in Instr) Value {
	args := make([]Type, len(in.Args))
	for i, a := range in.Args {
		if a < 0 || int(a) >= len(b.p.Instrs) {
			b.Fail(fmt.Errorf("%s: operand %d is %%%d, which is no value of this program", in.Op, i, a))
		}
		args[i] = b.p.Instrs[a].Type
	}
	t, err := infer(&in, args)
	if err != nil {
		b.Fail(fmt.Errorf("%%%d = %s: %w", len(b.p.Instrs), in.Op, err))
	}
	in.Type = t
	b.p.Instrs = append(b.p.Instrs, in)
	return Value(len(b.p.Instrs) - 1)
}

func (b *Builder) op(o Op, args ...Value) Value { return b.emit(Instr{Op: o, Args: args}) }

// Type is the type of v.
func (b *Builder) Type(v Value) Type { return b.p.Instrs[v].Type }

// Shape is the shape of v.
func (b *Builder) Shape(v Value) []int { return b.p.Instrs[v].Type.Shape }

// Result names v as an output; a backend's Run writes results in this order.
func (b *Builder) Result(name string, v Value) {
	b.p.Results = append(b.p.Results, Result{name, v})
}

// Param declares the next input.
func (b *Builder) Param(name string, t Type) Value {
	return b.emit(Instr{Op: Param, Attrs: Attrs{Name: name}, Type: t})
}

// Const is the scalar x.
func (b *Builder) Const(x float64) Value {
	return b.emit(Instr{Op: Const, Attrs: Attrs{Value: x}, Type: Float()})
}

// Full is x at every element of the shape.
func (b *Builder) Full(x float64, shape ...int) Value {
	return b.emit(Instr{Op: Const, Attrs: Attrs{Value: x}, Type: Float(shape...)})
}

// Elementwise functions of one operand.

func (b *Builder) Neg(x Value) Value      { return b.op(Neg, x) }
func (b *Builder) Abs(x Value) Value      { return b.op(Abs, x) }
func (b *Builder) Sign(x Value) Value     { return b.op(Sign, x) }
func (b *Builder) Floor(x Value) Value    { return b.op(Floor, x) }
func (b *Builder) Exp(x Value) Value      { return b.op(Exp, x) }
func (b *Builder) Log(x Value) Value      { return b.op(Log, x) }
func (b *Builder) Log1p(x Value) Value    { return b.op(Log1p, x) }
func (b *Builder) Sqrt(x Value) Value     { return b.op(Sqrt, x) }
func (b *Builder) Sin(x Value) Value      { return b.op(Sin, x) }
func (b *Builder) Cos(x Value) Value      { return b.op(Cos, x) }
func (b *Builder) Tanh(x Value) Value     { return b.op(Tanh, x) }
func (b *Builder) Square(x Value) Value   { return b.op(Square, x) }
func (b *Builder) Relu(x Value) Value     { return b.op(Relu, x) }
func (b *Builder) Sigmoid(x Value) Value  { return b.op(Sigmoid, x) }
func (b *Builder) Softplus(x Value) Value { return b.op(Softplus, x) }

// Stop is x with gradient zero.
func (b *Builder) Stop(x Value) Value { return b.op(Stop, x) }

// LogSoftmax is x − log Σ exp x over the last axis.
func (b *Builder) LogSoftmax(x Value) Value { return b.op(LogSoftmax, x) }

// Linear is x·wᵀ + bias for x[n in], w[out in], bias[out].
func (b *Builder) Linear(x, w, bias Value) Value { return b.op(Linear, x, w, bias) }

// Elementwise functions of two operands. Where the shapes differ, one must be
// the tail of the other (a scalar is the tail of every shape) and repeats
// along the axes before.

func (b *Builder) Add(x, y Value) Value       { return b.binary(Add, x, y) }
func (b *Builder) Sub(x, y Value) Value       { return b.binary(Sub, x, y) }
func (b *Builder) Mul(x, y Value) Value       { return b.binary(Mul, x, y) }
func (b *Builder) Div(x, y Value) Value       { return b.binary(Div, x, y) }
func (b *Builder) Max(x, y Value) Value       { return b.binary(Max, x, y) }
func (b *Builder) Min(x, y Value) Value       { return b.binary(Min, x, y) }
func (b *Builder) Less(x, y Value) Value      { return b.binary(Less, x, y) }
func (b *Builder) LessEqual(x, y Value) Value { return b.binary(LessEqual, x, y) }
func (b *Builder) Equal(x, y Value) Value     { return b.binary(Equal, x, y) }

// AddConst and MulConst save the reader a Const.

func (b *Builder) AddConst(x Value, c float64) Value { return b.Add(x, b.Const(c)) }
func (b *Builder) MulConst(x Value, c float64) Value { return b.Mul(x, b.Const(c)) }

// Clamp limits x to [lo, hi]; the gradient is zero outside.
func (b *Builder) Clamp(x Value, lo, hi float64) Value {
	return b.Min(b.Max(x, b.Const(lo)), b.Const(hi))
}

// Select is x where mask is not 0, else y.
func (b *Builder) Select(mask, x, y Value) Value {
	shape := b.Shape(mask)
	for _, v := range []Value{x, y} {
		if b.Type(v).Rank() > len(shape) {
			shape = b.Shape(v)
		}
	}
	return b.op(Select, b.expandTo(mask, shape), b.expandTo(x, shape), b.expandTo(y, shape))
}

func (b *Builder) binary(o Op, x, y Value) Value {
	switch rx, ry := b.Type(x).Rank(), b.Type(y).Rank(); {
	case rx < ry:
		x = b.expandTo(x, b.Shape(y))
	case ry < rx:
		y = b.expandTo(y, b.Shape(x))
	}
	return b.op(o, x, y)
}

// expandTo repeats x along leading axes until it has the shape.
func (b *Builder) expandTo(x Value, shape []int) Value {
	r := b.Type(x).Rank()
	if r == len(shape) {
		return x
	}
	dims := make([]int, r)
	for i := range dims {
		dims[i] = len(shape) - r + i
	}
	return b.Broadcast(x, shape, dims...)
}

// Broadcast places axis i of x at axis dims[i] of the shape and repeats x
// along the other axes.
func (b *Builder) Broadcast(x Value, shape []int, dims ...int) Value {
	return b.emit(Instr{Op: Broadcast, Args: []Value{x}, Attrs: Attrs{Dims: dims}, Type: Float(shape...)})
}

// Reshape gives x another shape of the same size.
func (b *Builder) Reshape(x Value, shape ...int) Value {
	return b.emit(Instr{Op: Reshape, Args: []Value{x}, Type: Type{b.Type(x).DType, shape}})
}

// Flatten joins all axes of x but the first.
func (b *Builder) Flatten(x Value) Value {
	n := b.Shape(x)[0]
	tail := 1
	for _, d := range b.Shape(x)[1:] {
		tail *= d
	}
	return b.Reshape(x, n, tail)
}

// Transpose makes axis dims[i] of x axis i of the result.
func (b *Builder) Transpose(x Value, dims ...int) Value {
	return b.emit(Instr{Op: Transpose, Args: []Value{x}, Attrs: Attrs{Dims: dims}})
}

// Slice takes the elements lo[i] ≤ index < hi[i] of every axis.
func (b *Builder) Slice(x Value, lo, hi []int) Value {
	return b.emit(Instr{Op: Slice, Args: []Value{x}, Attrs: Attrs{Lo: lo, Hi: hi}})
}

// Pad puts lo[i] zeros before and hi[i] after every axis.
func (b *Builder) Pad(x Value, lo, hi []int) Value {
	return b.emit(Instr{Op: Pad, Args: []Value{x}, Attrs: Attrs{Lo: lo, Hi: hi}})
}

// Concat joins along the axis.
func (b *Builder) Concat(axis int, xs ...Value) Value {
	return b.emit(Instr{Op: Concat, Args: xs, Attrs: Attrs{Axis: axis}})
}

// Gather takes rows idx (u32[m]) of x along axis 0.
func (b *Builder) Gather(x, idx Value) Value { return b.op(Gather, x, idx) }

// OneHot is the f32 indicator of idx (u32) among the classes, a new last axis.
func (b *Builder) OneHot(idx Value, classes int) Value {
	shape := append(append([]int(nil), b.Shape(idx)...), classes)
	return b.emit(Instr{Op: OneHot, Args: []Value{idx}, Type: Float(shape...)})
}

// Sum and MaxOver reduce over the axes, or over all where none is named.

func (b *Builder) Sum(x Value, dims ...int) Value     { return b.reduce(ReduceSum, x, dims) }
func (b *Builder) MaxOver(x Value, dims ...int) Value { return b.reduce(ReduceMax, x, dims) }

// Mean is Sum divided by the number of elements summed.
func (b *Builder) Mean(x Value, dims ...int) Value {
	s := b.Sum(x, dims...)
	return b.MulConst(s, float64(b.Type(s).Size())/float64(b.Type(x).Size()))
}

func (b *Builder) reduce(o Op, x Value, dims []int) Value {
	if len(dims) == 0 {
		for i := range b.Shape(x) {
			dims = append(dims, i)
		}
	}
	return b.emit(Instr{Op: o, Args: []Value{x}, Attrs: Attrs{Dims: dims}})
}

// MatMul is x·y; the flags transpose an operand first.
func (b *Builder) MatMul(x, y Value, transX, transY bool) Value {
	return b.emit(Instr{Op: MatMul, Args: []Value{x, y}, Attrs: Attrs{TransA: transX, TransB: transY}})
}

// Conv2D convolves x[n c h w] with w[o c/groups kh kw].
func (b *Builder) Conv2D(x, w Value, stride, pad [2]int, groups int) Value {
	return b.emit(Instr{Op: Conv2D, Args: []Value{x, w},
		Attrs: Attrs{Window: Window{Stride: stride, Pad: pad, Groups: groups}}})
}

// MaxPool and AvgPool pool x[n c h w] over windows.

func (b *Builder) MaxPool(x Value, kernel, stride, pad [2]int) Value {
	return b.emit(Instr{Op: MaxPool, Args: []Value{x},
		Attrs: Attrs{Window: Window{Kernel: kernel, Stride: stride, Pad: pad}}})
}
func (b *Builder) AvgPool(x Value, kernel, stride, pad [2]int) Value {
	return b.emit(Instr{Op: AvgPool, Args: []Value{x},
		Attrs: Attrs{Window: Window{Kernel: kernel, Stride: stride, Pad: pad}}})
}

// Uniform is noise from [0, 1) of the shape under the key u32[2], or u32[3]
// where the last word says which row the first one is; every site of a program
// has a stream of its own.
func (b *Builder) Uniform(key Value, stream uint32, shape ...int) Value {
	return b.emit(Instr{Op: Uniform, Args: []Value{key}, Attrs: Attrs{Stream: stream}, Type: Float(shape...)})
}

// Normal is noise from N(0, 1); see Uniform.
func (b *Builder) Normal(key Value, stream uint32, shape ...int) Value {
	return b.emit(Instr{Op: Normal, Args: []Value{key}, Attrs: Attrs{Stream: stream}, Type: Float(shape...)})
}

// ErrNoGradient is wrapped by the error about a gradient through an op that has none.
var ErrNoGradient = errors.New("has no gradient")
