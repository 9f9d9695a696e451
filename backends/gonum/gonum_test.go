package gonum

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

var smallSteps = func() map[string]*ir.Program {
	out := map[string]*ir.Program{}
	for _, kind := range []string{"deterministic", "dropout", "ffg", "sparsevd"} {
		out["lenet300/"+kind] = newStep(kind, lenet300, 10, 33)
		out["lenet5/"+kind] = newStep(kind, func(s *step, x ir.Value) ir.Value {
			b := s.b
			h := b.MaxPool(b.Relu(s.batchNorm("bn", s.conv("conv1", x, 5, 3, 1))), [2]int{2, 2}, [2]int{2, 2}, [2]int{})
			return s.linear("fc", s.dropout(b.Flatten(h)), 10)
		}, 10, 2, 8, 8)
		out["normalised/"+kind] = newStep(kind, normalised, 4, 2, 32, 32)
	}
	return out
}()

// normalised has batch normalisation before a ReLU, of planes that fill a block
// and of planes that do not, and of single numbers.
func normalised(s *step, x ir.Value) ir.Value {
	b := s.b
	h := b.Relu(s.batchNorm("bn1", s.conv("conv1", x, 3, 3, 1)))
	h = b.Relu(s.batchNorm("bn2", s.conv("conv2", h, 3, 3, 1)))
	h = b.AvgPool(h, [2]int{2, 2}, [2]int{2, 2}, [2]int{})
	h = b.Relu(s.batchNorm("bn3", s.conv("conv3", h, 2, 3, 1)))
	h = b.Relu(s.batchNorm("bn4", s.linear("fc1", b.Flatten(h), 20)))
	return s.linear("fc2", h, 10)
}

// Whole training steps agree with the float64 interpreter.
func TestStepsAgreeWithRef(t *testing.T) {
	be := New(2)
	defer be.Close()
	for name, p := range smallSteps {
		t.Run(name, func(t *testing.T) { agrees(t, be, p) })
	}
}

// agrees runs a program and the interpreter on the same arguments.
func agrees(t *testing.T, be *Backend, p *ir.Program) {
	t.Helper()
	data := arguments(p)
	want := make([]ref.Value, len(data))
	for i, v := range p.Params() {
		want[i] = ref.Value{Type: p.Type(v), U: data[i].U32}
		for _, x := range data[i].F32 {
			want[i].F = append(want[i].F, float64(x))
		}
	}
	wants, err := ref.Eval(p, want...)
	if err != nil {
		t.Fatal(err)
	}
	for r, got := range runOnce(t, be, p, data) {
		scale := 1e-3
		for _, w := range wants[r].F {
			scale = max(scale, math.Abs(w))
		}
		for i, g := range got.F32 {
			if w := wants[r].F[i]; !(math.Abs(float64(g)-w) <= 2e-5*scale) {
				t.Fatalf("%s: %s[%d]: found %v, want %v", p.Name, p.Results[r].Name, i, g, w)
			}
		}
	}
}

// The number of workers changes no bit.
func TestWorkersChangeNoBit(t *testing.T) {
	steps := map[string]*ir.Program{"batch of lenet300": newStep("sparsevd", lenet300, 100, 784)}
	maps.Copy(steps, smallSteps)
	for name, p := range steps {
		var want []backends.Data
		for _, workers := range []int{1, 2, 3, 8} {
			be := New(workers)
			got := runOnce(t, be, p, arguments(p))
			be.Close()
			if want == nil {
				want = got
			}
			for r := range got {
				same := slices.EqualFunc(got[r].F32, want[r].F32, func(a, b float32) bool {
					return math.Float32bits(a) == math.Float32bits(b)
				})
				if !same {
					t.Errorf("%s: result %s differs with %d workers", name, p.Results[r].Name, workers)
				}
			}
		}
	}
}

// A step in place leaves the bits that it leaves in buffers of their own, and
// the updates are written into the state at once, except the shifts of batch
// normalisation, which its gradient reads again.
func TestInPlace(t *testing.T) {
	be := New(2)
	defer be.Close()
	for name, p := range smallSteps {
		e, err := be.compile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range e.instrs() {
			c, copied := in.(*copyResult)
			if copied && strings.HasSuffix(p.Results[c.to].Name, ".bias") {
				continue
			}
			if _, saved := in.(*saveParam); copied || saved {
				t.Errorf("%s: %v in a step", name, in)
			}
		}
		apart, next := bind(t, be, p, arguments(p))
		args, results := bind(t, be, p, arguments(p))
		states := backends.States(p)
		for i, state := range states {
			if state >= 0 {
				results[i] = args[state]
			}
		}
		for step := range 3 {
			if err := errors.Join(e.Run(apart, next), e.Run(args, results)); err != nil {
				t.Fatal(err)
			}
			for i, state := range states {
				want := next[i].(*buffer)
				if got := results[i].(*buffer); !slices.Equal(got.f32, want.f32) {
					t.Errorf("%s: step %d: result %s in place differs", name, step, p.Results[i].Name)
				}
				if state >= 0 {
					apart[state], next[i] = next[i], apart[state]
				}
			}
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	be := New(2)
	defer be.Close()
	for name, p := range smallSteps {
		e, err := be.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		args, results := bind(t, be, p, arguments(p))
		n := testing.AllocsPerRun(5, func() {
			if err := e.Run(args, results); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations a run", name, n)
		}
	}
}

// Broadcasts of every kind are read right, whether fused or not, at sizes that
// are no multiple of a block.
func TestBroadcasts(t *testing.T) {
	be := New(3)
	defer be.Close()
	for _, shape := range [][]int{{3, 5, 7}, {9, 31, 40}, {1, 2000, 3}, {70, 1, 90}, {2, 3, 2500}} {
		p, err := ir.Build("broadcasts", func(b *ir.Builder) {
			x := b.Param("x", ir.Float(shape...))
			for mask := range 8 {
				var dims, sub []int
				for d := range 3 {
					if mask>>d&1 == 1 {
						dims, sub = append(dims, d), append(sub, shape[d])
					}
				}
				y := b.Param(fmt.Sprint("y", mask), ir.Float(sub...))
				wide := b.Broadcast(y, shape, dims...)
				b.Result(fmt.Sprint("sum", mask), b.Sub(x, wide))
				b.Result(fmt.Sprint("wide", mask), wide)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		var data []backends.Data
		for i, v := range p.Params() {
			x := make([]float32, p.Type(v).Size())
			for j := range x {
				x[j] = float32(i*100003 + j)
			}
			data = append(data, backends.Data{F32: x})
		}
		got := runOnce(t, be, p, data)
		for mask := range 8 {
			y := data[1+mask].F32
			for i, x := range data[0].F32 {
				index := []int{i / shape[2] / shape[1], i / shape[2] % shape[1], i % shape[2]}
				at := 0
				for d := range 3 {
					if mask>>d&1 == 1 {
						at = at*shape[d] + index[d]
					}
				}
				if g := got[2*mask].F32[i]; g != x-y[at] {
					t.Fatalf("shape %v axes %03b: x-y[%d] = %v, want %v", shape, mask, i, g, x-y[at])
				}
				if g := got[2*mask+1].F32[i]; g != y[at] {
					t.Fatalf("shape %v axes %03b: y[%d] = %v, want %v", shape, mask, i, g, y[at])
				}
			}
		}
	}
}

// Sums that end a group, over planes shorter and longer than a block and over
// planes that fit none, and the products of rows that repeat.
func TestSumsWithinGroups(t *testing.T) {
	be := New(2)
	defer be.Close()
	for _, shape := range [][]int{{6, 4, 64}, {3, 5, 9}, {2, 3, 2048}, {3, 2, 1600}, {2, 2, 1501}, {40, 7, 1}, {1, 700, 10}, {50, 16, 4}} {
		all := []int{0, 1, 2}
		axes := map[string][]int{"channels": {0, 2}, "rows": {2}, "all": all, "columns": {0}, "images": {1, 2}}
		p, err := ir.Build("sums", func(b *ir.Builder) {
			x := b.Param("x", ir.Float(shape...))
			c := b.Param("c", ir.Float(shape[1]))
			y := b.Mul(b.AddConst(x, 1), b.Broadcast(c, shape, 1))
			for _, name := range []string{"channels", "rows", "all", "columns", "images"} {
				b.Result(name, b.Sum(y, axes[name]...))
				b.Result(name+" of squares", b.Sum(b.Square(y), axes[name]...))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		data := []backends.Data{{F32: make([]float32, shape[0]*shape[1]*shape[2])}, {F32: make([]float32, shape[1])}}
		for d := range data {
			for i := range data[d].F32 {
				data[d].F32[i] = float32((i*7+d)%13) - 5
			}
		}
		for r, got := range runOnce(t, be, p, data) {
			name := p.Results[r].Name
			squares := strings.HasSuffix(name, " of squares")
			dims := axes[strings.TrimSuffix(name, " of squares")]
			want := make([]float64, len(got.F32))
			for i, x := range data[0].F32 {
				index := []int{i / shape[2] / shape[1], i / shape[2] % shape[1], i % shape[2]}
				to := 0
				for d := range 3 {
					if !slices.Contains(dims, d) {
						to = to*shape[d] + index[d]
					}
				}
				y := (float64(x) + 1) * float64(data[1].F32[index[1]])
				if squares {
					y *= y
				}
				want[to] += y
			}
			for i, w := range want {
				// Whole numbers below 2^24: float32 sums are exact.
				if float64(got.F32[i]) != w {
					t.Fatalf("shape %v: sum of %s [%d] = %v, want %v", shape, name, i, got.F32[i], w)
				}
			}
		}
	}
}

// All that a step of sparse VD does to a weight matrix is two passes: its
// variance before the products, and after them the KL and
// its gradient, both parameters' updates and the moments of Adam. Nothing but
// the variance and the gradients lies between.
func TestUpdateIsOnePass(t *testing.T) {
	be := New(1)
	defer be.Close()
	e, err := be.compile(newStep("sparsevd", lenet300, 10, 784))
	if err != nil {
		t.Fatal(err)
	}
	passes, updates := 0, 0
	for _, in := range e.instrs() {
		if g, ok := in.(*group); ok && g.n == 300*784 {
			passes++
			for _, m := range g.code {
				if m.do == adam {
					updates++
				}
			}
		}
	}
	if passes != 2 || updates != 2 {
		t.Errorf("%d passes over the first layer's weights and %d steps of Adam, want 2 and 2", passes, updates)
	}
	if floats := 3 * 300 * 784; e.arena > floats+floats/4 {
		t.Errorf("arena of %d floats, want room for three weight matrices and little else, %d", e.arena, floats)
	}
}

// The convolution of local reparameterisation's variance is never negative,
// however it is computed: its square root is taken.
func TestVariancesAreNotNegative(t *testing.T) {
	be := New(2)
	defer be.Close()
	xs, ws := []int{4, 32, 8, 8}, []int{32, 32, 3, 3}
	p, err := ir.Build("variance", func(b *ir.Builder) {
		x, w, mask := b.Param("x", ir.Float(xs...)), b.Param("w", ir.Float(ws...)), b.Param("mask", ir.Float(ws...))
		kept := b.Mul(b.Exp(w), b.LessEqual(mask, b.Broadcast(b.Const(0.5), ws)))
		b.Result("y", b.Conv2D(b.Square(x), kept, [2]int{1, 1}, [2]int{1, 1}, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	data := arguments(p)
	for i := range data[0].F32 {
		data[0].F32[i] *= 100
		if i%8 < 5 {
			data[0].F32[i] = 0
		}
	}
	zeros := 0
	for i, v := range runOnce(t, be, p, data)[0].F32 {
		if v < 0 {
			t.Fatalf("variance %d is %v", i, v)
		}
		if v == 0 {
			zeros++
		}
	}
	if zeros == 0 {
		t.Error("no variance is 0: the test's input is too easy")
	}
}

// What the gradient of a sampled layer needs of noise and deviation is kept as
// one array, their quotient.
func TestNoiseOverDeviation(t *testing.T) {
	be := New(2)
	defer be.Close()
	for _, kind := range []string{"ffg", "sparsevd"} {
		e, err := be.compile(newStep(kind, lenet5, 4, 1, 28, 28))
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for v := range ir.Value(len(e.p.Instrs)) {
			if e.plan.of[v] < 0 || len(e.p.Type(v).Shape) != 4 || !e.plan.stored(v) {
				continue
			}
			if e.plan.isNoise(v) {
				t.Errorf("%s: noise %d is kept", kind, v)
			}
			if e.plan.noiseOverRoot(v) {
				kept++
			}
		}
		if kept != 2 {
			t.Errorf("%s: noise over deviation is kept for %d convolutions, want 2", kind, kept)
		}
	}
}
