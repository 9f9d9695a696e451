package exec

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods"
)

// Whenever the history is read, it gives every step's scalars once and in order,
// and each step still renews the slots.
func TestHistory(t *testing.T) {
	st, err := NewState(ref.New(), []methods.Slot{{Name: "w", Type: ir.Float(2)}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ir.Build("step", func(b *ir.Builder) {
		w := b.Add(b.Param("w", ir.Float(2)), b.Param("x", ir.Float()))
		b.Result("twice", b.Sum(w))
		b.Result("w", w)
		b.Result("minus", b.Neg(b.MaxOver(w)))
	})
	if err != nil {
		t.Fatal(err)
	}
	step, h, err := st.bindStep(p)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	sum, at := float32(0), 0
	var want [][2]float32 // of minus and twice, by name
	for i := range 3 * historyLength {
		x := float32(i%7 + 1)
		sum += x
		want = append(want, [2]float32{-sum, 2 * sum})
		if err := step.Set("x", x); err != nil {
			t.Fatal(err)
		}
		if err := step.Run(); err != nil {
			t.Fatal(err)
		}
		h.pending++
		if !h.full() && i%11 != 4 && i < 3*historyLength-1 {
			continue
		}
		steps, err := h.read()
		if err != nil {
			t.Fatal(err)
		}
		for _, scalars := range steps {
			if found := [2]float32(scalars); found != want[at] {
				t.Errorf("step %d: found %v, want %v", at, found, want[at])
			}
			at++
		}
	}
	if at != len(want) {
		t.Errorf("read %d steps of %d", at, len(want))
	}
	w := make([]float32, 2)
	if err := st.Slot("w").Buffer.Read(backends.Data{F32: w}); err != nil || w[0] != sum || w[1] != sum {
		t.Errorf("the slot holds %v, want %v; error %v", w, sum, err)
	}
}
