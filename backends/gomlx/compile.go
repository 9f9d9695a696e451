package gomlx

import (
	"fmt"
	"math"

	mlx "github.com/gomlx/gomlx/backends"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// emitter builds the GoMLX computation of one program. An error of GoMLX's
// builder ends it by a panic with emitError, which Compile returns.
type emitter struct {
	b   mlx.Builder
	has map[mlx.OpType]bool
	p   *ir.Program
}

type emitError struct{ err error }

// do unwraps what the builder gave.
func (e *emitter) do(x mlx.Op, err error) mlx.Op {
	if err != nil {
		panic(emitError{err})
	}
	return x
}

func (b *backend) Compile(p *ir.Program) (exe backends.Executable, err error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%s: program %s: %w", b.info.Name, p.Name, err)
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(emitError)
			if !ok {
				panic(r)
			}
			exe, err = nil, fmt.Errorf("%s: program %s: %w", b.info.Name, p.Name, e.err)
		}
	}()
	e := &emitter{
		b:   b.engine.Builder("program"),
		has: b.engine.Capabilities().Operations,
		p:   ir.Clean(ir.Expand(p, func(ir.Op) bool { return false })),
	}
	outputs, inputs := e.program()
	if len(outputs) == 0 {
		return &executable{backend: b, p: p}, nil
	}
	compiled, err := e.b.Compile(outputs, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: program %s: %w", b.info.Name, p.Name, err)
	}
	return &executable{backend: b, p: p, exe: compiled, inputs: inputs}, nil
}

// program emits every instruction and returns the results that have elements,
// and which parameters, counted in order, they were made of. (The Go engine
// fails on a parameter that nothing uses.)
func (e *emitter) program() (outputs []mlx.Op, inputs []int) {
	needed := ir.Needed(e.p)
	param := -1
	values := make([]mlx.Op, len(e.p.Instrs)) // nil where there are no elements
	for i := range e.p.Instrs {
		in := &e.p.Instrs[i]
		if in.Op == ir.Param {
			param++
		}
		if !needed[i] {
			continue
		}
		if in.Op == ir.Param {
			inputs = append(inputs, param)
			values[i] = e.do(e.b.Parameter(fmt.Sprintf("p%d", i), shapeOf(in.Type), nil))
			continue
		}
		x := make([]mlx.Op, len(in.Args))
		empty := false
		for j, a := range in.Args {
			x[j] = values[a]
			empty = empty || x[j] == nil
		}
		switch {
		case empty && in.Op == ir.Concat:
			values[i] = e.concat(in.Axis, x...)
		case empty:
			values[i] = e.full(ofNothing(in.Op), in.Type)
		default:
			values[i] = lowerings[in.Op](e, in, x)
		}
	}
	taken := map[mlx.Op]bool{}
	for _, r := range e.p.Results {
		v := values[r.Value]
		if v == nil {
			continue
		}
		if taken[v] { // the Go engine wants outputs to differ
			v = e.do(e.b.Identity(v))
		}
		taken[v] = true
		outputs = append(outputs, v)
	}
	return outputs, inputs
}

// ofNothing is the value at every element of a result that is made of no
// elements: sums and pads are zero.
func ofNothing(op ir.Op) float64 {
	if op == ir.ReduceMax {
		return math.Inf(-1)
	}
	return 0
}
