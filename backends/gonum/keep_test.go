package gonum

import (
	"slices"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// A prediction that keeps its deviations and sampled weights gives what one
// compiled for the run gives, whatever was written in between and by whom.
func TestKeptValuesFollowTheirArguments(t *testing.T) {
	be := New(2)
	defer be.Close()
	for _, kind := range []string{"ffg", "sparsevd"} {
		p := newPredict(kind, lenet300, 10, 33)
		update, err := ir.Build("update", func(b *ir.Builder) {
			w := b.Param("w", p.Type(param(t, p, "fc1.mu")))
			b.Result("w", b.MulConst(w, 1.5))
		})
		if err != nil {
			t.Fatal(err)
		}
		updater, err := be.Compile(update)
		if err != nil {
			t.Fatal(err)
		}
		e, err := be.compile(p)
		if err != nil {
			t.Fatal(err)
		}
		args, results := bind(t, be, p, arguments(p))
		at := func(name string) int { return slices.Index(p.Params(), param(t, p, name)) }
		write := func(name string, d backends.Data) {
			if err := args[at(name)].Write(d); err != nil {
				t.Fatal(err)
			}
		}
		scale := "fc1.logsigma"
		if kind == "sparsevd" {
			scale = "fc1.logsigma2"
		}
		data := arguments(p)
		for _, c := range []struct {
			about   string
			change  func()
			changes bool
		}{
			{"the first run", func() {}, true},
			{"nothing", func() {}, false},
			{"the batch", func() {
				data[at("x")].F32[7]++
				write("x", data[at("x")])
			}, true},
			{"the key", func() { write("key", backends.Data{U32: []uint32{3, 8}}) }, true},
			{"the deviations", func() {
				for i := range data[at(scale)].F32 {
					data[at(scale)].F32[i] = -1
				}
				write(scale, data[at(scale)])
			}, true},
			{"the means, by another program", func() {
				w := []backends.Buffer{args[at("fc1.mu")]}
				if err := updater.Run(w, w); err != nil {
					t.Fatal(err)
				}
			}, true},
			{"a buffer", func() {
				b, err := be.Alloc(args[at("fc2.mu")].Type())
				if err != nil {
					t.Fatal(err)
				}
				args[at("fc2.mu")] = b
			}, true},
			{"nothing again", func() {}, false},
		} {
			before := slices.Clone(results[0].(*buffer).f32)
			c.change()
			if err := e.Run(args, results); err != nil {
				t.Fatal(err)
			}
			got := results[0].(*buffer).f32
			fresh, err := be.compile(p)
			if err != nil {
				t.Fatal(err)
			}
			_, want := bind(t, be, p, arguments(p))
			if err := fresh.Run(args, want); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want[0].(*buffer).f32) {
				t.Errorf("%s: after %s changed, the results are not those of a new executable", kind, c.about)
			}
			if slices.Equal(got, before) == c.changes {
				t.Errorf("%s: after %s changed, the results changed: %t", kind, c.about, !c.changes)
			}
		}
	}
}

// The deviations of a posterior are computed apart from the noise, and a step,
// which updates what it computes from, keeps nothing.
func TestWhatIsKept(t *testing.T) {
	be := New(1)
	defer be.Close()
	for _, c := range []struct {
		p    *ir.Program
		want map[int]int // kept groups by their number of elements
	}{
		{newPredict("ffg", lenet300, 10, 784), map[int]int{300 * 784: 2, 100 * 300: 2, 10 * 100: 2}},
		{newStep("ffg", lenet300, 10, 784), map[int]int{}},
		{newStep("dropout", lenet300, 10, 784), map[int]int{}},
	} {
		e, err := be.compile(c.p)
		if err != nil {
			t.Fatal(err)
		}
		found := map[int]int{}
		for _, in := range e.instrs() {
			if g, ok := in.(*group); ok && g.keep {
				found[g.n]++
			}
		}
		for n, want := range c.want {
			if found[n] != want {
				t.Errorf("%s: %d kept groups of %d elements, want %d", c.p.Name, found[n], n, want)
			}
			delete(found, n)
		}
		if len(found) > 0 {
			t.Errorf("%s: kept groups, by elements: %v", c.p.Name, found)
		}
	}
}

func param(t *testing.T, p *ir.Program, name string) ir.Value {
	v, ok := p.Param(name)
	if !ok {
		t.Fatalf("no parameter %s", name)
	}
	return v
}
