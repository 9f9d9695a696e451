package gonum

import (
	"math"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// strandsOf compiles a program and returns its strands.
func strandsOf(t *testing.T, p *ir.Program) (strands []*strand, alone []instr) {
	t.Helper()
	be := New(2)
	defer be.Close()
	e, err := be.compile(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range e.steps {
		if s, ok := in.(*strand); ok {
			strands = append(strands, s)
		} else {
			alone = append(alone, in)
		}
	}
	return strands, alone
}

// All that a step does with the weights of a hidden layer is done in strands.
func TestWeightsInStrands(t *testing.T) {
	for _, kind := range []string{"deterministic", "dropout", "ffg", "sparsevd"} {
		strands, alone := strandsOf(t, newStep(kind, lenet300, 100, 784))
		for _, in := range alone {
			if g, ok := in.(*group); ok && g.n == 300*784 {
				t.Errorf("%s: %v is on its own", kind, g)
			}
		}
		for _, s := range strands {
			if s.rows != 300 && s.rows != 100 {
				t.Errorf("%s: %v", kind, s)
			}
		}
	}
}

// What needs all of another unit's result is in no strand with it.
func TestStrandsWaitForOthers(t *testing.T) {
	const n = 64
	square := ir.Float(n, n)
	build := func(f func(b *ir.Builder, w, x ir.Value)) *ir.Program {
		p, err := ir.Build("strand", func(b *ir.Builder) { f(b, b.Param("w", square), b.Param("x", square)) })
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, c := range map[string]struct {
		p       *ir.Program
		strands int
	}{
		"rows of both": {build(func(b *ir.Builder, w, x ir.Value) {
			b.Result("y", b.Exp(b.MatMul(b.Tanh(w), x, false, false)))
		}), 1},
		"second operand": {build(func(b *ir.Builder, w, x ir.Value) {
			b.Result("y", b.MatMul(w, b.Tanh(x), false, false))
		}), 0},
		"both operands": {build(func(b *ir.Builder, w, x ir.Value) {
			s := b.Tanh(w)
			b.Result("y", b.MatMul(s, s, false, true))
		}), 0},
		"transposed": {build(func(b *ir.Builder, w, x ir.Value) {
			b.Result("y", b.MatMul(b.Tanh(w), x, true, false))
		}), 0},
		"a sum": {build(func(b *ir.Builder, w, x ir.Value) {
			y := b.MatMul(w, x, false, false)
			b.Result("y", b.Mul(y, b.Sum(b.Square(y))))
		}), 1},
		"sums of rows": {build(func(b *ir.Builder, w, x ir.Value) {
			y := b.MatMul(w, x, false, false)
			b.Result("z", b.Sum(b.Exp(y), 1))
			b.Result("w", b.Sub(w, y))
		}), 1},
		"a state that is read": {build(func(b *ir.Builder, w, x ir.Value) {
			y := b.MatMul(w, x, false, false)
			b.Result("w", b.Sub(w, y))
			b.Result("z", b.MatMul(x, w, false, false))
		}), 1},
	} {
		strands, _ := strandsOf(t, c.p)
		if len(strands) != c.strands {
			t.Errorf("%s: %d strands, want %d: %v", name, len(strands), c.strands, strands)
		}
		be := New(2)
		data := arguments(c.p)
		args := make([]ref.Value, len(data))
		for i, v := range c.p.Params() {
			args[i] = ref.Value{Type: c.p.Type(v)}
			for _, x := range data[i].F32 {
				args[i].F = append(args[i].F, float64(x))
			}
		}
		wants, err := ref.Eval(c.p, args...)
		if err != nil {
			t.Fatal(err)
		}
		for r, got := range runOnce(t, be, c.p, data) {
			scale := 1.0
			for _, w := range wants[r].F {
				scale = max(scale, math.Abs(w))
			}
			for i, g := range got.F32 {
				if w := wants[r].F[i]; !(math.Abs(float64(g)-w) <= 2e-5*scale) {
					t.Fatalf("%s: %s[%d]: found %v, want %v", name, c.p.Results[r].Name, i, g, w)
				}
			}
		}
		be.Close()
	}
}
