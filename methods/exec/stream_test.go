package exec

import (
	"errors"
	"math"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/methods"
)

// counted is a prediction of two stored weights whose program gives w + c + u, u uniform by rows,
// and whose refresh counts training batches in c.
func counted(t *testing.T, passes *int) Prediction {
	t.Helper()
	predict, err := ir.Build("predict", func(b *ir.Builder) {
		u := b.Uniform(b.Param("row_key", ir.Uint(3)), 0, 2, 1)
		w := b.Broadcast(b.Add(b.Param("w", ir.Float()), b.Param("c", ir.Float())), []int{2, 1})
		b.Result("out", b.Add(b.Add(b.Param("x", ir.Float(2, 1)), w), u))
	})
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := ir.Build("refresh", func(b *ir.Builder) {
		c, share := b.Param("c", ir.Float()), b.Param("share", ir.Float())
		mean := b.Mean(b.Param("x", ir.Float(2, 1)))
		b.Result("c", b.Add(c, b.Mul(b.Sub(mean, c), share)))
	})
	if err != nil {
		t.Fatal(err)
	}
	slots := []methods.Slot{{Name: "w", Type: ir.Float()}, {Name: "c", Type: ir.Float()}, {Name: "idle", Type: ir.Float(5)}}
	weights := func(w float32) Weights {
		return Weights{Seed: uint32(w), Load: func() ([]Value, error) {
			scalar := func(name string, x float32) Value {
				return Value{Name: name, Type: ir.Float(), Data: backends.Data{F32: []float32{x}}}
			}
			return []Value{scalar("w", w), scalar("c", -1000)}, nil
		}}
	}
	return Prediction{
		Slots: slots, Weights: []Weights{weights(10), weights(20)},
		Predictor: methods.Predictor{Name: "p", Program: predict, Refresh: refresh, Stochastic: true},
		Training: func(seed uint32) Pass {
			return func(yield func(Batch, error) bool) {
				*passes++
				for i := range 3 { // their mean is seed + 1
					x := float32(int(seed) + i)
					if !yield(Batch{X: backends.Data{F32: []float32{x, x}}, Valid: 2}, nil) {
						return
					}
				}
			}
		},
	}
}

// five is a set of five rows in batches of two.
func five(yield func(Batch, error) bool) {
	for first := 0; first < 5; first += 2 {
		b := Batch{X: backends.Data{F32: []float32{float32(first), float32(first + 1)}}, First: first, Valid: min(2, 5-first)}
		if !yield(b, nil) {
			return
		}
	}
}

// A sample draws from weights k mod n under statistics that are refreshed for it once, wherever it
// is drawn again; its noise is that of its rows; and it has no more rows than the set.
func TestStream(t *testing.T) {
	passes := 0
	s, err := NewStream(ref.New(), counted(t, &passes))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Slot("idle") != nil {
		t.Error("a slot that the predictor does not read takes memory")
	}
	sample := func(k int) []float32 {
		var out []float32
		for d, err := range s.Sample(k, five) {
			if err != nil {
				t.Fatal(err)
			}
			if d.Result("logp") != nil {
				t.Error("a result that is not there")
			}
			out = append(out, d.Result("out")...)
		}
		return out
	}
	seen := map[int][]float32{}
	for _, k := range []int{0, 1, 2, 0, 3, 1} {
		got := sample(k)
		if len(got) != 5 {
			t.Fatalf("sample %d has %d rows, want 5", k, len(got))
		}
		w := float32(10 * (k%2 + 1)) // and its seed
		for i, x := range got {
			if u := x - float32(i) - 2*w - 1; u < 0 || u >= 1.00001 {
				t.Errorf("sample %d, row %d: %v is not %v and a uniform number", k, i, x, float32(i)+2*w+1)
			}
			if before := seen[k]; before != nil && before[i] != x {
				t.Errorf("sample %d, row %d: %v, and %v when it is drawn again", k, i, before[i], x)
			}
		}
		if k >= 2 && got[0]-w == seen[k-2][0]-w {
			t.Errorf("samples %d and %d have the same noise", k-2, k)
		}
		seen[k] = got
	}
	for _, stale := range []float32{float32(math.Inf(1)), float32(math.NaN())} {
		p := counted(t, new(int))
		load := p.Weights[0].Load
		p.Weights = []Weights{{Seed: 10, Load: func() ([]Value, error) {
			values, err := load()
			values[1].F32[0] = stale
			return values, err
		}}}
		s, err := NewStream(ref.New(), p)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for d, err := range s.Sample(0, five) {
			if err != nil {
				t.Fatal(err)
			}
			if x := d.Result("out")[0]; x != seen[0][d.First] {
				t.Errorf("statistics that were %v: row %d is %v, want %v", stale, d.First, x, seen[0][d.First])
			}
		}
	}
	if passes != 4 {
		t.Errorf("%d passes over the training data, want one for each of 4 samples", passes)
	}
}

// An error of the set ends a sample.
func TestStreamEnds(t *testing.T) {
	passes := 0
	s, err := NewStream(ref.New(), counted(t, &passes))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	broken := errors.New("broken")
	draws := 0
	var last error
	for _, err := range s.Sample(0, func(yield func(Batch, error) bool) {
		five(func(b Batch, _ error) bool {
			if b.First == 2 {
				yield(Batch{}, broken)
				return false
			}
			return yield(b, nil)
		})
	}) {
		draws++
		last = err
	}
	if draws != 2 || !errors.Is(last, broken) {
		t.Errorf("%d draws and error %v: want 2 and %v", draws, last, broken)
	}
}
