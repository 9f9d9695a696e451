package gonum

import (
	"fmt"
	"slices"
	"time"

	"bayesbench/backends"
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// executable is a compiled program: instructions over a table of arrays. The
// arrays of parameters and results are those of the buffers of the run.
type executable struct {
	be   *Backend
	p    *ir.Program
	args []ir.Value // the program's parameters
	plan *plan
	f32  [][]float32 // by canonical value
	u32  [][]uint32
	out  []backends.Data // results, by index
	home []ir.Value      // the value that lives in a result's buffer, or ir.None
	// states is the argument that a result may take the place of, or −1.
	states []int
	steps  []instr // one after the other
	// read is the contents of the arguments in the last run, and changed says
	// which of them are others than in the run before.
	read    []uint64
	changed []bool
	// regs is one worker's registers for blocks, by worker.
	regs  [][]float32
	arena int             // floats
	spent []time.Duration // by instruction, while profiling
}

// instr is one instruction of an executable.
type instr interface {
	run(e *executable)
	// reserve tells how much scratch of the pool run will need, in floats.
	reserve(e *executable) int
}

// composites that have instructions of their own.
func has(op ir.Op) bool {
	switch op {
	case ir.Square, ir.Relu, ir.Sigmoid, ir.Softplus, ir.LogSoftmax, ir.Linear:
		return true
	}
	return false
}

// Compile plans the program and makes its instructions.
func (b *Backend) Compile(p *ir.Program) (backends.Executable, error) {
	return b.compile(p)
}

func (b *Backend) compile(p *ir.Program) (*executable, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("gonum: program %s: %w", p.Name, err)
	}
	p = transposed(simplify(ir.Clean(ir.Expand(p, has))))
	pl := newPlan(p)
	pl.fuse()
	if again := rematerialise(pl); again != p {
		p, pl = again, newPlan(again)
		pl.fuse()
	}
	pl.inPlace()
	strands := pl.schedule()
	pl.takePlaces(strands)
	places, size := pl.arena(strands)

	n := len(p.Instrs)
	e := &executable{be: b, p: p, args: p.Params(), plan: pl, arena: size, states: backends.States(p),
		f32: make([][]float32, n), u32: make([][]uint32, n), out: make([]backends.Data, len(p.Results))}
	e.read, e.changed = make([]uint64, len(e.args)), make([]bool, len(e.args))
	for range p.Results {
		e.home = append(e.home, ir.None)
	}
	for v, i := range pl.result {
		e.home[i] = v
	}
	arena := kernel.Floats(size)
	for _, q := range places {
		for _, v := range q.values {
			e.f32[v] = arena[q.lo : q.lo+pl.size(v)]
		}
	}
	for v := range ir.Value(n) {
		in := &p.Instrs[v]
		switch {
		case !pl.need[v] || pl.canon[v] != v:
		case in.Op == ir.Const:
			e.f32[v] = kernel.Floats(in.Type.Size())
			kernel.Fill(e.f32[v], float32(in.Value))
		case pl.of[v] >= 0 && in.Type.DType == ir.U32:
			e.u32[v] = make([]uint32, in.Type.Size())
		}
	}
	for _, units := range strands {
		e.steps = append(e.steps, e.newStrand(units))
	}
	for _, i := range pl.copies {
		c := &copyResult{from: pl.canon[p.Results[i].Value], to: i}
		if pl.overwritten(c.from, i) {
			c.saved = e.newSaveParam(c.from)
			e.steps = slices.Insert(e.steps, 0, instr(c.saved))
		}
		e.steps = append(e.steps, c)
	}
	e.reserveScratch()
	return e, nil
}

// instrs lists the instructions, those of strands among them.
func (e *executable) instrs() []instr {
	var all []instr
	for _, in := range e.steps {
		all = append(all, instrs(in)...)
	}
	return all
}

// instrs lists the instructions of one step: itself, or those of a strand.
func instrs(in instr) []instr {
	if s, ok := in.(*strand); ok {
		return s.instrs()
	}
	return []instr{in}
}

// assemble makes the instruction of unit u.
func (e *executable) assemble(u int) instr {
	members := e.plan.members[u]
	if e.plan.fusible(members[0]) {
		return e.newGroup(members, 0)
	}
	v := members[0]
	in := &e.p.Instrs[v]
	if _, ok := e.plan.bias[v]; ok {
		return e.newConv(v)
	}
	switch in.Op {
	case ir.MatMul, ir.Linear:
		return e.newProduct(v)
	case ir.Conv2D, ir.Conv2DDX, ir.Conv2DDW:
		return e.newConv(v)
	case ir.MaxPool, ir.MaxPoolGrad, ir.AvgPool, ir.AvgPoolGrad:
		return e.newWindow(v)
	case ir.LogSoftmax:
		return e.newLogSoftmax(v)
	case ir.ReduceSum, ir.ReduceMax:
		return e.newReduce(v)
	case ir.Gather:
		return e.newGather(v)
	case ir.OneHot:
		return e.newOneHot(v)
	case ir.Broadcast, ir.Transpose, ir.Slice, ir.Concat, ir.Pad:
		return e.newMove(v)
	}
	panic("gonum: no instruction for " + in.Op.String())
}

func (e *executable) reserveScratch() {
	need, regs := kernel.Scratch{}, 0
	for _, in := range e.steps {
		need = need.Max(kernel.Scratch{Shared: in.reserve(e)})
	}
	for _, in := range e.instrs() {
		if c, ok := in.(*conv); ok {
			need = need.Max(c.scratch(e))
		}
		if g, ok := in.(*group); ok {
			regs = max(regs, g.regs*g.block)
		}
	}
	e.be.pool.ReserveBoth(need)
	e.regs = make([][]float32, e.be.pool.Workers())
	for w := range e.regs {
		e.regs[w] = kernel.Floats(regs)
	}
}

// Run binds the buffers and runs the instructions.
func (e *executable) Run(args, results []backends.Buffer) error {
	if err := e.bind(args, results); err != nil {
		return err
	}
	if e.spent != nil {
		e.runTimed()
		return nil
	}
	for _, in := range e.steps {
		in.run(e)
	}
	return nil
}

func (e *executable) bind(args, results []backends.Buffer) error {
	if e.f32 == nil {
		return fmt.Errorf("gonum: program %s: run of a closed executable", e.p.Name)
	}
	if len(args) != len(e.args) || len(results) != len(e.out) {
		return fmt.Errorf("gonum: program %s: want %d arguments and %d results, found %d and %d",
			e.p.Name, len(e.args), len(e.out), len(args), len(results))
	}
	e.be.runs++
	for i, v := range e.args {
		b, ok := args[i].(*buffer)
		if !ok || !b.typ.Equal(e.p.Type(v)) {
			return fmt.Errorf("gonum: program %s: argument %q: want %s, found %s", e.p.Name, e.p.Instrs[v].Name, e.p.Type(v), describe(args[i]))
		}
		b.taken = b.run == e.be.runs
		b.run = e.be.runs
		e.f32[v], e.u32[v] = b.f32, b.u32
	}
	for i, r := range e.p.Results {
		b, ok := results[i].(*buffer)
		if !ok || !b.typ.Equal(e.p.Type(r.Value)) {
			return fmt.Errorf("gonum: program %s: result %q: want %s, found %s", e.p.Name, r.Name, e.p.Type(r.Value), describe(results[i]))
		}
		if at := e.states[i]; b.run == e.be.runs && (b.taken || at < 0 || args[at] != results[i]) {
			return fmt.Errorf("gonum: program %s: the buffer of result %q is also that of another argument than its state, or of another result", e.p.Name, r.Name)
		}
		b.run, b.taken = e.be.runs, true
		e.out[i] = backends.Data{F32: b.f32, U32: b.u32}
	}
	for i, a := range args {
		b := a.(*buffer)
		e.changed[i] = b.contents != e.read[i]
		e.read[i] = b.contents
	}
	for _, r := range results {
		r.(*buffer).renew()
	}
	for i, v := range e.home {
		if v != ir.None {
			e.f32[v], e.u32[v] = e.out[i].F32, e.out[i].U32
		}
	}
	return nil
}

func describe(b backends.Buffer) string {
	if b == nil {
		return "none"
	}
	if _, ok := b.(*buffer); !ok {
		return "a buffer of another backend"
	}
	return b.Type().String()
}

// Close drops the arena.
func (e *executable) Close() error {
	e.f32, e.u32, e.out, e.steps, e.regs, e.plan = nil, nil, nil, nil, nil, nil
	return nil
}
