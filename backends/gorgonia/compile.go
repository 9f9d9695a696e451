package gorgonia

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// graph is a program as Gorgonia runs it.
type graph struct {
	g       *gorgonia.ExprGraph
	machine gorgonia.VM
	inputs  []input
	outputs []*output
}

// input is a leaf, and which of the arguments it stands for.
type input struct {
	node *gorgonia.Node
	arg  int
}

// output is where the tape writes a result, and which of the results it is.
// spare is for one that takes the place of its argument, which the tape may yet
// have to read when it writes.
type output struct {
	into   gorgonia.Value
	result int
	spare  *tensor.Dense
}

// run binds the arguments to the leaves and runs the tape, which copies the
// results into their buffers.
func (g *graph) run(args, results []backends.Buffer) error {
	for _, in := range g.inputs {
		if err := gorgonia.Let(in.node, args[in.arg].(*buffer).v); err != nil {
			return err
		}
	}
	for _, out := range g.outputs {
		r := results[out.result].(*buffer)
		if slices.Contains(args, results[out.result]) {
			if out.spare == nil {
				out.spare = newTensor(r.t)
			}
			r.v, out.spare = out.spare, r.v
		}
		out.into = r.v
	}
	defer g.machine.Reset()
	return g.machine.RunAll()
}

// emitter builds the graph of one program. An error of Gorgonia's ends it by a
// panic with emitError, which Compile returns.
type emitter struct {
	*graph
	p      *ir.Program
	leaves int
}

type emitError struct{ err error }

// do unwraps what Gorgonia gave.
func (e *emitter) do(n *gorgonia.Node, err error) *gorgonia.Node {
	if err != nil {
		panic(emitError{err})
	}
	return n
}

func (b *backend) Compile(p *ir.Program) (exe backends.Executable, err error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: program %s: %w", name, p.Name, err)
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(emitError)
			if !ok {
				panic(r)
			}
			exe, err = nil, fmt.Errorf("%s: program %s: %w", name, p.Name, e.err)
		}
	}()
	e := &emitter{
		graph: &graph{g: gorgonia.NewGraph()},
		p:     ir.Clean(ir.Expand(p, func(ir.Op) bool { return false })),
	}
	e.program()
	if len(e.outputs) == 0 {
		return &executable{p: p}, nil
	}
	e.machine = gorgonia.NewTapeMachine(e.g)
	return &executable{p: p, graph: e.graph}, nil
}

// program emits every instruction that a result with elements needs.
func (e *emitter) program() {
	needed := ir.Needed(e.p)
	param := -1
	values := make([]*gorgonia.Node, len(e.p.Instrs)) // nil where there are no elements
	for i := range e.p.Instrs {
		in := &e.p.Instrs[i]
		if in.Op == ir.Param {
			param++
		}
		if !needed[i] {
			continue
		}
		var x []*gorgonia.Node
		empty := false
		for _, a := range in.Args {
			x = append(x, values[a])
			empty = empty || values[a] == nil
		}
		switch {
		case in.Op == ir.Param:
			values[i] = e.leaf(in.Type)
			e.inputs = append(e.inputs, input{values[i], param})
		case empty && in.Op == ir.Concat:
			values[i] = e.concat(in.Type, in.Axis, x)
		case empty && in.Op == ir.ReduceMax:
			values[i] = e.full(math.Inf(-1), in.Type)
		case empty: // sums and pads of nothing
			values[i] = e.full(0, in.Type)
		default:
			values[i] = lowerings[in.Op](e, in, x)
		}
	}
	for i, r := range e.p.Results {
		v := values[r.Value]
		if v == nil {
			continue
		}
		out := &output{result: i}
		gorgonia.Read(v, &out.into)
		e.outputs = append(e.outputs, out)
	}
}

// leaf is an input of the graph.
func (e *emitter) leaf(t ir.Type) *gorgonia.Node {
	e.leaves++
	s := shapeOf(t)
	return gorgonia.NewTensor(e.g, dtypeOf(t), len(s), gorgonia.WithShape(s...), gorgonia.WithName(fmt.Sprintf("leaf%d", e.leaves)))
}

// full is a leaf with the number at every element.
func (e *emitter) full(c float64, t ir.Type) *gorgonia.Node {
	v := newTensor(t)
	a := arrayOf(v)
	for i := range a.f {
		a.f[i] = float32(c)
	}
	n := e.leaf(t)
	if err := gorgonia.Let(n, v); err != nil {
		panic(emitError{err})
	}
	return n
}

// shapeOf is the shape in Gorgonia's terms: a scalar is a vector of one element.
func shapeOf(t ir.Type) tensor.Shape {
	if t.Rank() == 0 {
		return tensor.Shape{1}
	}
	return append(tensor.Shape(nil), t.Shape...)
}

func dtypeOf(t ir.Type) tensor.Dtype {
	if t.DType == ir.U32 {
		return tensor.Uint32
	}
	return tensor.Float32
}

func newTensor(t ir.Type) *tensor.Dense {
	return tensor.New(tensor.Of(dtypeOf(t)), tensor.WithShape(shapeOf(t)...))
}
