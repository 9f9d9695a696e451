package gonum

import (
	"slices"

	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// coder writes the code of a group.
type coder struct {
	e        *executable
	g        *group
	unit     int
	at       map[ir.Value]operand // where a member's block is, once computed
	loaded   map[access]operand
	next     int // virtual registers
	inStrand bool
}

// emit writes the members that leave the group, each after what it needs, so
// that a block is in a register for a short time.
func (c *coder) emit(members []ir.Value) {
	for _, v := range members {
		if c.e.p.Instrs[v].Op == ir.ReduceSum || c.e.plan.stored(v) {
			c.compute(v)
		}
	}
	c.delayWrites()
	for i := 0; i < len(c.g.code); i++ {
		if m, ok := c.adam(i); ok {
			c.g.code = slices.Replace(c.g.code, i, i+adamLength, m)
		}
	}
}

func (c *coder) register() operand {
	c.next++
	return operand{at: c.next - 1}
}

func (c *coder) add(m micro) operand {
	c.g.code = append(c.g.code, m)
	return m.dst
}

// destination is where the block of member v goes.
func (c *coder) destination(v ir.Value) operand {
	if c.e.plan.stored(v) {
		return operand{in: inArray, at: int(v)}
	}
	return c.register()
}

func (c *coder) isMember(v ir.Value) bool { return c.e.plan.of[v] == c.unit }

// scalar is the operand as one number, if it is one.
func (c *coder) scalar(a ir.Value) (number, bool) {
	switch acc := c.e.plan.access(a); acc.kind {
	case constant:
		return number{value: ir.None, x: acc.x}, true
	case scalar:
		return number{value: acc.value}, true
	default:
		if c.alikeInBlock(acc) {
			return number{value: acc.value, each: acc.each, length: acc.length}, true
		}
	}
	return number{}, false
}

// alikeInBlock reports whether a block reads one element of the operand, again
// and again. The bands of a strand may begin anywhere.
func (c *coder) alikeInBlock(acc access) bool {
	return (acc.kind == channels || acc.kind == repeated) && !c.inStrand && acc.each%c.g.block == 0
}

// operand is the block of an instruction's operand, computed or loaded now if
// it was not before.
func (c *coder) operand(a ir.Value) operand {
	acc := c.e.plan.access(a)
	if acc.kind == direct {
		if c.isMember(acc.value) {
			return c.compute(acc.value)
		}
		return operand{in: inArray, at: int(acc.value)}
	}
	if o, ok := c.loaded[acc]; ok {
		return o
	}
	if period := acc.each * acc.length; period == 1 || !c.alikeInBlock(acc) && acc.kind != repeated && c.g.n >= rowRepeats*max(period, c.g.block) {
		c.g.rows = append(c.g.rows, newRow(acc, min(c.g.n, c.g.block)))
		c.loaded[acc] = operand{inRow, len(c.g.rows) - 1}
		return c.loaded[acc]
	}
	c.loaded[acc] = c.add(micro{do: load, dst: c.register(), access: acc})
	return c.loaded[acc]
}

// only reports whether v is a member that nothing but one instruction of this
// group reads, so that it can become part of that one.
func (c *coder) only(v ir.Value) bool {
	_, done := c.at[v]
	return c.isMember(v) && !done && !c.e.plan.stored(v) && len(c.e.plan.users[v]) == 1
}

// compute writes the code of member v, once.
func (c *coder) compute(v ir.Value) operand {
	if o, ok := c.at[v]; ok {
		return o
	}
	m := c.code(v)
	if m.do != sum && m.do != dot {
		m.dst = c.destination(v)
	}
	c.at[v] = c.add(m)
	return c.at[v]
}

var unaryOps = map[ir.Op]kernel.UnaryOp{
	ir.Neg: kernel.Neg, ir.Abs: kernel.Abs, ir.Sign: kernel.Sign, ir.Floor: kernel.Floor, ir.Exp: kernel.Exp,
	ir.Log: kernel.Log, ir.Log1p: kernel.Log1p, ir.Sqrt: kernel.Sqrt, ir.Sin: kernel.Sin, ir.Cos: kernel.Cos,
	ir.Tanh: kernel.Tanh, ir.Square: kernel.Square, ir.Sigmoid: kernel.Sigmoid, ir.Softplus: kernel.Softplus,
}

var binaryOps = map[ir.Op]kernel.BinaryOp{
	ir.Add: kernel.Add, ir.Sub: kernel.Sub, ir.Mul: kernel.Mul, ir.Div: kernel.Div, ir.Max: kernel.Max, ir.Min: kernel.Min,
	ir.Less: kernel.Less, ir.LessEqual: kernel.LessEqual, ir.Equal: kernel.Equal,
}

// code is the operation of member v, with its operands computed before it.
func (c *coder) code(v ir.Value) micro {
	in := &c.e.p.Instrs[v]
	switch in.Op {
	case ir.Uniform, ir.Normal:
		m := micro{do: uniform, a: operand{in: inArray, at: int(c.e.plan.canon[in.Args[0]])}, stream: in.Stream,
			row: ir.NoiseRow(in.Type, c.e.p.Type(in.Args[0]))}
		if in.Op == ir.Normal {
			m.do = normal
		}
		return m
	case ir.Broadcast:
		// Wanted in memory as it is.
		acc, _ := c.e.plan.pattern(v)
		if acc.kind == scalar {
			return micro{do: fill, s: number{value: acc.value}}
		}
		return micro{do: load, access: acc}
	case ir.ReduceSum:
		m := micro{do: sum, sum: len(c.g.sums)}
		kind, _ := c.e.plan.sumOf(v)
		c.g.sums = append(c.g.sums, terminal{groupSum: kind, value: v})
		if x, y, ok := c.product(in.Args[0]); ok {
			m.do, m.a, m.b = dot, c.operand(x), c.operand(y)
			return m
		}
		m.a = c.operand(in.Args[0])
		return m
	case ir.Relu: // as ref has it; the assembly of kernel.Relu would leave a −0
		return micro{do: withScalar, bin: kernel.Max, a: c.operand(in.Args[0]), s: number{value: ir.None}}
	case ir.Select:
		return micro{do: choose, a: c.operand(in.Args[0]), b: c.operand(in.Args[1]), c: c.operand(in.Args[2])}
	}
	if len(in.Args) == 1 {
		return micro{do: unary, un: unaryOps[in.Op], a: c.operand(in.Args[0])}
	}
	if m, ok := c.weightedSum(in); ok {
		return m
	}
	if m, ok := c.multiplyAdd(in); ok {
		return m
	}
	if m, ok := c.overRoot(in); ok {
		return m
	}
	x, y := in.Args[0], in.Args[1]
	m := micro{do: binary, bin: binaryOps[in.Op]}
	if s, ok := c.scalar(y); ok {
		m.do, m.a, m.s = withScalar, c.operand(x), s
	} else if s, ok := c.scalar(x); ok {
		m.do, m.b, m.s = scalarWith, c.operand(y), s
	} else {
		m.a, m.b = c.operand(x), c.operand(y)
	}
	return m
}

// product is the two factors of a, if a is a product that only its one user
// needs.
func (c *coder) product(a ir.Value) (x, y ir.Value, ok bool) {
	acc := c.e.plan.access(a)
	if acc.kind != direct || !c.only(acc.value) {
		return 0, 0, false
	}
	switch in := &c.e.p.Instrs[acc.value]; in.Op {
	case ir.Mul:
		return in.Args[0], in.Args[1], true
	case ir.Square:
		return in.Args[0], in.Args[0], true
	}
	return 0, 0, false
}

// scaled is x and s where a is x·s for a number s, and a is wanted once only.
func (c *coder) scaled(a ir.Value) (x ir.Value, s number, ok bool) {
	x, y, ok := c.product(a)
	if !ok {
		return 0, s, false
	}
	if s, ok = c.scalar(y); ok {
		return x, s, true
	}
	s, ok = c.scalar(x)
	return y, s, ok
}

// weightedSum is x·s ± y·t for numbers s and t, as in a moving average: y may be
// a product, as in that of squares.
func (c *coder) weightedSum(in *ir.Instr) (micro, bool) {
	if in.Op != ir.Add && in.Op != ir.Sub {
		return micro{}, false
	}
	x, s, okX := c.scaled(in.Args[0])
	y, t, okY := c.scaled(in.Args[1])
	if !okX || !okY {
		return micro{}, false
	}
	t.negate = in.Op == ir.Sub
	if p, q, ok := c.product(y); ok {
		return micro{do: weightedProduct, a: c.operand(x), s: s, b: c.operand(p), c: c.operand(q), t: t}, true
	}
	return micro{do: weighted, a: c.operand(x), s: s, b: c.operand(y), t: t}, true
}

// overRoot is x / (√y + s) for a number s, the step of optimisers that divide by
// the root of a second moment.
func (c *coder) overRoot(in *ir.Instr) (micro, bool) {
	if in.Op != ir.Div {
		return micro{}, false
	}
	below := c.e.plan.access(in.Args[1])
	if below.kind != direct || !c.only(below.value) || c.e.p.Instrs[below.value].Op != ir.Add {
		return micro{}, false
	}
	sum := c.e.p.Instrs[below.value].Args
	s, ok := c.scalar(sum[1])
	root := c.e.plan.access(sum[0])
	if !ok || root.kind != direct || !c.only(root.value) || c.e.p.Instrs[root.value].Op != ir.Sqrt {
		return micro{}, false
	}
	return micro{do: overRoot, a: c.operand(in.Args[0]), b: c.operand(c.e.p.Instrs[root.value].Args[0]), s: s}, true
}

// adamLength is how many operations a step of Adam is.
const adamLength = 4

// adam is operation i of the code and those after it in one, where they are the
// step of that optimiser.
func (c *coder) adam(i int) (micro, bool) {
	if i+adamLength > len(c.g.code) {
		return micro{}, false
	}
	code := c.g.code[i : i+adamLength]
	first, second, over, step := &code[0], &code[1], &code[2], &code[3]
	ok := first.do == weighted && second.do == weightedProduct && over.do == overRoot && step.do == fmaScalar &&
		second.b == first.b && second.c == first.b && over.a == first.dst && over.b == second.dst && step.a == over.dst && over.dst.in == inRegister
	for _, m := range []*micro{first, second, over, step} {
		ok = ok && m.s.each == 0 && m.t.each == 0
	}
	for _, m := range []*micro{first, second, step} {
		ok = ok && m.dst.in == inArray
	}
	for j := range c.g.code {
		ok = ok && (j == i+adamLength-1 || !c.g.code[j].readsOperand(over.dst))
	}
	return micro{do: adam, dst: step.dst, a: first.b, b: first.a, c: second.a, adam: &adamStep{w: step.c, m1: first.dst, v1: second.dst,
		k: [6]number{first.s, first.t, second.s, second.t, step.s, over.s}}}, ok
}

// multiplyAdd is x·y + z or z − x·y, where y may be a number.
func (c *coder) multiplyAdd(in *ir.Instr) (micro, bool) {
	if in.Op != ir.Add && in.Op != ir.Sub {
		return micro{}, false
	}
	for i, a := range in.Args {
		z := in.Args[1-i]
		x, y, ok := c.product(a)
		if !ok || in.Op == ir.Sub && i == 0 {
			continue
		}
		s, scaled := c.scalar(y)
		if !scaled {
			if s, scaled = c.scalar(x); scaled {
				x = y
			}
		}
		switch {
		case scaled:
			s.negate = in.Op == ir.Sub
			return micro{do: fmaScalar, a: c.operand(x), s: s, c: c.operand(z)}, true
		case in.Op == ir.Sub:
			return micro{do: fnma, a: c.operand(x), b: c.operand(y), c: c.operand(z)}, true
		default:
			return micro{do: fma, a: c.operand(x), b: c.operand(y), c: c.operand(z)}, true
		}
	}
	return micro{}, false
}

// allocate maps the virtual registers of the code to as few as it can and
// returns how many.
func allocate(code []micro) int {
	last := map[int]int{} // virtual register -> last instruction that reads it
	for i := range code {
		for _, o := range code[i].reads() {
			if o.in == inRegister {
				last[o.at] = i
			}
		}
	}
	var free []int
	real := map[int]int{}
	n := 0
	for i := range code {
		m := &code[i]
		// A kernel may write over an operand, so a register that is read here
		// for the last time is free for the result.
		var freed []int
		for _, o := range m.reads() {
			if o.in != inRegister {
				continue
			}
			v := o.at
			o.at = real[v]
			if last[v] == i {
				freed = append(freed, o.at)
				last[v] = -1
			}
		}
		free = append(free, freed...)
		if m.do == sum || m.do == dot || m.dst.in != inRegister {
			continue
		}
		if len(free) == 0 {
			free = append(free, n)
			n++
		}
		v := m.dst.at
		m.dst.at = free[len(free)-1]
		free = free[:len(free)-1]
		real[v] = m.dst.at
	}
	return n
}

// reads lists the blocks that the operation reads.
func (m *micro) reads() []*operand {
	switch m.do {
	case unary, withScalar, sum:
		return []*operand{&m.a}
	case binary, dot, weighted, overRoot:
		return []*operand{&m.a, &m.b}
	case scalarWith:
		return []*operand{&m.b}
	case fmaScalar:
		return []*operand{&m.a, &m.c}
	case fma, fnma, weightedProduct, choose:
		return []*operand{&m.a, &m.b, &m.c}
	case adam:
		return []*operand{&m.a, &m.b, &m.c, &m.adam.w}
	}
	return nil
}

// writes lists the blocks that the operation writes.
func (m *micro) writes() []*operand {
	switch m.do {
	case sum, dot:
		return nil
	case adam:
		return []*operand{&m.dst, &m.adam.m1, &m.adam.v1}
	}
	return []*operand{&m.dst}
}
