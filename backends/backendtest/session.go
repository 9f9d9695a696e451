package backendtest

import (
	"errors"
	"fmt"
	"math"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// session is a compiled program with its buffers. Between the buffers lie
// guards, small ones that no run may write.
type session struct {
	be      backends.Backend
	p       *ir.Program
	exe     backends.Executable
	args    []backends.Buffer
	results []backends.Buffer
	guards  []backends.Buffer
}

// canary is what guards and the host memory beside a Read hold.
const canary = 0x7fedcba9

var guardType = ir.Uint(16)

// start compiles the program and writes its arguments.
func start(be backends.Backend, p *ir.Program, args []backends.Data) (*session, error) {
	exe, err := be.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	s := &session{be: be, p: p, exe: exe}
	for i, v := range p.Params() {
		b, err := s.alloc(p.Type(v))
		if err != nil {
			return nil, err
		}
		if err := b.Write(args[i]); err != nil {
			return nil, fmt.Errorf("write %s: %w", p.Type(v), err)
		}
		s.args = append(s.args, b)
	}
	for _, r := range p.Results {
		b, err := s.alloc(p.Type(r.Value))
		if err != nil {
			return nil, err
		}
		s.results = append(s.results, b)
	}
	return s, nil
}

// alloc makes a buffer with a guard after it.
func (s *session) alloc(t ir.Type) (backends.Buffer, error) {
	b, err := s.be.Alloc(t)
	if err != nil {
		return nil, fmt.Errorf("alloc %s: %w", t, err)
	}
	if !b.Type().Equal(t) {
		return nil, fmt.Errorf("alloc %s: the buffer is %s", t, b.Type())
	}
	guard, err := s.be.Alloc(guardType)
	if err != nil {
		return nil, fmt.Errorf("alloc %s: %w", guardType, err)
	}
	s.guards = append(s.guards, guard)
	return b, guard.Write(junk(guardType, canary))
}

// junk is a value of the type with the same bits at every element.
func junk(t ir.Type, bits uint32) backends.Data {
	d := hostData(t)
	for i := range d.F32 {
		d.F32[i] = math.Float32frombits(bits)
	}
	for i := range d.U32 {
		d.U32[i] = bits
	}
	return d
}

// run fills the results with junk, runs, and reads them.
func (s *session) run(fill uint32) ([]backends.Data, error) {
	for _, b := range s.results {
		if err := b.Write(junk(b.Type(), fill)); err != nil {
			return nil, fmt.Errorf("write %s: %w", b.Type(), err)
		}
	}
	if err := s.exe.Run(s.args, s.results); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	return readAll(s.results)
}

// unharmed reports a guard that was written.
func (s *session) unharmed() error {
	for i, g := range s.guards {
		d, err := read(g)
		if err != nil {
			return err
		}
		for _, w := range d.U32 {
			if w != canary {
				return fmt.Errorf("the memory after buffer %d was written: %#x", i, w)
			}
		}
	}
	return nil
}

func (s *session) close() error { return s.exe.Close() }

// read reads a buffer into memory that has canaries after it.
func read(b backends.Buffer) (backends.Data, error) {
	const slack = 8
	t := b.Type()
	n := t.Size()
	d := junk(ir.Type{DType: t.DType, Shape: []int{n + slack}}, canary)
	rest := backends.Data{}
	if t.DType == ir.U32 {
		d.U32, rest.U32 = d.U32[:n:n], d.U32[n:]
	} else {
		d.F32, rest.F32 = d.F32[:n:n], d.F32[n:]
	}
	if err := b.Read(d); err != nil {
		return d, fmt.Errorf("read %s: %w", t, err)
	}
	if !sameBits(rest, junk(ir.Type{DType: t.DType, Shape: []int{slack}}, canary)) {
		return d, fmt.Errorf("read %s: wrote beyond its destination", t)
	}
	return d, nil
}

func readAll(bs []backends.Buffer) ([]backends.Data, error) {
	out := make([]backends.Data, len(bs))
	for i, b := range bs {
		var err error
		if out[i], err = read(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sameBits reports whether a and b hold the same bits; one NaN is as good as
// another.
func sameBits(a, b backends.Data) bool {
	if len(a.F32) != len(b.F32) || len(a.U32) != len(b.U32) {
		return false
	}
	for i := range a.F32 {
		x, z := a.F32[i], b.F32[i]
		if math.Float32bits(x) != math.Float32bits(z) && (x == x || z == z) {
			return false
		}
	}
	for i := range a.U32 {
		if a.U32[i] != b.U32[i] {
			return false
		}
	}
	return true
}

// equalResults reports the first result whose bits differ.
func equalResults(p *ir.Program, a, b []backends.Data) error {
	for i := range a {
		if !sameBits(a[i], b[i]) {
			return fmt.Errorf("result %q differs", p.Results[i].Name)
		}
	}
	return nil
}

// check runs the case twice. The results must agree with ref, both times with
// the same bits whatever the results' buffers held, and nothing else may change.
func (c *Case) check(be backends.Backend) error {
	expected, err := want(c.Program, c.Args)
	if err != nil {
		return err
	}
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	first, err := s.run(0x7fc00000) // NaN
	if err != nil {
		return err
	}
	if err := compare(c.Program, first, expected, c.Tol); err != nil {
		return err
	}
	second, err := s.run(0x41234567) // about 10
	if err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	if err := equalResults(c.Program, first, second); err != nil {
		return fmt.Errorf("the second run on the same arguments: %w", err)
	}
	after, err := readAll(s.args)
	if err != nil {
		return err
	}
	for i := range after {
		if !sameBits(after[i], c.Args[i]) {
			return fmt.Errorf("argument %d was changed", i)
		}
	}
	return errors.Join(s.unharmed(), s.close())
}

// train is the one loop over steps here, of the backend that is tested and of ref
// alike: it swaps the state between arguments and results, and returns the results
// of the last step. What a loop of plans does beside is tested where it is, in
// methods/exec and methods/methodtest.
func (tr *trajectory) train(be backends.Backend) ([]backends.Data, error) {
	s, err := start(be, tr.program, tr.first)
	if err != nil {
		return nil, err
	}
	for step := range steps {
		for i, f := range tr.inputs {
			if f != nil {
				if err := s.args[i].Write(f(step)); err != nil {
					return nil, err
				}
			}
		}
		if step > 0 {
			for i, at := range tr.state {
				s.args[at], s.results[1+i] = s.results[1+i], s.args[at]
			}
		}
		if err := s.exe.Run(s.args, s.results); err != nil {
			return nil, fmt.Errorf("step %d: %w", step, err)
		}
	}
	last, err := readAll(s.results)
	return last, errors.Join(err, s.unharmed(), s.close())
}

// check compares the end of the trajectory with that on ref, whose buffers keep the state
// in float64.
func (tr *trajectory) check(be backends.Backend) error {
	last, err := tr.train(ref.New())
	if err != nil {
		return fmt.Errorf("on ref: %w", err)
	}
	found, err := tr.train(be)
	if err != nil {
		return err
	}
	expected := make([]ref.Value, len(last))
	for i, r := range tr.program.Results {
		expected[i] = widened(tr.program.Type(r.Value), last[i])
	}
	return compare(tr.program, found, expected, tr.tol)
}
