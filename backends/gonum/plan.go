package gonum

import (
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// plan is what is known about a program on the way to its executable. Values
// are those of the program; canon maps the names of one array to one of them.
type plan struct {
	p     *ir.Program
	canon []ir.Value // what v is an alias of: through Reshape and whatever else moves nothing
	need  []bool     // the canonical value must exist in memory or in a group's registers
	users [][]ir.Value
	// result maps a canonical value to the result whose buffer it lives in.
	result map[ir.Value]int
	// bias says of an addition that it is the epilogue of a convolution.
	bias        map[ir.Value]convBias
	nonNegative []bool // values of which no element can be below 0
	// copies are the results that need one, because their value lives elsewhere.
	copies []int
	// state is the parameter that a result may take the place of, or ir.None.
	state []ir.Value
	// over is the value of the arena whose place another takes.
	over map[ir.Value]ir.Value

	// origin is what an elementwise value is computed from; apart, that a value
	// is kept apart from the noise that joins it.
	origin []origin
	apart  []bool
	// again says of a value that every unit that reads it computes it itself.
	again []bool

	units
}

// access is how an instruction of n elements reads an operand in flat order.
type access struct {
	kind  accessKind
	value ir.Value // canonical; not for constants
	x     float32  // constant
	// Element i reads value[i/each%length].
	each, length int
}

type accessKind uint8

const (
	direct accessKind = iota
	constant
	scalar
	tiled    // each = 1
	repeated // length = all
	channels
)

func newPlan(p *ir.Program) *plan {
	n := len(p.Instrs)
	pl := &plan{p: p, canon: make([]ir.Value, n), need: make([]bool, n), users: make([][]ir.Value, n),
		result: map[ir.Value]int{}, bias: map[ir.Value]convBias{}}
	for v := range p.Instrs {
		pl.canon[v] = ir.Value(v)
		if pl.movesNothing(ir.Value(v)) {
			pl.canon[v] = pl.canon[p.Instrs[v].Args[0]]
		}
	}
	params := p.Params()
	for _, at := range backends.States(p) {
		if at < 0 {
			pl.state = append(pl.state, ir.None)
		} else {
			pl.state = append(pl.state, params[at])
		}
	}
	pl.nonNegative = nonNegative(p)
	pl.findBiases()
	for i, r := range p.Results {
		v := pl.canon[r.Value]
		op := p.Instrs[v].Op
		if _, taken := pl.result[v]; taken || op == ir.Param || op == ir.Const {
			pl.copies = append(pl.copies, i)
		} else {
			pl.result[v] = i
		}
		pl.need[v] = true
	}
	for v := ir.Value(n - 1); v >= 0; v-- {
		if !pl.need[v] || pl.canon[v] != v {
			continue
		}
		for _, a := range pl.reads(v) {
			pl.need[a] = true
			pl.users[a] = append(pl.users[a], v)
		}
	}
	return pl
}

// movesNothing reports whether the result has the operand's elements in the
// operand's order.
func (pl *plan) movesNothing(v ir.Value) bool {
	in := &pl.p.Instrs[v]
	switch in.Op {
	case ir.Reshape:
		return true
	case ir.Broadcast, ir.ReduceSum, ir.ReduceMax, ir.Slice, ir.Pad:
		return in.Type.Size() == pl.size(in.Args[0])
	case ir.Transpose:
		last := -1
		for i, d := range in.Dims {
			if in.Type.Shape[i] != 1 {
				if d < last {
					return false
				}
				last = d
			}
		}
		return true
	case ir.Concat:
		return len(in.Args) == 1
	}
	return false
}

func (pl *plan) size(v ir.Value) int { return pl.p.Instrs[v].Type.Size() }

// reads lists the canonical values that the instruction reads, each once.
func (pl *plan) reads(v ir.Value) []ir.Value {
	in := &pl.p.Instrs[v]
	var out []ir.Value
	add := func(a ir.Value) {
		if slices.Contains(out, a) {
			return
		}
		out = append(out, a)
	}
	args := in.Args
	if b, ok := pl.bias[v]; ok {
		add(b.bias)
		v, args = b.conv, pl.p.Instrs[b.conv].Args
	}
	for _, a := range args {
		if !pl.fusible(v) {
			a, _ := pl.mapped(v, a)
			add(a)
		} else if acc := pl.access(a); acc.kind != constant {
			add(acc.value)
		}
	}
	return out
}

// mapped is the operand a of instruction v, which is not fusible: the value
// that it reads, and the function that it applies to it on the way.
func (pl *plan) mapped(v, a ir.Value) (ir.Value, kernel.UnaryOp) {
	in, src := &pl.p.Instrs[v], pl.canon[a]
	maps := false
	switch in.Op {
	case ir.MatMul:
		maps = true
	case ir.Linear:
		maps = a != in.Args[2]
	case ir.Conv2D:
		maps = in.Args[0] != in.Args[1]
	case ir.Conv2DDX:
		maps = a == in.Args[1] && a != in.Args[0]
	case ir.Conv2DDW:
		maps = a == in.Args[0] && a != in.Args[1]
	}
	if maps && pl.p.Instrs[src].Op == ir.Square {
		return pl.canon[pl.p.Instrs[src].Args[0]], kernel.Square
	}
	return src, kernel.Identity
}

// fusible reports whether the instruction can be part of an elementwise group.
func (pl *plan) fusible(v ir.Value) bool {
	if _, ok := pl.bias[v]; ok {
		return false
	}
	in := &pl.p.Instrs[v]
	switch in.Op {
	case ir.Square, ir.Relu, ir.Sigmoid, ir.Softplus, ir.Uniform, ir.Normal:
		return true
	case ir.Broadcast:
		_, ok := pl.pattern(v)
		return ok
	case ir.ReduceSum:
		_, ok := pl.sumOf(v)
		return ok
	}
	return in.Op.Class() == ir.Elementwise
}

// nonNegative says of each value whether it is known that no element is below 0.
func nonNegative(p *ir.Program) []bool {
	is := make([]bool, len(p.Instrs))
	for v, in := range p.Instrs {
		arg := func(i int) bool { return is[in.Args[i]] }
		switch in.Op {
		case ir.Abs, ir.Exp, ir.Sqrt, ir.Less, ir.LessEqual, ir.Equal, ir.OneHot, ir.Uniform, ir.Square, ir.Relu, ir.Sigmoid, ir.Softplus:
			is[v] = true
		case ir.Const:
			is[v] = in.Value >= 0
		case ir.Mul:
			is[v] = in.Args[0] == in.Args[1] || arg(0) && arg(1)
		case ir.Add, ir.Div, ir.Min, ir.MatMul, ir.Conv2D:
			is[v] = arg(0) && arg(1)
		case ir.Max:
			is[v] = arg(0) || arg(1)
		case ir.Select:
			is[v] = arg(1) && arg(2)
		case ir.Broadcast, ir.Reshape, ir.Transpose, ir.Slice, ir.Pad, ir.Gather, ir.ReduceSum, ir.MaxPool, ir.AvgPool:
			is[v] = arg(0)
		}
	}
	return is
}

// convBias is a convolution and the bias [O] that is added to its channels.
type convBias struct{ conv, bias ir.Value }

func (pl *plan) findBiases() {
	uses := make([]int, len(pl.p.Instrs))
	for v := range pl.p.Instrs {
		if pl.canon[v] == ir.Value(v) {
			for _, a := range pl.p.Instrs[v].Args {
				uses[pl.canon[a]]++
			}
		}
	}
	for _, r := range pl.p.Results {
		uses[pl.canon[r.Value]]++
	}
	for v := range pl.p.Instrs {
		in := &pl.p.Instrs[v]
		if in.Op != ir.Add {
			continue
		}
		for i, a := range in.Args {
			c := pl.canon[a]
			if pl.p.Instrs[c].Op != ir.Conv2D || uses[c] != 1 {
				continue
			}
			shape := pl.p.Type(c).Shape
			if acc := pl.access(in.Args[1-i]); acc.kind == channels && acc.length == shape[1] && acc.each == shape[2]*shape[3] {
				pl.bias[ir.Value(v)] = convBias{c, acc.value}
			}
		}
	}
}

// groupSum is a sum that a group can end in: over everything, or over planes
// of consecutive elements and over the images that have a plane of a channel.
type groupSum struct {
	plane    int // 0: everything
	channels int
}

// sumOf says which kind of sum v is, if a group can end in it.
func (pl *plan) sumOf(v ir.Value) (groupSum, bool) {
	in := &pl.p.Instrs[v]
	axes := mergeAxes(pl.p.Type(in.Args[0]).Shape, in.Dims)
	switch {
	case len(axes) == 1 && axes[0].marked:
		return groupSum{0, 1}, true
	case pl.size(in.Args[0]) == 0:
	case len(axes) == 2 && axes[1].marked:
		_, ok := blockFor(axes[1].length)
		return groupSum{axes[1].length, axes[0].length}, ok
	case len(axes) == 3 && axes[0].marked:
		_, ok := blockFor(axes[2].length)
		return groupSum{axes[2].length, axes[1].length}, ok
	}
	return groupSum{}, false
}

// extent is the number of elements that a fusible instruction runs over.
func (pl *plan) extent(v ir.Value) int {
	if pl.p.Instrs[v].Op == ir.ReduceSum {
		return pl.size(pl.p.Instrs[v].Args[0])
	}
	return pl.size(v)
}

// access says how a fusible instruction reads its operand a. A broadcast is
// read through; it need not exist.
func (pl *plan) access(a ir.Value) access {
	v := pl.canon[a]
	in := &pl.p.Instrs[v]
	if in.Op == ir.Const {
		return access{kind: constant, x: float32(in.Value), each: 1, length: 1}
	}
	if in.Op == ir.Broadcast {
		if acc, ok := pl.pattern(v); ok {
			return acc
		}
	}
	return access{kind: direct, value: v}
}

// pattern is the access through broadcast v, where it is one of the simple.
func (pl *plan) pattern(v ir.Value) (access, bool) {
	in := &pl.p.Instrs[v]
	acc := access{value: pl.canon[in.Args[0]], each: 1, length: pl.size(in.Args[0])}
	switch axes := mergeAxes(in.Type.Shape, in.Dims); {
	case acc.length == 1:
		acc.kind = scalar
	case len(axes) == 2 && axes[1].marked:
		acc.kind = tiled
	case len(axes) == 2:
		acc.kind, acc.each = repeated, axes[1].length
	case len(axes) == 3 && axes[1].marked:
		acc.kind, acc.each = channels, axes[2].length
	default:
		return acc, false
	}
	return acc, true
}

// axis is a run of axes of a shape that are all marked or all not.
type axis struct {
	length int
	marked bool
}

// mergeAxes joins neighbouring axes that are alike and drops those of length 1.
func mergeAxes(shape, dims []int) []axis {
	var out []axis
	for i, n := range shape {
		marked := len(dims) > 0 && dims[0] == i
		if marked {
			dims = dims[1:]
		}
		if n == 1 {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].marked == marked {
			out[last].length *= n
		} else {
			out = append(out, axis{n, marked})
		}
	}
	return out
}
