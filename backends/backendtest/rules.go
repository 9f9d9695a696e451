package backendtest

import (
	"errors"
	"fmt"
	"strings"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// rule is a promise of the backends interfaces that no single program shows.
type rule struct {
	name  string
	check func(be backends.Backend) error
}

var rules = []rule{
	{"info names a registered backend", infoIsKnown},
	{"alloc gives zeros", allocZeros},
	{"alloc refuses a negative dimension", allocNegative},
	{"write copies", writeCopies},
	{"write and read refuse what does not fit", transferMisuse},
	{"compile refuses an invalid program", compileInvalid},
	{"run refuses what does not fit", runMisuse},
	{"an argument may stand twice", argumentTwice},
	{"a result may be a parameter, a constant, or another result", trivialResults},
	{"a result may take the place of its state", statesInPlace},
	{"a program may have no parameters, or no results", emptyPrograms},
	{"a result is an argument of the next program", chained},
	{"executables do not disturb each other", independent},
	{"noise has its known answers", knownNoise},
}

func infoIsKnown(be backends.Backend) error {
	info := be.Info()
	if info.Kernels == "" || info.Kernels != strings.TrimSpace(info.Kernels) {
		return fmt.Errorf("kernels %q: want what decides the bits", info.Kernels)
	}
	return backends.Known(info.Name)
}

func allocZeros(be backends.Backend) error {
	for _, t := range []ir.Type{ir.Float(), ir.Float(7), ir.Float(3, 0), ir.Float(33, 65), ir.Uint(5), ir.Uint()} {
		b, err := be.Alloc(t)
		if err != nil {
			return err
		}
		d, err := read(b)
		if err != nil {
			return err
		}
		if !b.Type().Equal(t) || !sameBits(d, hostData(t)) {
			return fmt.Errorf("alloc %s: found %s with %v", t, b.Type(), d)
		}
	}
	return nil
}

func allocNegative(be backends.Backend) error {
	for _, t := range []ir.Type{ir.Float(-1), ir.Float(-2, -3)} {
		if _, err := be.Alloc(t); err == nil {
			return fmt.Errorf("alloc %s: want an error, found none", t)
		}
	}
	return nil
}

func writeCopies(be backends.Backend) error {
	b, err := be.Alloc(ir.Float(3))
	if err != nil {
		return err
	}
	src := backends.Data{F32: []float32{1, 2, 3}}
	if err := b.Write(src); err != nil {
		return err
	}
	src.F32[1] = 9
	first, err := read(b)
	if err != nil {
		return err
	}
	first.F32[0] = 8
	second, err := read(b)
	if err != nil {
		return err
	}
	if !sameBits(second, backends.Data{F32: []float32{1, 2, 3}}) {
		return fmt.Errorf("wrote [1 2 3], changed the source and what was read, and read %v", second.F32)
	}
	return nil
}

func transferMisuse(be backends.Backend) error {
	for _, t := range []ir.Type{ir.Float(3), ir.Uint(3), ir.Float(2, 0)} {
		b, err := be.Alloc(t)
		if err != nil {
			return err
		}
		before := junk(t, 0x41234567)
		if err := b.Write(before); err != nil {
			return err
		}
		n := t.Size()
		for _, d := range []backends.Data{
			{F32: make([]float32, n+1)}, {U32: make([]uint32, n+1)}, {F32: make([]float32, 2), U32: make([]uint32, 2)},
		} {
			about := fmt.Sprintf("%s with %d f32 and %d u32 elements", t, len(d.F32), len(d.U32))
			if b.Write(d) == nil {
				return fmt.Errorf("write %s: want an error, found none", about)
			}
			if b.Read(d) == nil {
				return fmt.Errorf("read %s: want an error, found none", about)
			}
		}
		if n > 0 {
			if wrong := hostData(ir.Type{DType: 1 - t.DType, Shape: t.Shape}); b.Write(wrong) == nil || b.Read(wrong) == nil {
				return fmt.Errorf("%s: want an error for elements of the other type, found none", t)
			}
			if b.Write(backends.Data{}) == nil || b.Read(backends.Data{}) == nil {
				return fmt.Errorf("%s: want an error for no elements, found none", t)
			}
		}
		after, err := read(b)
		if err != nil {
			return err
		}
		if !sameBits(before, after) {
			return fmt.Errorf("%s: a refused write changed it", t)
		}
	}
	return nil
}

func compileInvalid(be backends.Backend) error {
	x := ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: "x"}, Type: ir.Float(3)}
	y := func(op ir.Op, a ir.Value, t ir.Type) ir.Instr {
		return ir.Instr{Op: op, Args: []ir.Value{a}, Type: t}
	}
	for about, p := range map[string]*ir.Program{
		"operand that comes later": {Instrs: []ir.Instr{x, y(ir.Exp, 1, ir.Float(3))}},
		"wrong type":               {Instrs: []ir.Instr{x, y(ir.Exp, 0, ir.Float(4))}},
		"unknown op":               {Instrs: []ir.Instr{x, y(250, 0, ir.Float(3))}},
		"no such result":           {Instrs: []ir.Instr{x}, Results: []ir.Result{{Name: "y", Value: 5}}},
		"two parameters of a name": {Instrs: []ir.Instr{x, x}},
	} {
		p.Name = "invalid"
		if _, err := be.Compile(p); err == nil {
			return fmt.Errorf("compile: %s: want an error, found none", about)
		}
	}
	return nil
}

// addition is x + z and x − z of two f32[3], with whole numbers for arguments,
// so that nothing rounds.
func addition() Case {
	return newCase("addition", exact, func(m *maker) {
		x, z := m.integers(-9, 9, 3), m.integers(-9, 9, 3)
		m.result(m.Add(x, z), "sum")
		m.result(m.Sub(x, z), "difference")
	})
}

// foreign is a buffer of no backend.
type foreign struct{ backends.Buffer }

func runMisuse(be backends.Backend) error {
	c := addition()
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	alloc := func(t ir.Type) backends.Buffer {
		b, e := be.Alloc(t)
		err = errors.Join(err, e)
		return b
	}
	four, words, matrix := alloc(ir.Float(4)), alloc(ir.Uint(3)), alloc(ir.Float(1, 3))
	if err != nil {
		return err
	}
	x, z, sum, diff := s.args[0], s.args[1], s.results[0], s.results[1]
	type list = []backends.Buffer
	for _, m := range []struct {
		about         string
		args, results list
	}{
		{"no arguments", nil, list{sum, diff}},
		{"an argument too few", list{x}, list{sum, diff}},
		{"an argument too many", list{x, z, x}, list{sum, diff}},
		{"no results", list{x, z}, nil},
		{"a result too few", list{x, z}, list{sum}},
		{"a result too many", list{x, z}, list{sum, diff, alloc(ir.Float(3))}},
		{"an argument of another size", list{x, four}, list{sum, diff}},
		{"an argument of another shape", list{x, matrix}, list{sum, diff}},
		{"an argument of another type", list{x, words}, list{sum, diff}},
		{"a result of another size", list{x, z}, list{sum, four}},
		{"a result of another shape", list{x, z}, list{sum, matrix}},
		{"a result of another type", list{x, z}, list{sum, words}},
		{"a result that is an argument", list{x, z}, list{sum, x}},
		{"a result that is another result", list{x, z}, list{sum, sum}},
		{"a nil argument", list{x, nil}, list{sum, diff}},
		{"a nil result", list{x, z}, list{nil, diff}},
		{"an argument of no backend", list{x, foreign{z}}, list{sum, diff}},
		{"a result of no backend", list{x, z}, list{sum, foreign{diff}}},
	} {
		if s.exe.Run(m.args, m.results) == nil {
			return fmt.Errorf("run with %s: want an error, found none", m.about)
		}
	}
	found, err := s.run(0)
	if err != nil {
		return fmt.Errorf("a right run after wrong ones: %w", err)
	}
	expected, err := want(c.Program, c.Args)
	if err != nil {
		return err
	}
	return errors.Join(compare(c.Program, found, expected, exact), s.close())
}

func argumentTwice(be backends.Backend) error {
	c := addition()
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	s.args[1] = s.args[0]
	found, err := s.run(0)
	if err != nil {
		return err
	}
	for i, x := range c.Args[0].F32 {
		if found[0].F32[i] != 2*x || found[1].F32[i] != 0 {
			return fmt.Errorf("x + x and x − x of %v: found %v and %v", x, found[0].F32[i], found[1].F32[i])
		}
	}
	return s.close()
}

func trivialResults(be backends.Backend) error {
	c := newCase("trivial", exact, func(m *maker) {
		x, n := m.normal(3, 5), m.indices(9, 4)
		y := m.Neg(x)
		m.result(x, "a parameter")
		m.result(n, "a u32 parameter")
		m.result(y, "a value")
		m.result(y, "the same value")
		m.result(x, "the same parameter")
		m.result(m.Full(2, 7), "a constant")
		m.result(m.Const(2), "a scalar constant")
		m.result(m.Reshape(y, 15), "the value in another shape")
		m.result(m.Reshape(x, 5, 3), "the parameter in another shape")
		m.result(m.Stop(x), "the parameter, stopped")
		m.normal(2) // unused
	})
	return c.check(be)
}

// States that read one another, themselves, and themselves after they were
// computed. Two runs in place must give what two runs of ref give, and one
// whose results have buffers of their own what one of ref gives.
func statesInPlace(be backends.Backend) error {
	c := newCase("states", Tolerance{1e-5, 1e-5, "sums of five products, twice"}, func(m *maker) {
		a, b := m.normal(4, 5), m.normal(4, 5) // p0, p1: exchanged
		m.Result("p0", b)
		m.Result("p1", a)
		u, v := m.normal(4, 5), m.normal(4, 5) // p2, p3: each reads the other
		m.Result("p2", m.Add(m.MulConst(u, 0.5), v))
		m.Result("p3", m.Sub(v, m.MulConst(u, 0.25)))
		w := m.normal(5, 5) // p4: reads all of itself for each element
		m.Result("p4", m.MulConst(m.MatMul(w, w, false, true), 0.1))
		x, row, one := m.normal(4, 5), m.normal(5), m.normal() // p5, p6, p7: read through broadcasts
		next := m.Add(x, m.Broadcast(row, []int{4, 5}, 1))
		m.Result("p6", m.Add(row, m.Sum(x, 0)))
		m.Result("p5", next)
		m.Result("p7", m.Add(one, m.Sum(m.Mul(next, m.Mul(x, m.Broadcast(one, []int{4, 5}))))))
		same, key := m.normal(3), m.uint([]uint32{5, 6}, 2) // p8, p9: as they were
		m.Result("p8", same)
		m.Result("p9", key)
		y := m.normal(4, 5) // p10: its old value is read beside the new one
		z := m.Exp(m.MulConst(y, 0.1))
		m.Result("p10", z)
		m.result(m.Sub(m.Square(z), y), "after")
		m.result(m.Transpose(y, 1, 0), "turned")
		m.result(b, "kept")
	})
	if err := c.check(be); err != nil {
		return err
	}
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	at := backends.States(c.Program)
	params := make([]ref.Value, len(s.args))
	for i, v := range c.Program.Params() {
		params[i] = widened(c.Program.Type(v), c.Args[i])
	}
	var expected []ref.Value
	for range 2 {
		if expected, err = ref.Eval(c.Program, params...); err != nil {
			return err
		}
		for i, j := range at {
			if j >= 0 {
				s.results[i], params[j] = s.args[j], expected[i]
			}
		}
		if err := s.exe.Run(s.args, s.results); err != nil {
			return err
		}
	}
	found, err := readAll(s.results)
	if err != nil {
		return err
	}
	if err := errors.Join(compare(c.Program, found, expected, c.Tol), s.unharmed()); err != nil {
		return fmt.Errorf("in place: %w", err)
	}
	twice := append([]backends.Buffer{}, s.args...)
	twice[1] = twice[0]
	if s.exe.Run(twice, s.results) == nil {
		return errors.New("in place of an argument that stands twice: want an error, found none")
	}
	return s.close()
}

func emptyPrograms(be backends.Backend) error {
	constant := newCase("constant", exact, func(m *maker) { m.result(m.Full(3, 4), "y") })
	silent := newCase("silent", exact, func(m *maker) { m.Exp(m.normal(4)) })
	return errors.Join(constant.check(be), silent.check(be))
}

func chained(be backends.Backend) error {
	c := addition()
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	next, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	if err := s.exe.Run(s.args, s.results); err != nil {
		return err
	}
	if err := next.exe.Run(s.results, next.results); err != nil {
		return err
	}
	d, err := readAll(next.results)
	if err != nil {
		return err
	}
	for i, x := range c.Args[0].F32 {
		z := c.Args[1].F32[i]
		if sum := (x + z) + (x - z); d[0].F32[i] != sum {
			return fmt.Errorf("(x + z) + (x − z) of %v and %v: found %v, want %v", x, z, d[0].F32[i], sum)
		}
	}
	return errors.Join(s.close(), next.close())
}

// Two compilations of two programs run in turn; then the first is closed.
func independent(be backends.Backend) error {
	a, b := sizeCases()[0], RandomCase(1)
	var sessions []*session
	var first [][]backends.Data
	for _, c := range []Case{a, b, a, b} {
		s, err := start(be, c.Program, c.Args)
		if err != nil {
			return err
		}
		d, err := s.run(0)
		if err != nil {
			return err
		}
		sessions, first = append(sessions, s), append(first, d)
	}
	for i, s := range sessions {
		// The others have run since; closing the one before must not matter.
		kept, err := readAll(s.results)
		if err != nil {
			return err
		}
		again, err := s.run(1)
		if err != nil {
			return err
		}
		err = errors.Join(equalResults(s.p, first[i], kept), equalResults(s.p, first[i], again), equalResults(s.p, first[i%2], again))
		if err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
		if err := s.close(); err != nil {
			return err
		}
		if kept, err = readAll(s.results); err != nil {
			return fmt.Errorf("a result after its executable was closed: %w", err)
		}
		if err := equalResults(s.p, first[i], kept); err != nil {
			return fmt.Errorf("session %d, closed: %w", i, err)
		}
	}
	return nil
}

// The known answer of Random123 for Threefry2x32-20 with key and counter zero
// is the words 6b200159 and 99ba4efe: elements 0 and 8 of stream 0.
func knownNoise(be backends.Backend) error {
	c := newCase("noise", exact, func(m *maker) {
		m.result(m.Uniform(m.uint([]uint32{0, 0}, 2), 0, 16), "u")
	})
	s, err := start(be, c.Program, c.Args)
	if err != nil {
		return err
	}
	found, err := s.run(0)
	if err != nil {
		return err
	}
	for at, word := range map[int]uint32{0: 0x6b200159, 8: 0x99ba4efe} {
		if want := float32(word>>8) * 0x1p-24; found[0].F32[at] != want {
			return fmt.Errorf("element %d: found %v, want %v", at, found[0].F32[at], want)
		}
	}
	return s.close()
}
