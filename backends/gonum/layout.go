package gonum

import (
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// A fully connected layer holds its activations for a batch with a row for each
// example, but its weights, and the gradients and moments of these, with a row
// for each neuron. transposed turns the activations round where it can: with
// all of a neuron in one row, a worker that has the same rows of everything
// passes to others no more than one layer's inputs, and the weights are the
// operand of products that needs no cut along columns.

// transposed rewrites the program so that activations between products have a
// row for each neuron.
func transposed(p *ir.Program) *ir.Program {
	t := &turner{p: p, root: make([]ir.Value, len(p.Instrs)), turn: make([]bool, len(p.Instrs))}
	if !t.find() {
		return p
	}
	t.at = make([]ir.Value, len(p.Instrs))
	for v := range p.Instrs {
		t.at[v] = t.rewrite(ir.Value(v))
	}
	out := &ir.Program{Name: p.Name, Instrs: t.out}
	for _, r := range p.Results {
		out.Results = append(out.Results, ir.Result{Name: r.Name, Value: t.at[r.Value]})
	}
	return ir.Clean(out)
}

type turner struct {
	p    *ir.Program
	root []ir.Value // of the values that turn together or not at all
	turn []bool     // the value has its rows and columns changed over
	out  []ir.Instr
	at   []ir.Value
}

func (t *turner) find() bool {
	for v := range t.root {
		t.root[v] = ir.Value(v)
	}
	elementwise := func(op ir.Op) bool {
		return op.Class() == ir.Elementwise || op == ir.Square || op == ir.Relu || op == ir.Sigmoid || op == ir.Softplus
	}
	for v, in := range t.p.Instrs {
		if elementwise(in.Op) {
			for _, a := range in.Args {
				if !t.either(a) {
					t.root[t.group(ir.Value(v))] = t.group(a)
				}
			}
		}
	}
	wanted, barred := map[ir.Value]bool{}, map[ir.Value]bool{}
	bar := func(v ir.Value) { barred[t.group(v)] = true }
	for v := range ir.Value(len(t.p.Instrs)) {
		in := &t.p.Instrs[v]
		switch {
		case in.Op == ir.MatMul && !in.TransA || in.Op == ir.Linear:
			if g := t.product(v); g.ByRows() {
				wanted[t.group(v)] = true
			}
		case len(in.Type.Shape) != 2 || !elementwise(in.Op) && in.Op != ir.Normal && in.Op != ir.Uniform && !t.either(v):
			bar(v)
		}
		for i, a := range in.Args {
			switch {
			case in.Op == ir.MatMul || in.Op == ir.ReduceSum || in.Op == ir.ReduceMax || elementwise(in.Op):
			case in.Op == ir.Linear && i < 2:
			default:
				bar(a)
			}
		}
	}
	for _, r := range t.p.Results {
		bar(r.Value)
	}
	any := false
	for v := range ir.Value(len(t.p.Instrs)) {
		g := t.group(v)
		t.turn[v] = wanted[g] && !barred[g]
		any = any || t.turn[v]
	}
	return any
}

// product is the product that v would be, turned.
func (t *turner) product(v ir.Value) kernel.Gemm {
	x, y := t.p.Type(t.p.Instrs[v].Args[0]).Shape, t.p.Type(v).Shape
	return kernel.Gemm{M: y[1], N: y[0], K: x[1]}
}

// group is the one value that stands for those that turn with v.
func (t *turner) group(v ir.Value) ir.Value {
	for t.root[v] != v {
		t.root[v] = t.root[t.root[v]]
		v = t.root[v]
	}
	return v
}

// either reports whether v costs nothing to have both ways: a constant or a
// repeated number or vector.
func (t *turner) either(v ir.Value) bool {
	in := &t.p.Instrs[v]
	return in.Op == ir.Const || in.Op == ir.Broadcast && len(in.Dims) < 2
}

func (t *turner) emit(in ir.Instr) ir.Value {
	t.out = append(t.out, in)
	return ir.Value(len(t.out) - 1)
}

func turnedType(t ir.Type) ir.Type { return ir.Float(t.Shape[1], t.Shape[0]) }

// turned is operand a of an instruction that is turned.
func (t *turner) turned(a ir.Value) ir.Value {
	in := t.p.Instrs[a]
	if !t.either(a) {
		return t.at[a]
	}
	in.Type = turnedType(in.Type)
	if in.Op == ir.Broadcast {
		in.Args = []ir.Value{t.at[in.Args[0]]}
		in.Dims = other(in.Dims)
	}
	return t.emit(in)
}

// other is each of the axes of a matrix as the other.
func other(dims []int) []int {
	out := make([]int, len(dims))
	for i, d := range dims {
		out[len(out)-1-i] = 1 - d
	}
	return out
}

func (t *turner) rewrite(v ir.Value) ir.Value {
	in := t.p.Instrs[v]
	args := in.Args
	in.Args = make([]ir.Value, len(args))
	for i, a := range args {
		in.Args[i] = t.at[a]
	}
	turn := t.turn[v]
	switch in.Op {
	case ir.Linear:
		if !turn && !t.turn[args[0]] && !t.turn[args[1]] {
			return t.emit(in)
		}
		bias := in.Args[2]
		in.Op, in.Args, in.TransB = ir.MatMul, in.Args[:2], true
		y := t.matMul(in, args, turn)
		dims := []int{1}
		if turn {
			dims[0] = 0
		}
		typ := t.out[y].Type
		wide := t.emit(ir.Instr{Op: ir.Broadcast, Args: []ir.Value{bias}, Attrs: ir.Attrs{Dims: dims}, Type: typ})
		return t.emit(ir.Instr{Op: ir.Add, Args: []ir.Value{y, wide}, Type: typ})
	case ir.MatMul:
		return t.matMul(in, args, turn)
	case ir.ReduceSum, ir.ReduceMax:
		if t.turn[args[0]] {
			in.Dims = other(in.Dims)
		}
	case ir.Normal, ir.Uniform:
		if turn {
			return t.emit(ir.Instr{Op: ir.Transpose, Args: []ir.Value{t.emit(in)}, Attrs: ir.Attrs{Dims: []int{1, 0}}, Type: turnedType(in.Type)})
		}
	default:
		if turn {
			for i, a := range args {
				in.Args[i] = t.turned(a)
			}
			in.Type = turnedType(in.Type)
		}
	}
	return t.emit(in)
}

// matMul emits a product, turned or not, whose operands may be.
func (t *turner) matMul(in ir.Instr, args []ir.Value, turn bool) ir.Value {
	in.TransA = in.TransA != t.turn[args[0]]
	in.TransB = in.TransB != t.turn[args[1]]
	if turn {
		in.Args = []ir.Value{in.Args[1], in.Args[0]}
		in.TransA, in.TransB = !in.TransB, !in.TransA
		in.Type = turnedType(in.Type)
	}
	return t.emit(in)
}
