package backendtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

func TestRefConforms(t *testing.T) {
	Run(t, func(testing.TB) backends.Backend { return ref.New() })
}

// The tolerances can be met: arithmetic that rounds every value of a program to
// float32, as backends do, passes all that is not about the interface.
func TestFloat32MeetsTheTolerances(t *testing.T) {
	be := rounding{}
	for _, c := range Cases() {
		if strings.HasPrefix(c.Name, "size/") {
			continue // the same ops and tolerances, slowly
		}
		if err := c.check(be); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	programs := uint32(200)
	if testing.Short() {
		programs = 50
	}
	for seed := range programs {
		if c := RandomCase(seed); c.check(be) != nil {
			t.Errorf("%s: %v%s", c.Name, c.check(be), excerpt(c.Program))
		}
	}
	for _, tr := range trajectories() {
		if err := tr.check(be); err != nil {
			t.Errorf("%s: %v", tr.name, err)
		}
	}
}

// The suite sees every op: a backend that gets one wrong by a thousandth, at
// the last element of its result only, fails a case.
func TestEveryOpIsHeld(t *testing.T) {
	cases := Cases()
	for _, op := range ir.Ops() {
		wrong := rounding{spoil: func(in *ir.Instr, v ref.Value) {
			if n := len(v.F); in.Op == op && n > 0 {
				v.F[n-1] = v.F[n-1]*1.001 + 1e-3
			}
		}}
		if op == ir.Param {
			continue // arguments are ref's own here
		}
		found := slices.ContainsFunc(cases, func(c Case) bool { return uses(c.Program, op) && c.check(wrong) != nil })
		if !found {
			t.Errorf("%s: no case fails when it is wrong", op)
		}
	}
}

// A backend that lacks an op, or breaks a rule of the interface, fails.
func TestFaultsAreFound(t *testing.T) {
	c := addition()
	for about, be := range map[string]rounding{
		"lacks add":            {lacks: ir.Add},
		"changes its argument": {after: func(args, _ []*memory) { args[0].F[0]++ }},
		"leaves an element":    {after: func(_, results []*memory) { results[0].F[2] = results[0].before[2] }},
		"adds to the result":   {after: func(_, results []*memory) { results[0].F[1] += results[0].before[1] }},
		"swaps results":        {after: func(_, results []*memory) { results[0].F, results[1].F = results[1].F, results[0].F }},
		"run fails":            {fails: errors.New("no device")},
	} {
		if c.check(be) == nil {
			t.Errorf("a backend that %s: want an error, found none", about)
		}
	}
	if err := c.check(rounding{}); err != nil {
		t.Errorf("a backend without fault: %v", err)
	}
}

// Programs of the generator are valid, the same for a seed, and use every op
// that forward and gradient programs are made of.
func TestRandomPrograms(t *testing.T) {
	seen := map[ir.Op]bool{}
	texts := map[string]bool{}
	for seed := range uint32(400) {
		p := RandomProgram(seed)
		if p.String() != RandomProgram(seed).String() {
			t.Errorf("seed %d: two programs", seed)
		}
		texts[p.String()] = true
		for i := range p.Instrs {
			seen[p.Instrs[i].Op] = true
		}
	}
	if len(texts) != 400 {
		t.Errorf("found %d different programs from 400 seeds", len(texts))
	}
	for _, op := range ir.Ops() {
		if !seen[op] {
			t.Errorf("%s: in no random program", op)
		}
	}
}

func TestCaseNamesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		if seen[c.Name] {
			t.Errorf("two cases are named %s", c.Name)
		}
		seen[c.Name] = true
		if c.Tol.Why == "" {
			t.Errorf("%s: its tolerance has no reason", c.Name)
		}
	}
}

func uses(p *ir.Program, op ir.Op) bool {
	return slices.ContainsFunc(p.Instrs, func(in ir.Instr) bool { return in.Op == op })
}

// rounding is a backend that evaluates by ref, one instruction at a time, and
// rounds each to float32. It expands composites first. Its fields make it wrong
// on purpose.
type rounding struct {
	lacks ir.Op
	spoil func(in *ir.Instr, v ref.Value) // changes the value of an instruction
	after func(args, results []*memory)   // runs at the end of Run
	fails error
}

// memory is its buffer.
type memory struct {
	ref.Value
	before []float64 // what Run found in it
}

type program struct {
	rounding
	p *ir.Program
}

func (rounding) Info() backends.Info { return backends.Info{Name: "rounding"} }
func (rounding) Close() error        { return nil }

func (rounding) Alloc(t ir.Type) (backends.Buffer, error) {
	return &memory{Value: ref.Zeros(t)}, nil
}

func (r rounding) Compile(p *ir.Program) (backends.Executable, error) {
	if uses(p, r.lacks) {
		return nil, fmt.Errorf("no op %s", r.lacks)
	}
	return program{r, p}, nil
}

func (m *memory) Type() ir.Type { return m.Value.Type }

func (m *memory) Write(d backends.Data) error {
	m.F, m.U = widened(m.Type(), d).F, slices.Clone(d.U32)
	return nil
}

func (m *memory) Read(d backends.Data) error {
	copy(d.U32, m.U)
	for i, x := range m.F {
		d.F32[i] = float32(x)
	}
	return nil
}

func (program) Close() error { return nil }

func (e program) Run(args, results []backends.Buffer) error {
	if e.fails != nil {
		return e.fails
	}
	values := make([]ref.Value, len(e.p.Instrs))
	ins, outs := make([]*memory, len(args)), make([]*memory, len(results))
	for i, v := range e.p.Params() {
		ins[i] = args[i].(*memory)
		values[v] = ins[i].Value
	}
	for i := range e.p.Instrs {
		in := e.p.Instrs[i]
		if in.Op == ir.Param {
			continue
		}
		one := &ir.Program{Name: "one", Results: []ir.Result{{Name: "y", Value: ir.Value(len(in.Args))}}}
		var x []ref.Value
		operands := in.Args
		in.Args = nil
		for j, a := range operands {
			one.Instrs = append(one.Instrs, ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: fmt.Sprint(j)}, Type: e.p.Type(a)})
			x = append(x, values[a])
			in.Args = append(in.Args, ir.Value(j))
		}
		one.Instrs = append(one.Instrs, in)
		y, err := ref.Eval(ir.Expand(one, func(ir.Op) bool { return false }), x...)
		if err != nil {
			return err
		}
		v := ref.Value{Type: in.Type, F: slices.Clone(y[0].F), U: y[0].U}
		if e.spoil != nil {
			e.spoil(&in, v)
		}
		for k := range v.F {
			v.F[k] = float64(float32(v.F[k]))
		}
		values[i] = v
	}
	for i, r := range results {
		outs[i] = r.(*memory)
		outs[i].before = outs[i].F
		outs[i].F = slices.Clone(values[e.p.Results[i].Value].F)
		outs[i].U = values[e.p.Results[i].Value].U
	}
	if e.after != nil {
		e.after(ins, outs)
	}
	return nil
}

// The message of a failure names the result, the element and the tolerance.
func TestFailureMessage(t *testing.T) {
	c := addition()
	wrong := rounding{spoil: func(in *ir.Instr, v ref.Value) {
		if in.Op == ir.Sub {
			v.F[1] += 100
		}
	}}
	err := c.check(wrong)
	if err == nil || !strings.Contains(err.Error(), `result "difference", element 1 of f32[3]`) {
		t.Errorf("found %v", err)
	}
}
