package ir

// expansions defines every composite in core ops and simpler composites.
var expansions = [numOps]func(b *Builder, x []Value) Value{
	Square: func(b *Builder, x []Value) Value { return b.Mul(x[0], x[0]) },
	Relu:   func(b *Builder, x []Value) Value { return b.Max(x[0], b.Const(0)) },
	// ½(1 + tanh(x/2)) neither overflows nor cancels where it matters.
	Sigmoid: func(b *Builder, x []Value) Value {
		return b.MulConst(b.AddConst(b.Tanh(b.MulConst(x[0], 0.5)), 1), 0.5)
	},
	Softplus: func(b *Builder, x []Value) Value {
		return b.Add(b.Max(x[0], b.Const(0)), b.Log1p(b.Exp(b.Neg(b.Abs(x[0])))))
	},
	LogSoftmax: func(b *Builder, x []Value) Value {
		last := b.Type(x[0]).Rank() - 1
		rows := missing([]int{last}, last+1)
		shifted := b.Sub(x[0], b.Broadcast(b.MaxOver(x[0], last), b.Shape(x[0]), rows...))
		return b.Sub(shifted, b.Broadcast(b.Log(b.Sum(b.Exp(shifted), last)), b.Shape(x[0]), rows...))
	},
	Linear: func(b *Builder, x []Value) Value { return b.Add(b.MatMul(x[0], x[1], false, true), x[2]) },
	Stop:   func(b *Builder, x []Value) Value { return x[0] },
}

// Expand rewrites the composites that a backend does not have into core ops.
// The result computes the same values; it is p itself where nothing changed.
func Expand(p *Program, has func(Op) bool) *Program {
	todo := false
	for i := range p.Instrs {
		todo = todo || !p.Instrs[i].Op.Core() && !has(p.Instrs[i].Op)
	}
	if !todo {
		return p
	}
	b := &Builder{p: Program{Name: p.Name}}
	at := make([]Value, len(p.Instrs)) // where each value of p went
	for i, in := range p.Instrs {
		args := make([]Value, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		in.Args = args
		if in.Op.Core() || has(in.Op) {
			at[i] = b.emit(in)
			continue
		}
		at[i] = expansions[in.Op](b, args)
	}
	for _, r := range p.Results {
		b.Result(r.Name, at[r.Value])
	}
	return Expand(&b.p, has) // an expansion may use a simpler composite
}
