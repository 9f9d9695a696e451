package gonum

import (
	"testing"

	"bayesbench/backends/ir"
)

// Batch normalisation with its gradient goes through the array for sums three
// times: for the mean, for the variance, and for the gradients of scale and
// shift together.
func TestNormalisationSums(t *testing.T) {
	be := New(2)
	defer be.Close()
	e, err := be.compile(newStep("deterministic", normalised, 4, 2, 32, 32))
	if err != nil {
		t.Fatal(err)
	}
	passes := map[int]int{}
	for _, in := range e.instrs() {
		if g, ok := in.(*group); ok && len(g.sums) > 0 {
			passes[g.n]++
		}
	}
	if got, layers := passes[4*3*32*32], 2; got != 3*layers {
		t.Errorf("%d groups sum over arrays of %d normalised layers, want %d", got, layers, 3*layers)
	}
	if got := passes[4*2*16*16]; got != 3 {
		t.Errorf("%d groups sum over the array of one normalised layer, want 3", got)
	}
	if len(e.plan.over) == 0 {
		t.Error("no value takes the place of another")
	}
}

// A sum that is linear in deviations from a mean is what it is term by term, and
// one whose deviations are from another mean is left alone.
func TestSumsOfDeviations(t *testing.T) {
	be := New(2)
	defer be.Close()
	const n, c, plane = 3, 5, 40
	shape := []int{n, c, plane}
	over, other := []int{0, 2}, []int{0, 1}
	for name, build := range map[string]func(b *ir.Builder, x, dy, s ir.Value) ir.Value{
		"gradient of the mean": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(x, over...), shape, 1))
			return b.Sum(b.Neg(b.Add(b.Mul(dy, b.Broadcast(s, shape, 1)), b.Mul(b.Broadcast(s, shape, 1), d))), over...)
		},
		"gradient of a bias": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(x, over...), shape, 1))
			y := b.Sub(b.Mul(d, b.Broadcast(s, shape, 1)), dy)
			return b.Sum(b.Sub(b.MulConst(y, 3), b.Broadcast(s, shape, 1)), over...)
		},
		"two parts": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(x, over...), shape, 1))
			return b.Sum(b.Add(b.Add(d, dy), b.Exp(dy)), over...)
		},
		"scaled mean": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.MulConst(b.Mean(x, over...), 1.5), shape, 1))
			return b.Sum(b.Add(d, dy), over...)
		},
		"mean over other axes": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(x, other...), shape, 2))
			return b.Sum(b.Add(d, dy), over...)
		},
		"mean of another": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(dy, over...), shape, 1))
			return b.Sum(b.Add(d, dy), over...)
		},
		"scale along the sum": func(b *ir.Builder, x, dy, s ir.Value) ir.Value {
			d := b.Sub(x, b.Broadcast(b.Mean(x, over...), shape, 1))
			wide := b.Broadcast(b.Mean(dy, other...), shape, 2)
			return b.Sum(b.Add(b.Mul(d, wide), dy), over...)
		},
	} {
		p, err := ir.Build(name, func(b *ir.Builder) {
			x, dy, s := b.Param("x", ir.Float(shape...)), b.Param("dy", ir.Float(shape...)), b.Param("s", ir.Float(c))
			b.Result("sum", build(b, x, dy, s))
		})
		if err != nil {
			t.Fatal(err)
		}
		agrees(t, be, p)
	}
}

// A value that takes the place of one that is read after it is written then.
func TestPlacesAreReadFirst(t *testing.T) {
	be := New(2)
	defer be.Close()
	shape := []int{4, 3000}
	p, err := ir.Build("places", func(b *ir.Builder) {
		w := b.Param("w", ir.Float(3000, 3000))
		x, y := b.MatMul(b.Param("a", ir.Float(shape...)), w, false, false), b.MatMul(b.Param("b", ir.Float(shape...)), w, false, true)
		// Two values, each of both: one is written before the other is computed.
		u := b.Sub(b.Mul(x, y), x)
		v := b.Add(b.Mul(b.Square(x), y), b.Mul(u, y))
		b.Result("u", b.MatMul(u, w, false, false))
		b.Result("v", b.MatMul(v, w, false, true))
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := be.compile(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(e.plan.over); got != 2 {
		t.Errorf("%d values take the place of others, want 2", got)
	}
	agrees(t, be, p)
}
