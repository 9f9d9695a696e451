package ir_test

import (
	"math"
	"testing"

	"bayesbench/backends/backendtest"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// programs are those of the conformance suite, small and of every op, and many
// random ones.
func programs() []backendtest.Case {
	out := backendtest.Cases()
	for seed := range uint32(200) {
		out = append(out, backendtest.RandomCase(seed))
	}
	return out
}

func arguments(c backendtest.Case) []ref.Value {
	params := c.Program.Params()
	out := make([]ref.Value, len(params))
	for i, d := range c.Args {
		out[i] = ref.Value{Type: c.Program.Type(params[i]), U: d.U32}
		for _, x := range d.F32 {
			out[i].F = append(out[i].F, float64(x))
		}
	}
	return out
}

// same reports whether the two programs compute the same of the arguments, to
// the tolerance relative to 1 or to the value.
func same(t *testing.T, about string, p, q *ir.Program, args []ref.Value, tol float64) {
	t.Helper()
	if err := q.Validate(); err != nil {
		t.Errorf("%s, %s: %v", p.Name, about, err)
		return
	}
	want, got := eval(t, p, args), eval(t, q, args)
	for r := range want {
		for i, w := range want[r].F {
			g := got[r].F[i]
			if g == w || g != g && w != w {
				continue
			}
			if !(math.Abs(g-w) <= tol*(1+math.Abs(w))) {
				t.Errorf("%s, %s: result %q[%d]: found %v, want %v", p.Name, about, p.Results[r].Name, i, g, w)
				return
			}
		}
		for i, w := range want[r].U {
			if g := got[r].U[i]; g != w {
				t.Errorf("%s, %s: result %q[%d]: found %v, want %v", p.Name, about, p.Results[r].Name, i, g, w)
				return
			}
		}
	}
}

func none(ir.Op) bool { return false }

// Expand and Clean change a program, not what it computes; and text is the
// program.
func TestRewritesKeepTheResults(t *testing.T) {
	for _, c := range programs() {
		p := c.Program
		q, err := ir.Parse(p.String())
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if q.String() != p.String() {
			t.Errorf("%s: read back:\n%s\nwritten:\n%s", c.Name, q, p)
		}
		if p.FLOPs() > 1e6 {
			continue // large ones take time and show no more
		}
		args := arguments(c)
		core, clean := ir.Expand(p, none), ir.Clean(p)
		same(t, "expanded", p, core, args, 1e-12)
		same(t, "cleaned", p, clean, args, 0)
		same(t, "expanded and cleaned", p, ir.Clean(core), args, 1e-12)
		for i := range core.Instrs {
			if op := core.Instrs[i].Op; !op.Core() {
				t.Errorf("%s, expanded, holds %s", c.Name, op)
			}
		}
		if again := ir.Clean(clean); again.String() != clean.String() {
			t.Errorf("%s: cleaning twice makes another program", c.Name)
		}
		if len(clean.Params()) != len(p.Params()) {
			t.Errorf("%s: cleaning dropped a parameter", c.Name)
		}
	}
}

// Expand rewrites only what the backend lacks.
func TestExpandKeepsWhatThereIs(t *testing.T) {
	p, err := ir.Build("p", func(b *ir.Builder) {
		x := b.Param("x", ir.Float(2, 3))
		b.Result("y", b.LogSoftmax(b.Relu(x)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if q := ir.Expand(p, func(ir.Op) bool { return true }); q != p {
		t.Error("a program with nothing to expand was copied")
	}
	q := ir.Expand(p, func(o ir.Op) bool { return o == ir.Relu })
	count := map[ir.Op]int{}
	for i := range q.Instrs {
		count[q.Instrs[i].Op]++
	}
	if count[ir.Relu] != 1 || count[ir.LogSoftmax] != 0 {
		t.Errorf("want relu and no log_softmax, found\n%s", q)
	}
}

// Clean drops what no result needs and computes equal instructions once, noise
// of one key and stream included.
func TestClean(t *testing.T) {
	p, err := ir.Parse(`program p
%0 = param "x" : f32[3]
%1 = param "unused" : f32[3]
%2 = param "key" : u32[2]
%3 = exp %0 : f32[3]
%4 = exp %0 : f32[3]
%5 = log %1 : f32[3]
%6 = normal %2 stream=1 : f32[3]
%7 = normal %2 stream=1 : f32[3]
%8 = normal %2 stream=2 : f32[3]
%9 = add %3 %6 : f32[3]
%10 = add %4 %7 : f32[3]
%11 = mul %10 %8 : f32[3]
return "a" %9 "b" %11 "c" %4
`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `program p
%0 = param "x" : f32[3]
%1 = param "unused" : f32[3]
%2 = param "key" : u32[2]
%3 = exp %0 : f32[3]
%4 = normal %2 stream=1 : f32[3]
%5 = normal %2 stream=2 : f32[3]
%6 = add %3 %4 : f32[3]
%7 = mul %6 %5 : f32[3]
return "a" %6 "b" %7 "c" %3
`
	if got := ir.Clean(p).String(); got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
}

func TestFLOPs(t *testing.T) {
	for text, want := range map[string]float64{
		`%0 = const 1 : f32[2 3]
%1 = const 1 : f32[3 5]
%2 = matmul %0 %1 : f32[2 5]`: 2 * 2 * 3 * 5,
		`%0 = const 1 : f32[3 2]
%1 = const 1 : f32[5 3]
%2 = matmul %0 %1 transA transB : f32[2 5]`: 2 * 2 * 3 * 5,
		`%0 = const 1 : f32[2 4 5 5]
%1 = const 1 : f32[6 2 3 3]
%2 = conv2d %0 %1 stride=[1 1] pad=[0 0] groups=2 : f32[2 6 3 3]`: 2 * (2 * 6 * 3 * 3) * (2 * 3 * 3),
		`%0 = const 1 : f32[2 6 3 3]
%1 = const 1 : f32[6 2 3 3]
%2 = conv2d_dx %0 %1 stride=[1 1] pad=[0 0] groups=2 : f32[2 4 5 5]`: 2 * (2 * 6 * 3 * 3) * (2 * 3 * 3),
		`%0 = const 1 : f32[2 4 5 5]
%1 = const 1 : f32[2 6 3 3]
%2 = conv2d_dw %0 %1 stride=[1 1] pad=[0 0] groups=2 : f32[6 2 3 3]`: 2 * (2 * 6 * 3 * 3) * (2 * 3 * 3),
		`%0 = const 1 : f32[7]
%1 = exp %0 : f32[7]`: 7,
		`%0 = const 1 : f32[7 3]
%1 = reduce_sum %0 dims=[0] : f32[3]`: 21,
	} {
		p, err := ir.Parse("program p\n" + text + "\nreturn")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.FLOPs(); got != want {
			t.Errorf("%s\nfound %v, want %v", text, got, want)
		}
	}
}
