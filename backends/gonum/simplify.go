package gonum

import (
	"math"
	"slices"

	"bayesbench/backends/ir"
)

// simplify rewrites a program so that it computes the same values with less work: it folds
// constants and signs, composes and hoists broadcasts, absorbs transposes into products, spares
// batch normalisation sums that are known. Values change by rounding at most.
func simplify(p *ir.Program) *ir.Program {
	r := &rewriter{relu: map[ir.Value]ir.Value{}, shared: map[ir.Value]bool{},
		pooled: map[ir.Value]ir.Value{}}
	uses := make([]int, len(p.Instrs))
	for i := range p.Instrs {
		for _, a := range p.Instrs[i].Args {
			uses[a]++
		}
	}
	for _, res := range p.Results {
		uses[res.Value]++
	}
	at := make([]ir.Value, len(p.Instrs))
	for i, in := range p.Instrs {
		args := make([]ir.Value, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		in.Args = args
		at[i] = r.rewrite(in)
		if uses[i] > 1 {
			r.shared[at[i]] = true
		}
	}
	out := &ir.Program{Name: p.Name, Instrs: r.instrs}
	for _, res := range p.Results {
		out.Results = append(out.Results, ir.Result{Name: res.Name, Value: at[res.Value]})
	}
	return ir.Clean(out)
}

type rewriter struct {
	instrs []ir.Instr
	relu   map[ir.Value]ir.Value // x -> relu x
	pooled map[ir.Value]ir.Value // relu x -> relu (maxpool x), which stands for maxpool (relu x)
	shared map[ir.Value]bool     // values that more than one instruction reads
}

func (r *rewriter) emit(in ir.Instr) ir.Value {
	r.instrs = append(r.instrs, in)
	return ir.Value(len(r.instrs) - 1)
}

func (r *rewriter) op(v ir.Value) ir.Op            { return r.instrs[v].Op }
func (r *rewriter) typ(v ir.Value) ir.Type         { return r.instrs[v].Type }
func (r *rewriter) arg(v ir.Value, i int) ir.Value { return r.instrs[v].Args[i] }

// constant is the number that v holds at every element.
func (r *rewriter) constant(v ir.Value) (float64, bool) {
	return r.instrs[v].Value, r.instrs[v].Op == ir.Const
}

// isFactor reports whether v is one number at every element.
func (r *rewriter) isFactor(v ir.Value) bool {
	return r.op(v) == ir.Const || r.op(v) == ir.Broadcast && r.typ(r.arg(v, 0)).Size() == 1
}

func (r *rewriter) is(v ir.Value, x float64) bool {
	c, ok := r.constant(v)
	return ok && c == x
}

func (r *rewriter) full(x float64, t ir.Type) ir.Value {
	return r.emit(ir.Instr{Op: ir.Const, Attrs: ir.Attrs{Value: x}, Type: t})
}

// make1 and make2 rewrite a new elementwise instruction of the type.
func (r *rewriter) make1(op ir.Op, t ir.Type, x ir.Value) ir.Value {
	return r.rewrite(ir.Instr{Op: op, Args: []ir.Value{x}, Type: t})
}

func (r *rewriter) make2(op ir.Op, t ir.Type, x, y ir.Value) ir.Value {
	return r.rewrite(ir.Instr{Op: op, Args: []ir.Value{x, y}, Type: t})
}

// scaled is a value that is a constant times another.
func (r *rewriter) scaled(v ir.Value) (x ir.Value, by float64, ok bool) {
	switch r.op(v) {
	case ir.Neg:
		return r.arg(v, 0), -1, true
	case ir.Mul:
		if c, ok := r.constant(r.arg(v, 1)); ok {
			return r.arg(v, 0), c, true
		}
	}
	return v, 1, false
}

// rewrite emits an instruction whose operands are rewritten, or what it
// simplifies to.
func (r *rewriter) rewrite(in ir.Instr) ir.Value {
	t := in.Type
	if v, ok := r.hoist(in); ok {
		return v
	}
	switch in.Op {
	case ir.Neg:
		x := in.Args[0]
		if c, ok := r.constant(x); ok {
			return r.full(-c, t)
		}
		if y, c, ok := r.scaled(x); ok {
			return r.times(y, -c, t)
		}
		if r.op(x) == ir.Sub && !r.shared[x] {
			return r.make2(ir.Sub, t, r.arg(x, 1), r.arg(x, 0))
		}
	case ir.Add, ir.Sub, ir.Mul, ir.Div:
		if v, ok := r.arithmetic(in); ok {
			return v
		}
	case ir.Less:
		// The mask of a ReLU's gradient: of the result, so that the operand
		// need not be kept. NaN is false in both. A normalised operand is
		// computed again, from what the gradient reads in any case, unless that
		// reads the result too or the mask may move before a pool.
		x := in.Args[1]
		if y, ok := r.relu[x]; ok && r.is(in.Args[0], 0) {
			if _, pooled := r.pooled[y]; pooled || !r.isNormalised(x) || r.isRead(y) {
				in.Args[1] = y
			}
		}
	case ir.Broadcast:
		x := in.Args[0]
		if c, ok := r.constant(x); ok {
			return r.full(c, t)
		}
		if r.op(x) == ir.Broadcast {
			dims := make([]int, len(r.instrs[x].Dims))
			for i, d := range r.instrs[x].Dims {
				dims[i] = in.Dims[d]
			}
			in.Args, in.Dims = []ir.Value{r.arg(x, 0)}, dims
		}
		if r.typ(in.Args[0]).Equal(t) {
			return in.Args[0]
		}
	case ir.MaxPool:
		// The maximum of what is clipped is the clipped maximum, of which
		// there are fewer.
		if x := in.Args[0]; r.op(x) == ir.Relu {
			in.Args = []ir.Value{r.arg(x, 0)}
			y := r.make1(ir.Relu, t, r.rewrite(in))
			r.pooled[x] = y
			return y
		}
	case ir.Reshape:
		x := in.Args[0]
		if c, ok := r.constant(x); ok {
			return r.full(c, t)
		}
		if r.op(x) == ir.Reshape {
			x = r.arg(x, 0)
		}
		if r.typ(x).Equal(t) {
			return x
		}
		in.Args = []ir.Value{x}
	case ir.ReduceSum:
		x := in.Args[0]
		if n := t.Size(); n > 0 {
			if c, ok := r.constant(x); ok {
				return r.full(c*float64(r.typ(x).Size()/n), t)
			}
		}
		if y, c, ok := r.scaled(x); ok && !r.shared[x] {
			in.Args = []ir.Value{y}
			return r.times(r.rewrite(in), c, t)
		}
		if v, ok := r.linearSum(x, in.Dims, t); ok {
			return v
		}
	case ir.MatMul:
		for i, trans := range []*bool{&in.TransA, &in.TransB} {
			if a := in.Args[i]; r.op(a) == ir.Transpose && r.instrs[a].Dims[0] == 1 {
				in.Args[i], *trans = r.arg(a, 0), !*trans
			}
		}
	}
	v := r.emit(in)
	if in.Op == ir.Relu {
		r.relu[in.Args[0]] = v
	}
	return v
}

// isRead reports whether an elementwise instruction reads v.
func (r *rewriter) isRead(v ir.Value) bool {
	for _, in := range r.instrs[v:] {
		if in.Op.Class() == ir.Elementwise && slices.Contains(in.Args, v) {
			return true
		}
	}
	return false
}

// times is x·c.
func (r *rewriter) times(x ir.Value, c float64, t ir.Type) ir.Value {
	switch c {
	case 1:
		return x
	case -1:
		return r.emit(ir.Instr{Op: ir.Neg, Args: []ir.Value{x}, Type: t})
	}
	return r.emit(ir.Instr{Op: ir.Mul, Args: []ir.Value{x, r.full(c, t)}, Type: t})
}

func (r *rewriter) arithmetic(in ir.Instr) (ir.Value, bool) {
	t, x, y := in.Type, in.Args[0], in.Args[1]
	cx, constX := r.constant(x)
	cy, constY := r.constant(y)
	if constX && constY {
		f := map[ir.Op]float64{ir.Add: cx + cy, ir.Sub: cx - cy, ir.Mul: cx * cy, ir.Div: cx / cy}
		return r.full(f[in.Op], t), true
	}
	switch in.Op {
	case ir.Add:
		switch {
		case constX:
			return r.make2(ir.Add, t, y, x), true
		case constY && cy == 0:
			return x, true
		case r.op(y) == ir.Neg:
			return r.make2(ir.Sub, t, x, r.arg(y, 0)), true
		case r.op(x) == ir.Neg:
			return r.make2(ir.Sub, t, y, r.arg(x, 0)), true
		}
	case ir.Sub:
		switch {
		case constY && cy == 0:
			return x, true
		case constX && cx == 0:
			return r.make1(ir.Neg, t, y), true
		case r.op(y) == ir.Neg:
			return r.make2(ir.Add, t, x, r.arg(y, 0)), true
		}
	case ir.Mul:
		switch {
		case constX:
			return r.make2(ir.Mul, t, y, x), true
		case r.op(x) == ir.MaxPoolGrad && r.op(y) == ir.Less:
			if v, ok := r.maskBeforePool(x, y); ok {
				return v, true
			}
		case r.isFactor(y) && r.op(x) == ir.Mul && r.isFactor(r.arg(x, 1)):
			return r.make2(ir.Mul, t, r.arg(x, 0), r.make2(ir.Mul, t, r.arg(x, 1), y)), true
		case !constY && r.isFactor(x) && !r.isFactor(y):
			return r.make2(ir.Mul, t, y, x), true
		case constY:
			if z, c, ok := r.scaled(x); ok && !math.IsInf(c*cy, 0) && c*cy != 0 {
				return r.times(z, c*cy, t), true
			}
			if cy == 1 || cy == -1 {
				return r.times(x, cy, t), true
			}
		case x == y:
			return r.make1(ir.Square, t, x), true
		case r.op(x) == ir.Neg && r.op(y) == ir.Neg:
			return r.make2(ir.Mul, t, r.arg(x, 0), r.arg(y, 0)), true
		}
	case ir.Div:
		// A factor goes after the division, where it may find another factor
		// or a sum to be part of.
		if r.op(x) == ir.Neg {
			return r.make1(ir.Neg, t, r.make2(ir.Div, t, r.arg(x, 0), y)), true
		}
		if r.op(x) == ir.Mul && r.isFactor(r.arg(x, 1)) && !r.shared[x] {
			return r.make2(ir.Mul, t, r.make2(ir.Div, t, r.arg(x, 0), y), r.arg(x, 1)), true
		}
		// Noise over a deviation is all that the gradient of the variance needs of
		// both, so that neither is kept for it; noiseOverRoot knows it again.
		if r.op(x) == ir.Mul && r.op(y) == ir.Sqrt && !r.shared[x] {
			for i := range 2 {
				if n := r.arg(x, i); r.op(n) == ir.Normal {
					return r.make2(ir.Mul, t, r.arg(x, 1-i), r.make2(ir.Div, t, n, y)), true
				}
			}
		}
		// A power of two has an exact reciprocal.
		if frac, _ := math.Frexp(cy); constY && math.Abs(frac) == 0.5 && !math.IsInf(1/cy, 0) {
			return r.make2(ir.Mul, t, x, r.full(1/cy, t)), true
		}
	}
	return 0, false
}

// maskBeforePool rewrites the gradient through a ReLU and a maximum pool, which
// is grad, the pool's gradient at the ReLU's result, times its mask: the mask
// of the pooled result does for the incoming gradient. Where the maximum is
// not positive both are zero throughout the window; where it is, it is the
// same element with the ReLU and without.
func (r *rewriter) maskBeforePool(grad, mask ir.Value) (ir.Value, bool) {
	h, g := r.arg(grad, 0), r.arg(grad, 1)
	y, ok := r.pooled[h]
	if !ok || r.arg(mask, 1) != h || !r.is(r.arg(mask, 0), 0) || r.shared[grad] {
		return 0, false
	}
	t := r.typ(y)
	positive := r.make2(ir.Less, t, r.full(0, t), y)
	in := r.instrs[grad]
	in.Args = []ir.Value{r.arg(h, 0), r.make2(ir.Mul, t, g, positive)}
	return r.emit(in), true
}

// hoist computes before the broadcast what depends on values that repeat alike.
func (r *rewriter) hoist(in ir.Instr) (ir.Value, bool) {
	if in.Op.Class() != ir.Elementwise && in.Op != ir.Square && in.Op != ir.Relu && in.Op != ir.Sigmoid && in.Op != ir.Softplus {
		return 0, false
	}
	var from *ir.Instr
	for _, a := range in.Args {
		x := &r.instrs[a]
		switch {
		case x.Op == ir.Const:
		case x.Op != ir.Broadcast:
			return 0, false
		case from == nil:
			from = x
		case !slices.Equal(from.Dims, x.Dims) || !r.typ(from.Args[0]).Equal(r.typ(x.Args[0])):
			return 0, false
		}
	}
	if from == nil {
		return 0, false
	}
	dims, small := from.Dims, r.typ(from.Args[0])
	args := make([]ir.Value, len(in.Args))
	for i, a := range in.Args {
		if c, ok := r.constant(a); ok {
			args[i] = r.full(c, small)
		} else {
			args[i] = r.arg(a, 0)
		}
	}
	v := r.rewrite(ir.Instr{Op: in.Op, Args: args, Attrs: in.Attrs, Type: small})
	return r.rewrite(ir.Instr{Op: ir.Broadcast, Args: []ir.Value{v}, Attrs: ir.Attrs{Dims: dims}, Type: in.Type}), true
}
