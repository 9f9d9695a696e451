package ir

import "fmt"

// Grad appends the gradient of the scalar loss with respect to each of wrt,
// by reverse accumulation over the program so far. Where loss does not depend
// on a value its gradient is zeros.
func (b *Builder) Grad(loss Value, wrt ...Value) []Value {
	if t := b.Type(loss); !t.Equal(Float()) {
		b.Fail(fmt.Errorf("gradient of %%%d: want a scalar f32[], found %s", loss, t))
	}
	needed := make([]bool, loss+1) // depends on some wrt
	for _, w := range wrt {
		if t := b.Type(w); t.DType != F32 {
			b.Fail(fmt.Errorf("gradient with respect to %%%d: want f32, found %s", w, t))
		}
		if w <= loss {
			needed[w] = true
		}
	}
	for i := range needed {
		for _, a := range b.p.Instrs[i].Args {
			needed[i] = needed[i] || needed[a]
		}
	}
	grads := make([]Value, loss+1)
	for i := range grads {
		grads[i] = None
	}
	grads[loss] = b.Const(1)
	for v := loss; v >= 0; v-- {
		in := b.p.Instrs[v]
		if grads[v] == None || !needed[v] || len(in.Args) == 0 {
			continue
		}
		rule := rules[in.Op]
		if rule == nil {
			b.Fail(fmt.Errorf("%%%d = %s: %w", v, in.Op, ErrNoGradient))
		}
		for i, g := range rule(b, in, v, grads[v]) {
			a := in.Args[i]
			switch {
			case g == None || !needed[a]:
			case grads[a] == None:
				grads[a] = g
			default:
				grads[a] = b.Add(grads[a], g)
			}
		}
	}
	out := make([]Value, len(wrt))
	for i, w := range wrt {
		if w <= loss && grads[w] != None {
			out[i] = grads[w]
		} else {
			out[i] = b.Full(0, b.Shape(w)...)
		}
	}
	return out
}

// rule gives the gradient of each operand of in, whose result is y, from the
// gradient g of y: a vector-Jacobian product. None where it is zero.
type rule func(b *Builder, in Instr, y, g Value) []Value

// rules is the table of derivatives. The unused ones among several returned
// values are dead code that a backend drops.
var rules [numOps]rule

func init() {
	zero := func(b *Builder, in Instr, y, g Value) []Value {
		return []Value{None, None, None}[:len(in.Args)]
	}
	unary := func(f func(b *Builder, x, y, g Value) Value) rule {
		return func(b *Builder, in Instr, y, g Value) []Value { return []Value{f(b, in.Args[0], y, g)} }
	}
	binary := func(f func(b *Builder, x, z, y, g Value) (dx, dz Value)) rule {
		return func(b *Builder, in Instr, y, g Value) []Value {
			dx, dz := f(b, in.Args[0], in.Args[1], y, g)
			return []Value{dx, dz}
		}
	}
	rules = [numOps]rule{
		Neg:   unary(func(b *Builder, x, y, g Value) Value { return b.Neg(g) }),
		Abs:   unary(func(b *Builder, x, y, g Value) Value { return b.Mul(g, b.Sign(x)) }),
		Sign:  zero,
		Floor: zero,
		Exp:   unary(func(b *Builder, x, y, g Value) Value { return b.Mul(g, y) }),
		Log:   unary(func(b *Builder, x, y, g Value) Value { return b.Div(g, x) }),
		Log1p: unary(func(b *Builder, x, y, g Value) Value { return b.Div(g, b.AddConst(x, 1)) }),
		Sqrt:  unary(func(b *Builder, x, y, g Value) Value { return b.Div(b.MulConst(g, 0.5), y) }),
		Sin:   unary(func(b *Builder, x, y, g Value) Value { return b.Mul(g, b.Cos(x)) }),
		Cos:   unary(func(b *Builder, x, y, g Value) Value { return b.Neg(b.Mul(g, b.Sin(x))) }),
		Tanh:  unary(func(b *Builder, x, y, g Value) Value { return b.Sub(g, b.Mul(g, b.Square(y))) }),

		Add: binary(func(b *Builder, x, z, y, g Value) (Value, Value) { return g, g }),
		Sub: binary(func(b *Builder, x, z, y, g Value) (Value, Value) { return g, b.Neg(g) }),
		Mul: binary(func(b *Builder, x, z, y, g Value) (Value, Value) { return b.Mul(g, z), b.Mul(g, x) }),
		Div: binary(func(b *Builder, x, z, y, g Value) (Value, Value) {
			dx := b.Div(g, z)
			return dx, b.Neg(b.Mul(dx, y))
		}),
		// At a tie the first operand takes the gradient, so that Clamp passes it at its bounds.
		Max: binary(func(b *Builder, x, z, y, g Value) (Value, Value) {
			return b.Mul(g, b.LessEqual(z, x)), b.Mul(g, b.Less(x, z))
		}),
		Min: binary(func(b *Builder, x, z, y, g Value) (Value, Value) {
			return b.Mul(g, b.LessEqual(x, z)), b.Mul(g, b.Less(z, x))
		}),
		Less:      zero,
		LessEqual: zero,
		Equal:     zero,
		Select: func(b *Builder, in Instr, y, g Value) []Value {
			o := b.Full(0, b.Shape(g)...)
			return []Value{None, b.Select(in.Args[0], g, o), b.Select(in.Args[0], o, g)}
		},

		Broadcast: func(b *Builder, in Instr, y, g Value) []Value {
			repeated := missing(in.Dims, b.Type(y).Rank())
			if len(repeated) == 0 {
				return []Value{g}
			}
			return []Value{b.Sum(g, repeated...)}
		},
		Reshape: unary(func(b *Builder, x, y, g Value) Value { return b.Reshape(g, b.Shape(x)...) }),
		Transpose: func(b *Builder, in Instr, y, g Value) []Value {
			back := make([]int, len(in.Dims))
			for i, d := range in.Dims {
				back[d] = i
			}
			return []Value{b.Transpose(g, back...)}
		},
		Slice: func(b *Builder, in Instr, y, g Value) []Value {
			hi := make([]int, len(in.Hi))
			for i, n := range b.Shape(in.Args[0]) {
				hi[i] = n - in.Hi[i]
			}
			return []Value{b.Pad(g, in.Lo, hi)}
		},
		Pad: func(b *Builder, in Instr, y, g Value) []Value {
			hi := make([]int, len(in.Hi))
			for i, n := range b.Shape(in.Args[0]) {
				hi[i] = in.Lo[i] + n
			}
			return []Value{b.Slice(g, in.Lo, hi)}
		},
		Concat: func(b *Builder, in Instr, y, g Value) []Value {
			out := make([]Value, len(in.Args))
			lo := make([]int, b.Type(g).Rank())
			for i, a := range in.Args {
				hi := append([]int(nil), b.Shape(g)...)
				hi[in.Axis] = lo[in.Axis] + b.Shape(a)[in.Axis]
				out[i] = b.Slice(g, append([]int(nil), lo...), hi)
				lo[in.Axis] = hi[in.Axis]
			}
			return out
		},
		// Rows that were taken several times add up: the indicator's transpose times g.
		Gather: func(b *Builder, in Instr, y, g Value) []Value {
			x := b.Shape(in.Args[0])
			d := b.MatMul(b.OneHot(in.Args[1], x[0]), b.Flatten(g), true, false)
			return []Value{b.Reshape(d, x...), None}
		},
		OneHot: zero,

		ReduceSum: func(b *Builder, in Instr, y, g Value) []Value {
			shape := b.Shape(in.Args[0])
			return []Value{b.Broadcast(g, shape, missing(in.Dims, len(shape))...)}
		},
		// Elements that tie for the maximum share its gradient equally.
		ReduceMax: func(b *Builder, in Instr, y, g Value) []Value {
			x := in.Args[0]
			kept := missing(in.Dims, b.Type(x).Rank())
			mask := b.Equal(x, b.Broadcast(y, b.Shape(x), kept...))
			share := b.Div(g, b.Sum(mask, in.Dims...))
			return []Value{b.Mul(mask, b.Broadcast(share, b.Shape(x), kept...))}
		},

		MatMul: func(b *Builder, in Instr, y, g Value) []Value {
			x, z, tx, tz := in.Args[0], in.Args[1], in.TransA, in.TransB
			var dx, dz Value
			if tx {
				dx = b.MatMul(z, g, tz, true)
			} else {
				dx = b.MatMul(g, z, false, !tz)
			}
			if tz {
				dz = b.MatMul(g, x, true, tx)
			} else {
				dz = b.MatMul(x, g, !tx, false)
			}
			return []Value{dx, dz}
		},
		// The three convolutions are one trilinear form of x, w and g, so each
		// has the other two for its derivatives.
		Conv2D: func(b *Builder, in Instr, y, g Value) []Value {
			x, w := in.Args[0], in.Args[1]
			return []Value{b.convDX(g, w, b.Type(x), in.Window), b.convDW(x, g, b.Type(w), in.Window)}
		},
		Conv2DDX: func(b *Builder, in Instr, y, gx Value) []Value {
			g, w := in.Args[0], in.Args[1]
			return []Value{b.Conv2D(gx, w, in.Window.Stride, in.Window.Pad, in.Window.Groups), b.convDW(gx, g, b.Type(w), in.Window)}
		},
		Conv2DDW: func(b *Builder, in Instr, y, gw Value) []Value {
			x, g := in.Args[0], in.Args[1]
			return []Value{b.convDX(g, gw, b.Type(x), in.Window), b.Conv2D(x, gw, in.Window.Stride, in.Window.Pad, in.Window.Groups)}
		},
		MaxPool: func(b *Builder, in Instr, y, g Value) []Value {
			return []Value{b.emit(Instr{Op: MaxPoolGrad, Args: []Value{in.Args[0], g}, Attrs: Attrs{Window: in.Window}})}
		},
		MaxPoolGrad: nil, // no method takes a second derivative through a max pool
		AvgPool: func(b *Builder, in Instr, y, g Value) []Value {
			return []Value{b.emit(Instr{Op: AvgPoolGrad, Args: []Value{g}, Attrs: Attrs{Window: in.Window}, Type: b.Type(in.Args[0])})}
		},
		AvgPoolGrad: func(b *Builder, in Instr, y, g Value) []Value {
			return []Value{b.AvgPool(g, in.Window.Kernel, in.Window.Stride, in.Window.Pad)}
		},

		Uniform: zero,
		Normal:  zero,

		Square: unary(func(b *Builder, x, y, g Value) Value { return b.Mul(b.MulConst(g, 2), x) }),
		// Zero at zero, as torch has it.
		Relu:    unary(func(b *Builder, x, y, g Value) Value { return b.Mul(g, b.Less(b.Const(0), x)) }),
		Sigmoid: unary(func(b *Builder, x, y, g Value) Value { return b.Mul(g, b.Sub(y, b.Square(y))) }),
		Softplus: unary(func(b *Builder, x, y, g Value) Value {
			return b.Mul(g, b.Sigmoid(x))
		}),
		LogSoftmax: unary(func(b *Builder, x, y, g Value) Value {
			last := b.Type(x).Rank() - 1
			total := b.Broadcast(b.Sum(g, last), b.Shape(x), missing([]int{last}, last+1)...)
			return b.Sub(g, b.Mul(b.Exp(y), total))
		}),
		Linear: func(b *Builder, in Instr, y, g Value) []Value {
			return []Value{b.MatMul(g, in.Args[1], false, false), b.MatMul(g, in.Args[0], true, false), b.Sum(g, 0)}
		},
		Stop: zero,
	}
}

func (b *Builder) convDX(g, w Value, x Type, win Window) Value {
	return b.emit(Instr{Op: Conv2DDX, Args: []Value{g, w}, Attrs: Attrs{Window: win}, Type: x})
}

func (b *Builder) convDW(x, g Value, w Type, win Window) Value {
	return b.emit(Instr{Op: Conv2DDW, Args: []Value{x, g}, Attrs: Attrs{Window: win}, Type: w})
}

// missing lists the axes below rank that are not in dims, which rise.
func missing(dims []int, rank int) []int {
	out := make([]int, 0, rank)
	for i := range rank {
		if len(dims) > 0 && dims[0] == i {
			dims = dims[1:]
			continue
		}
		out = append(out, i)
	}
	return out
}
