package onnx

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// op builds a node and gives its outputs.
type op func(r *run, n *node) []value

// ops are those that are read.
var ops map[string]op

func init() { // which the functions read themselves
	ops = map[string]op{
		"Conv": one((*run).conv), "Gemm": one((*run).linear), "MatMul": one((*run).linear),
		"BatchNormalization": one((*run).batchNorm), "Dropout": one((*run).dropout),

		"MaxPool": one((*run).maxPool), "AveragePool": one((*run).averagePool),
		"GlobalAveragePool": one((*run).globalAveragePool), "GlobalMaxPool": one((*run).globalMaxPool), "ReduceMean": one((*run).reduceMean),

		"Add": pairwise((*ir.Builder).Add, func(x, y int64) int64 { return x + y }), "Sub": pairwise((*ir.Builder).Sub, func(x, y int64) int64 { return x - y }),
		"Mul": pairwise((*ir.Builder).Mul, func(x, y int64) int64 { return x * y }), "Div": pairwise((*ir.Builder).Div, divide),
		"Max": pairwise((*ir.Builder).Max, nil), "Min": pairwise((*ir.Builder).Min, nil),
		"Less":    pairwise((*ir.Builder).Less, nil),
		"Greater": pairwise(func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Less(y, x) }, nil),
		"Where":   one((*run).where),
		"Pow":     one((*run).power), "Clip": one((*run).clip),

		"Relu": unary((*ir.Builder).Relu), "Sigmoid": unary((*ir.Builder).Sigmoid), "Tanh": unary((*ir.Builder).Tanh),
		"Softplus": unary((*ir.Builder).Softplus), "Exp": unary((*ir.Builder).Exp), "Log": unary((*ir.Builder).Log),
		"Sqrt": unary((*ir.Builder).Sqrt), "Abs": unary((*ir.Builder).Abs), "Neg": unary((*ir.Builder).Neg),
		"Erf": unary(nn.Erf), "HardSwish": unary(nn.HardSwish), "Mish": unary(nn.Mish),
		"Softsign":   unary(func(b *ir.Builder, x ir.Value) ir.Value { return b.Div(x, b.AddConst(b.Abs(x), 1)) }),
		"Reciprocal": unary(func(b *ir.Builder, x ir.Value) ir.Value { return b.Div(b.Const(1), x) }),
		"LeakyRelu":  one(func(r *run, n *node) ir.Value { return nn.LeakyRelu(r.b, r.tensor(n, 0), n.real("alpha", 0.01)) }),
		"Elu":        one(func(r *run, n *node) ir.Value { return nn.Elu(r.b, r.tensor(n, 0), n.real("alpha", 1)) }),
		"Selu":       one((*run).selu),
		"HardSigmoid": one(func(r *run, n *node) ir.Value {
			return nn.HardSigmoid(r.b, r.tensor(n, 0), n.real("alpha", 0.2), n.real("beta", 0.5))
		}),
		"Gelu":       one((*run).gelu),
		"LogSoftmax": one((*run).logSoftmax),
		"Softmax":    one(func(r *run, n *node) ir.Value { return r.b.Exp(r.logSoftmax(n)) }),

		"Identity": pass, "Cast": pass,
		"Flatten": one((*run).flatten), "Reshape": reshape, "Transpose": transpose, "Pad": one((*run).pad),
		"Squeeze": squeeze, "Unsqueeze": unsqueeze, "Concat": concat, "Slice": slice, "Split": split,
		"Shape": shapeOf, "ConstantOfShape": constantOfShape, "Gather": gather, "Constant": constant,
	}
}

// one is an op of one output that is a value of the program.
func one(f func(r *run, n *node) ir.Value) op {
	return func(r *run, n *node) []value { return []value{{v: f(r, n)}} }
}

func unary(f func(b *ir.Builder, x ir.Value) ir.Value) op {
	return one(func(r *run, n *node) ir.Value { return f(r.b, r.tensor(n, 0)) })
}

// real is an attribute that is a number.
func (n *node) real(name string, otherwise float64) float64 {
	if a, ok := n.attributes[name]; ok {
		return float64(a.f)
	}
	return otherwise
}

// whole is an attribute that is a whole number.
func (n *node) whole(name string, otherwise int) int {
	if a, ok := n.attributes[name]; ok {
		return int(a.i)
	}
	return otherwise
}

func (r *run) linear(n *node) ir.Value {
	l, x := r.graph.layers[n], r.tensor(n, 0)
	if rank := r.b.Type(x).Rank(); rank != 2 {
		r.fail("it multiplies values of %d axes; want rows of numbers", rank)
	}
	out := l.out()
	if n == r.graph.head {
		out = r.outputs
		if !r.graph.dropout {
			x = r.Dropout("drop", x, 0)
		}
	}
	if have, want := r.b.Shape(x)[1], l.weight.size()/max(l.out(), 1); have != want {
		r.fail("its weights %q take %d numbers an example, found %d", l.weight.name, want, have)
	}
	if l.bias == nil {
		return nn.LinearNoBias(r.Layers, l.name, x, out)
	}
	return r.Linear(l.name, x, out)
}

func (r *run) batchNorm(n *node) ir.Value {
	l, x := r.graph.layers[n], r.tensor(n, 0)
	if shape := r.b.Shape(x); len(shape) < 2 || shape[1] != l.weight.dims[0] {
		r.fail("its parameters are of %d channels, found %s", l.weight.dims[0], r.b.Type(x))
	}
	momentum := 1 - n.real("momentum", 0.9)
	return r.BatchNorm(l.name, x, nn.Norm{Eps: n.real("epsilon", 1e-5), Momentum: math.Round(momentum*1e6) / 1e6})
}

func (r *run) dropout(n *node) ir.Value {
	return r.Dropout(layerName(n, "drop"+n.outputs[0]), r.tensor(n, 0), r.number(n, 1, 0.5))
}

// pairwise is an elementwise op of two values, whose axes are matched from the last on; exact is
// the same of whole numbers, nil where there is none.
func pairwise(f func(b *ir.Builder, x, y ir.Value) ir.Value, exact func(x, y int64) int64) op {
	return func(r *run, n *node) []value {
		if len(n.inputs) != 2 {
			r.fail("want two inputs, found %d", len(n.inputs))
		}
		if r.graph.fused[n] { // the bias of the layer before
			for i := range n.inputs {
				if v, ok := r.values[n.inputs[i]]; ok {
					return []value{v}
				}
			}
		}
		if exact != nil && r.isWhole(n, 0) && r.isWhole(n, 1) {
			return []value{r.exactly(n, exact)}
		}
		x, y := r.match(r.operand(n, 0), r.operand(n, 1))
		return []value{{v: f(r.b, x, y)}}
	}
}

// operand is input i, where one whole number will do for a number.
func (r *run) operand(n *node, i int) ir.Value {
	if numbers, ok := r.graph.constants[n.in(i)], r.isWhole(n, i); ok && numbers != nil && numbers.size() == 1 {
		return r.b.Const(float64(numbers.ints()[0]))
	}
	return r.tensor(n, i)
}

// exactly is an op on whole numbers.
func (r *run) exactly(n *node, f func(x, y int64) int64) value {
	x, _ := r.whole(n, 0)
	y, _ := r.whole(n, 1)
	if len(x) != len(y) && len(x) != 1 && len(y) != 1 {
		r.fail("%d and %d whole numbers do not match", len(x), len(y))
	}
	out := make([]int64, max(len(x), len(y)))
	for i := range out {
		out[i] = f(x[i%len(x)], y[i%len(y)])
	}
	return value{whole: out, known: true}
}

func divide(x, y int64) int64 {
	if y == 0 {
		return 0
	}
	return x / y
}

// match repeats two values along the axes in which one has a single element or none.
func (r *run) match(x, y ir.Value) (ir.Value, ir.Value) {
	sx, sy := r.b.Shape(x), r.b.Shape(y)
	rank := max(len(sx), len(sy))
	shape := make([]int, rank)
	for i := range shape {
		dx, dy := sizeAt(sx, i-rank+len(sx)), sizeAt(sy, i-rank+len(sy))
		if dx != dy && dx != 1 && dy != 1 {
			r.fail("the shapes %v and %v do not match", sx, sy)
		}
		shape[i] = dx
		if dx == 1 {
			shape[i] = dy
		}
	}
	return r.spread(x, shape), r.spread(y, shape)
}

func sizeAt(shape []int, i int) int {
	if i < 0 {
		return 1
	}
	return shape[i]
}

// spread repeats x until it has the shape.
func (r *run) spread(x ir.Value, shape []int) ir.Value {
	have := r.b.Shape(x)
	var dims, kept []int
	for i, n := range have {
		at := len(shape) - len(have) + i
		if n == shape[at] {
			dims, kept = append(dims, at), append(kept, n)
		}
	}
	if len(kept) == len(shape) {
		return x
	}
	if len(kept) != len(have) {
		x = r.b.Reshape(x, kept...)
	}
	return r.b.Broadcast(x, shape, dims...)
}

// where is the second input where the first, a comparison, holds, else the third.
func (r *run) where(n *node) ir.Value {
	mask, x := r.match(r.tensor(n, 0), r.tensor(n, 1))
	x, y := r.match(x, r.tensor(n, 2))
	return r.b.Select(r.spread(mask, r.b.Shape(x)), x, y)
}

func (r *run) power(n *node) ir.Value {
	x := r.tensor(n, 0)
	switch e := r.number(n, 1, 1); e {
	case 1:
		return x
	case 2:
		return r.b.Square(x)
	case 3:
		return r.b.Mul(x, r.b.Square(x))
	case 0.5:
		return r.b.Sqrt(x)
	default:
		r.fail("want the exponent 0.5, 1, 2 or 3, found %v", e)
		return x
	}
}

func (r *run) clip(n *node) ir.Value {
	x := r.tensor(n, 0)
	if lo := r.number(n, 1, math.Inf(-1)); !math.IsInf(lo, -1) && lo > -math.MaxFloat32 {
		x = r.b.Max(x, r.b.Const(lo))
	}
	if hi := r.number(n, 2, math.Inf(1)); !math.IsInf(hi, 1) && hi < math.MaxFloat32 {
		x = r.b.Min(x, r.b.Const(hi))
	}
	return x
}

func (r *run) selu(n *node) ir.Value {
	elu := nn.Elu(r.b, r.tensor(n, 0), n.real("alpha", 1.67326319217681884765625))
	return r.b.MulConst(elu, n.real("gamma", 1.05070102214813232421875))
}

func (r *run) gelu(n *node) ir.Value {
	if n.attributes["approximate"].s == "tanh" {
		return nn.GeluTanh(r.b, r.tensor(n, 0))
	}
	return nn.Gelu(r.b, r.tensor(n, 0))
}

func (r *run) logSoftmax(n *node) ir.Value {
	x := r.tensor(n, 0)
	if rank, axis := r.b.Type(x).Rank(), n.whole("axis", -1); axis != -1 && axis != rank-1 {
		r.fail("want the last axis, found axis %d of %d", axis, rank)
	}
	return r.b.LogSoftmax(x)
}
