package ref

import (
	"math"
	"slices"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

func TestEveryOpHasADefinition(t *testing.T) {
	for _, op := range ir.Ops() {
		if op != ir.Param && evals[op] == nil {
			t.Errorf("%s has none", op)
		}
	}
}

// Small programs with results worked out by hand.
func TestKnownAnswers(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	x23 := Float([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	image := Float([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3)
	for _, c := range []struct {
		name  string
		text  string
		args  []Value
		want  []float64
		delta float64
	}{
		{"const", `%0 = const 2.5 : f32[2]`, nil, []float64{2.5, 2.5}, 0},
		{"sign", `%0 = param "x" : f32[3]
			%1 = sign %0 : f32[3]`, []Value{Float([]float64{-2, 0, inf}, 3)}, []float64{-1, 0, 1}, 0},
		{"max of nan", `%0 = param "x" : f32[3]
			%1 = const +Inf : f32[3]
			%2 = max %0 %1 : f32[3]`, []Value{Float([]float64{nan, -inf, 1}, 3)}, []float64{nan, inf, inf}, 0},
		{"equal of nan", `%0 = param "x" : f32[3]
			%1 = equal %0 %0 : f32[3]`, []Value{Float([]float64{nan, inf, 1}, 3)}, []float64{0, 1, 1}, 0},
		{"select", `%0 = param "m" : f32[3]
			%1 = param "x" : f32[3]
			%2 = const 7 : f32[3]
			%3 = select %0 %1 %2 : f32[3]`, []Value{Float([]float64{0, 1, -2}, 3), Float([]float64{inf, 2, 3}, 3)}, []float64{7, 2, 3}, 0},
		{"broadcast", `%0 = param "x" : f32[2]
			%1 = broadcast %0 dims=[1] : f32[2 2 2]`, []Value{Float([]float64{1, 2}, 2)}, []float64{1, 1, 2, 2, 1, 1, 2, 2}, 0},
		{"transpose", `%0 = param "x" : f32[2 3]
			%1 = transpose %0 dims=[1 0] : f32[3 2]`, []Value{x23}, []float64{1, 4, 2, 5, 3, 6}, 0},
		{"transpose 3d", `%0 = param "x" : f32[1 2 3]
			%1 = transpose %0 dims=[2 0 1] : f32[3 1 2]`, []Value{Float(x23.F, 1, 2, 3)}, []float64{1, 4, 2, 5, 3, 6}, 0},
		{"slice", `%0 = param "x" : f32[2 3]
			%1 = slice %0 lo=[0 1] hi=[2 3] : f32[2 2]`, []Value{x23}, []float64{2, 3, 5, 6}, 0},
		{"pad", `%0 = param "x" : f32[2]
			%1 = pad %0 lo=[1] hi=[2] : f32[5]`, []Value{Float([]float64{1, 2}, 2)}, []float64{0, 1, 2, 0, 0}, 0},
		{"concat", `%0 = param "x" : f32[2 1]
			%1 = param "y" : f32[2 2]
			%2 = concat %0 %1 axis=1 : f32[2 3]`, []Value{Float([]float64{1, 4}, 2, 1), Float([]float64{2, 3, 5, 6}, 2, 2)}, x23.F, 0},
		{"gather", `%0 = param "x" : f32[2 3]
			%1 = param "i" : u32[3]
			%2 = gather %0 %1 : f32[3 3]`, []Value{x23, Uint([]uint32{1, 0, 1}, 3)}, []float64{4, 5, 6, 1, 2, 3, 4, 5, 6}, 0},
		{"onehot", `%0 = param "i" : u32[3]
			%1 = onehot %0 : f32[3 2]`, []Value{Uint([]uint32{1, 2, 0}, 3)}, []float64{0, 1, 0, 0, 1, 0}, 0},
		{"sum", `%0 = param "x" : f32[2 3]
			%1 = reduce_sum %0 dims=[0] : f32[3]`, []Value{x23}, []float64{5, 7, 9}, 0},
		{"max of nothing", `%0 = param "x" : f32[2 0]
			%1 = reduce_max %0 dims=[1] : f32[2]`, []Value{Float(nil, 2, 0)}, []float64{-inf, -inf}, 0},
		{"matmul transA", `%0 = param "x" : f32[2 3]
			%1 = matmul %0 %0 transA : f32[3 3]`, []Value{x23}, []float64{17, 22, 27, 22, 29, 36, 27, 36, 45}, 0},
		{"matmul transB", `%0 = param "x" : f32[2 3]
			%1 = matmul %0 %0 transB : f32[2 2]`, []Value{x23}, []float64{14, 32, 32, 77}, 0},
		{"conv2d", `%0 = param "x" : f32[1 1 3 3]
			%1 = param "w" : f32[1 1 2 2]
			%2 = conv2d %0 %1 stride=[2 1] pad=[1 0] groups=1 : f32[1 1 2 2]`,
			[]Value{image, Float([]float64{1, 10, 100, 1000}, 1, 1, 2, 2)}, []float64{2100, 3200, 8754, 9865}, 0},
		{"conv2d of two groups", `%0 = param "x" : f32[1 2 1 1]
			%1 = param "w" : f32[4 1 1 1]
			%2 = conv2d %0 %1 stride=[1 1] pad=[0 0] groups=2 : f32[1 4 1 1]`,
			[]Value{Float([]float64{1, 10}, 1, 2, 1, 1), Float([]float64{1, 2, 3, 4}, 4, 1, 1, 1)}, []float64{1, 2, 30, 40}, 0},
		{"maxpool", `%0 = param "x" : f32[1 1 3 3]
			%1 = maxpool %0 kernel=[2 2] stride=[2 2] pad=[1 1] : f32[1 1 2 2]`, []Value{image}, []float64{1, 3, 7, 9}, 0},
		{"maxpool_grad of a tie", `%0 = const -1 : f32[1 1 2 2]
			%1 = const 3 : f32[1 1 1 1]
			%2 = maxpool_grad %0 %1 kernel=[2 2] stride=[2 2] pad=[0 0] : f32[1 1 2 2]`, nil, []float64{3, 0, 0, 0}, 0},
		{"avgpool", `%0 = param "x" : f32[1 1 3 3]
			%1 = avgpool %0 kernel=[2 2] stride=[2 2] pad=[1 1] : f32[1 1 2 2]`, []Value{image}, []float64{0.25, 1.25, 2.75, 7}, 0},
		{"avgpool_grad", `%0 = const 4 : f32[1 1 1 1]
			%1 = avgpool_grad %0 kernel=[2 2] stride=[1 1] pad=[0 0] : f32[1 1 2 2]`, nil, []float64{1, 1, 1, 1}, 0},
		// worked out in decimal arithmetic of 40 digits
		{"log_softmax", `%0 = param "x" : f32[1 3]
			%1 = log_softmax %0 : f32[1 3]`, []Value{Float([]float64{1000, 1001, 1003}, 1, 3)},
			[]float64{-3.169846019556285649, -2.169846019556285649, -0.169846019556285649}, 1e-12},
		{"softplus", `%0 = param "x" : f32[3]
			%1 = softplus %0 : f32[3]`, []Value{Float([]float64{-1000, 0, 1000}, 3)}, []float64{0, math.Ln2, 1000}, 0},
		{"linear", `%0 = param "x" : f32[2 3]
			%1 = param "w" : f32[1 3]
			%2 = param "b" : f32[1]
			%3 = linear %0 %1 %2 : f32[2 1]`, []Value{x23, Float([]float64{1, 10, 100}, 1, 3), Float([]float64{0.5}, 1)}, []float64{321.5, 654.5}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, c.text)
			got, err := Eval(p, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			ok := slices.EqualFunc(got[0].F, c.want, func(x, z float64) bool {
				return x == z || math.IsNaN(x) && math.IsNaN(z) || math.Abs(x-z) <= c.delta
			})
			if !ok {
				t.Errorf("found %v, want %v", got[0].F, c.want)
			}
		})
	}
}

// parse makes a program of instructions whose last one is the result.
func parse(t *testing.T, text string) *ir.Program {
	t.Helper()
	last := 0
	for _, r := range text {
		if r == '\n' {
			last++
		}
	}
	p, err := ir.Parse("program test\n" + text + "\nreturn \"y\" %" + string(rune('0'+last)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Noise is that of package rng: uniform bit for bit, normal to its rounding.
func TestNoiseIsThatOfRng(t *testing.T) {
	key := rng.Key{3, 5}
	p := parse(t, `%0 = param "key" : u32[2]
		%1 = uniform %0 stream=9 : f32[5 7]
		%2 = normal %0 stream=9 : f32[5 7]`)
	p.Results = append(p.Results, ir.Result{Name: "u", Value: 1})
	got, err := Eval(p, Uint(key[:], 2))
	if err != nil {
		t.Fatal(err)
	}
	u, n := make([]float32, 35), make([]float32, 35)
	rng.Uniform(u, key, 9)
	rng.Normal(n, key, 9)
	for i := range u {
		if got[1].F[i] != float64(u[i]) {
			t.Errorf("uniform[%d]: found %v, want %v", i, got[1].F[i], u[i])
		}
		if float32(got[0].F[i]) != n[i] {
			t.Errorf("normal[%d]: found %v, want %v", i, got[0].F[i], n[i])
		}
	}
	// Under a key that says so the first row is row 3 of the stream.
	rows := parse(t, `%0 = param "key" : u32[3]
		%1 = uniform %0 stream=9 : f32[2 7]`)
	rows.Results = append(rows.Results, ir.Result{Name: "u", Value: 1})
	if got, err = Eval(rows, Uint([]uint32{3, 5, 3}, 3)); err != nil {
		t.Fatal(err)
	}
	for i, v := range got[0].F {
		if v != float64(u[3*7+i]) {
			t.Errorf("uniform[%d] from row 3 on: found %v, want %v", i, v, u[3*7+i])
		}
	}
}

// The formula of every composite equals its expansion in core ops.
func TestCompositesEqualTheirExpansions(t *testing.T) {
	x := []float64{-800, -40, -3.5, -1, -1e-9, 0, 1e-9, 0.5, 2, 30, 90, 700}
	for _, op := range ir.Ops() {
		if op.Core() {
			continue
		}
		p, err := ir.Build("composite", func(b *ir.Builder) {
			v := b.Param("x", ir.Float(3, 4))
			apply := map[ir.Op]func(ir.Value) ir.Value{
				ir.Square: b.Square, ir.Relu: b.Relu, ir.Sigmoid: b.Sigmoid, ir.Softplus: b.Softplus,
				ir.LogSoftmax: b.LogSoftmax, ir.Stop: b.Stop,
				ir.Linear: func(x ir.Value) ir.Value {
					return b.Linear(x, b.Reshape(b.Slice(x, []int{0, 1}, []int{2, 3}), 1, 4), b.Full(3, 1))
				},
			}[op]
			if apply == nil {
				t.Fatalf("%s has no case", op)
			}
			b.Result("y", apply(v))
		})
		if err != nil {
			t.Fatal(err)
		}
		direct, err := Eval(p, Float(x, 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		core := ir.Expand(p, func(ir.Op) bool { return false })
		for i := range core.Instrs {
			if !core.Instrs[i].Op.Core() {
				t.Errorf("%s: its expansion holds %s", op, core.Instrs[i].Op)
			}
		}
		expanded, err := Eval(core, Float(x, 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range direct[0].F {
			// 1e-16 is half an ulp of 1: the expansion of sigmoid adds 1.
			if got := expanded[0].F[i]; math.Abs(got-want) > 1.2e-16+1e-14*math.Abs(want) {
				t.Errorf("%s[%d]: the expansion gives %v, the formula %v", op, i, got, want)
			}
		}
	}
}

func TestEvalRefusesArgumentsThatDoNotFit(t *testing.T) {
	p := parse(t, `%0 = param "x" : f32[2]
		%1 = neg %0 : f32[2]`)
	for want, args := range map[string][]Value{
		"program test: want 1 arguments, found 0":                                             nil,
		`program test: argument 0, "x": want f32[2], found f32[3]`:                            {Zeros(ir.Float(3))},
		`program test: argument 0, "x": want f32[2], found u32[2]`:                            {Zeros(ir.Uint(2))},
		`program test: argument 0, "x": f32[2]: want 2 f32 and 0 u32 elements, found 1 and 0`: {Float([]float64{1}, 2)},
	} {
		if _, err := Eval(p, args...); err == nil || err.Error() != want {
			t.Errorf("found %v, want %s", err, want)
		}
	}
	p.Instrs[1].Args[0] = 1
	if _, err := Eval(p, Zeros(ir.Float(2))); err == nil {
		t.Error("an operand that does not come before its use: want an error, found none")
	}
}
