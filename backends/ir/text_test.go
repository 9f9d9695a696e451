package ir

import "testing"

// A program with every kind of attribute reads back as it was written.
func TestTextRoundTrip(t *testing.T) {
	p, err := Build("step", func(b *Builder) {
		x := b.Param("x", Float(2, 3, 8, 8))
		w := b.Param("w", Float(4, 3, 3, 3))
		key := b.Param("key", Uint(2))
		h := b.Conv2D(x, w, [2]int{1, 1}, [2]int{1, 1}, 1)
		h = b.MaxPool(b.Relu(h), [2]int{2, 2}, [2]int{2, 2}, [2]int{0, 0})
		h = b.Mul(h, b.Normal(key, 7, b.Shape(h)...))
		h = b.Concat(1, b.Flatten(h), b.Full(1e-300, 2, 5))
		h = b.Slice(h, []int{0, 1}, []int{2, 10})
		w2 := b.Param("w2", Float(10, 9))
		y := b.LogSoftmax(b.MatMul(h, w2, false, true))
		loss := b.Neg(b.Mean(y))
		b.Result("loss", loss)
		for i, g := range b.Grad(loss, w, w2) {
			b.Result([]string{"dw", "dw2"}[i], g)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	text := p.String()
	q, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.String(); got != text {
		t.Errorf("read back:\n%s\nwritten:\n%s", got, text)
	}
	if c := Clean(Expand(p, func(Op) bool { return false })); c.Validate() != nil {
		t.Errorf("expanded and cleaned: %v", c.Validate())
	}
}
