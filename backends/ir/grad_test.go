package ir_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// function builds a differentiable function with the point to take its
// derivative at.
type function struct {
	*ir.Builder
	vars []ir.Value
	args []ref.Value
}

// x declares a variable of distinct elements between lo and hi, in no order,
// none of them within 0.001 of a whole number or of another variable's.
func (f *function) x(lo, hi float64, shape ...int) ir.Value {
	v := ref.Zeros(ir.Float(shape...))
	n := len(v.F)
	for i := range v.F {
		place := (float64(i*7%n) + 0.37 + 0.19*float64(len(f.args)%4)) / float64(n)
		if n%7 == 0 {
			place = (float64(i*11%n) + 0.37 + 0.19*float64(len(f.args)%4)) / float64(n)
		}
		v.F[i] = lo + (hi-lo)*place
		if d := v.F[i] - math.Round(v.F[i]); math.Abs(d) < 1e-3 {
			v.F[i] += 2.3e-3
		}
	}
	p := f.fixed(v)
	f.vars = append(f.vars, p)
	return p
}

// fixed declares a parameter that is no variable.
func (f *function) fixed(v ref.Value) ir.Value {
	f.args = append(f.args, v)
	return f.Param(fmt.Sprintf("p%d", len(f.args)-1), v.Type)
}

func (f *function) indices(v ...uint32) ir.Value { return f.fixed(ref.Uint(v, len(v))) }

// weighted is a scalar that depends on every element of y in its own way.
func (f *function) weighted(y ir.Value) ir.Value {
	w := ref.Zeros(f.Type(y))
	for i := range w.F {
		w.F[i] = math.Sin(float64(3*i+1)) + 0.1
	}
	return f.Sum(f.Mul(y, f.fixed(w)))
}

// gradOf is the gradient of weighted y: how the gradient ops get into a program.
func (f *function) gradOf(y, x ir.Value) ir.Value {
	return f.Grad(f.weighted(y), x)[0]
}

type gradCase struct {
	op    ir.Op
	build func(f *function) ir.Value
}

func gradCases() []gradCase {
	unary := func(op ir.Op, apply func(b *ir.Builder, x ir.Value) ir.Value, lo, hi float64) gradCase {
		return gradCase{op, func(f *function) ir.Value { return apply(f.Builder, f.x(lo, hi, 2, 3)) }}
	}
	binary := func(op ir.Op, apply func(b *ir.Builder, x, z ir.Value) ir.Value, lo, hi float64) gradCase {
		return gradCase{op, func(f *function) ir.Value {
			return apply(f.Builder, f.x(-2, 2, 2, 3), f.x(lo, hi, 2, 3))
		}}
	}
	cases := []gradCase{
		unary(ir.Neg, (*ir.Builder).Neg, -2, 2),
		unary(ir.Abs, (*ir.Builder).Abs, -2, 2),
		unary(ir.Sign, (*ir.Builder).Sign, -2, 2),
		unary(ir.Floor, (*ir.Builder).Floor, -4, 4),
		unary(ir.Exp, (*ir.Builder).Exp, -2, 2),
		unary(ir.Log, (*ir.Builder).Log, 0.3, 3),
		unary(ir.Log1p, (*ir.Builder).Log1p, -0.6, 3),
		unary(ir.Sqrt, (*ir.Builder).Sqrt, 0.3, 3),
		unary(ir.Sin, (*ir.Builder).Sin, -4, 4),
		unary(ir.Cos, (*ir.Builder).Cos, -4, 4),
		unary(ir.Tanh, (*ir.Builder).Tanh, -2, 2),
		unary(ir.Square, (*ir.Builder).Square, -2, 2),
		unary(ir.Relu, (*ir.Builder).Relu, -2, 2),
		unary(ir.Sigmoid, (*ir.Builder).Sigmoid, -4, 4),
		unary(ir.Softplus, (*ir.Builder).Softplus, -4, 4),
		unary(ir.LogSoftmax, (*ir.Builder).LogSoftmax, -3, 3),
		binary(ir.Add, (*ir.Builder).Add, -2, 2),
		binary(ir.Sub, (*ir.Builder).Sub, -2, 2),
		binary(ir.Mul, (*ir.Builder).Mul, -2, 2),
		binary(ir.Div, (*ir.Builder).Div, 0.5, 2),
		binary(ir.Max, (*ir.Builder).Max, -2, 2),
		binary(ir.Min, (*ir.Builder).Min, -2, 2),
		binary(ir.Less, (*ir.Builder).Less, -2, 2),
		binary(ir.LessEqual, (*ir.Builder).LessEqual, -2, 2),
		binary(ir.Equal, (*ir.Builder).Equal, -2, 2),
		{ir.Mul, func(f *function) ir.Value { x := f.x(-2, 2, 5); return f.Mul(x, x) }},
		{ir.Max, func(f *function) ir.Value { x := f.x(-2, 2, 5); return f.Max(x, x) }},
		{ir.Select, func(f *function) ir.Value {
			mask := f.Less(f.x(-2, 2, 2, 3), f.Const(0.2))
			return f.Select(mask, f.x(-2, 2, 2, 3), f.x(-2, 2, 2, 3))
		}},

		{ir.Broadcast, func(f *function) ir.Value { return f.Broadcast(f.x(-1, 1, 3), []int{2, 3, 4}, 1) }},
		{ir.Broadcast, func(f *function) ir.Value { return f.Broadcast(f.x(-1, 1), []int{2, 3}) }},
		{ir.Broadcast, func(f *function) ir.Value { return f.Broadcast(f.x(-1, 1, 2, 3), []int{2, 3}, 0, 1) }},
		{ir.Reshape, func(f *function) ir.Value { return f.Reshape(f.x(-1, 1, 2, 3), 3, 1, 2) }},
		{ir.Transpose, func(f *function) ir.Value { return f.Transpose(f.x(-1, 1, 2, 3, 4), 1, 2, 0) }},
		{ir.Slice, func(f *function) ir.Value { return f.Slice(f.x(-1, 1, 3, 4), []int{1, 1}, []int{3, 3}) }},
		{ir.Pad, func(f *function) ir.Value { return f.Pad(f.x(-1, 1, 2, 3), []int{1, 0}, []int{0, 2}) }},
		{ir.Concat, func(f *function) ir.Value {
			x := f.x(-1, 1, 2, 3)
			return f.Concat(1, x, f.x(-1, 1, 2, 1), x)
		}},
		{ir.Gather, func(f *function) ir.Value { return f.Gather(f.x(-1, 1, 4, 3), f.indices(2, 0, 2)) }},
		{ir.Gather, func(f *function) ir.Value { return f.Gather(f.x(-1, 1, 3, 2, 2), f.indices(1, 1)) }},
		{ir.Gather, func(f *function) ir.Value { return f.Gather(f.x(-1, 1, 5), f.indices(4, 0)) }},
		{ir.OneHot, func(f *function) ir.Value { return f.Mul(f.OneHot(f.indices(1, 0), 3), f.x(-1, 1, 2, 3)) }},

		{ir.ReduceSum, func(f *function) ir.Value { return f.Sum(f.x(-1, 1, 2, 3, 4), 0, 2) }},
		{ir.ReduceSum, func(f *function) ir.Value { return f.Sum(f.x(-1, 1, 2, 3)) }},
		{ir.ReduceMax, func(f *function) ir.Value { return f.MaxOver(f.x(-1, 1, 2, 3, 4), 1) }},
		{ir.ReduceMax, func(f *function) ir.Value { return f.MaxOver(f.x(-1, 1, 2, 3)) }},
		{ir.Linear, func(f *function) ir.Value { return f.Linear(f.x(-1, 1, 2, 3), f.x(-1, 1, 4, 3), f.x(-1, 1, 4)) }},
		{ir.LogSoftmax, func(f *function) ir.Value { return f.LogSoftmax(f.x(-3, 3, 5)) }},

		{ir.Uniform, func(f *function) ir.Value {
			x := f.x(-1, 1, 2, 3)
			return f.Mul(f.Square(x), f.Uniform(f.indices(1, 2), 3, 2, 3))
		}},
		{ir.Normal, func(f *function) ir.Value {
			x := f.x(-1, 1, 2, 3)
			return f.Mul(f.Square(x), f.Normal(f.indices(1, 2), 3, 2, 3))
		}},
	}
	for _, trans := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		cases = append(cases, gradCase{ir.MatMul, func(f *function) ir.Value {
			x, z := []int{2, 3}, []int{3, 4}
			if trans[0] {
				x = []int{3, 2}
			}
			if trans[1] {
				z = []int{4, 3}
			}
			return f.MatMul(f.x(-1, 1, x...), f.x(-1, 1, z...), trans[0], trans[1])
		}})
	}
	for _, c := range []struct {
		x, w        []int
		stride, pad [2]int
		groups      int
	}{
		{[]int{2, 2, 4, 5}, []int{3, 2, 3, 2}, [2]int{1, 1}, [2]int{1, 0}, 1},
		{[]int{1, 4, 5, 4}, []int{6, 2, 2, 3}, [2]int{2, 3}, [2]int{0, 1}, 2},
		{[]int{1, 3, 3, 3}, []int{3, 1, 2, 2}, [2]int{1, 2}, [2]int{2, 2}, 3},
	} {
		conv := func(f *function) (x, w, y ir.Value) {
			x, w = f.x(-1, 1, c.x...), f.x(-1, 1, c.w...)
			return x, w, f.Conv2D(x, w, c.stride, c.pad, c.groups)
		}
		cases = append(cases,
			gradCase{ir.Conv2D, func(f *function) ir.Value { _, _, y := conv(f); return y }},
			// The gradient's own operands are variables here, one through a product.
			gradCase{ir.Conv2DDX, func(f *function) ir.Value {
				x, _, y := conv(f)
				return f.gradOf(f.Mul(y, f.x(-1, 1, f.Shape(y)...)), x)
			}},
			gradCase{ir.Conv2DDW, func(f *function) ir.Value {
				_, w, y := conv(f)
				return f.gradOf(f.Mul(y, f.x(-1, 1, f.Shape(y)...)), w)
			}})
	}
	for _, c := range []struct{ kernel, stride, pad [2]int }{
		{[2]int{2, 2}, [2]int{2, 2}, [2]int{0, 0}},
		{[2]int{3, 2}, [2]int{1, 2}, [2]int{1, 1}},
	} {
		cases = append(cases,
			gradCase{ir.MaxPool, func(f *function) ir.Value { return f.MaxPool(f.x(-1, 1, 1, 2, 5, 4), c.kernel, c.stride, c.pad) }},
			gradCase{ir.AvgPool, func(f *function) ir.Value { return f.AvgPool(f.x(-1, 1, 1, 2, 5, 4), c.kernel, c.stride, c.pad) }},
			gradCase{ir.AvgPoolGrad, func(f *function) ir.Value {
				x := f.x(-1, 1, 1, 2, 5, 4)
				y := f.AvgPool(x, c.kernel, c.stride, c.pad)
				return f.gradOf(f.Mul(y, f.Square(f.x(-1, 1, f.Shape(y)...))), x)
			}})
	}
	return cases
}

// Stop's gradient is zero by definition, although its value varies.
var notByDifferences = map[ir.Op]bool{ir.Stop: true}

func TestEveryRuleHasACase(t *testing.T) {
	tested := map[ir.Op]bool{}
	for _, c := range gradCases() {
		tested[c.op] = true
	}
	for _, op := range ir.Ops() {
		if ir.HasRule(op) && !tested[op] && !notByDifferences[op] {
			t.Errorf("%s: its gradient has no case", op)
		}
	}
}

// The gradient of every op, and the gradient of that, against central
// differences on the float64 interpreter.
func TestGradients(t *testing.T) {
	for i, c := range gradCases() {
		t.Run(fmt.Sprintf("%s/%d", c.op, i), func(t *testing.T) {
			first := &function{}
			p, err := ir.Build("first", func(b *ir.Builder) {
				first.Builder = b
				differentiate(first, first.weighted(c.build(first)))
			})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(p.String(), "= "+c.op.String()+" ") {
				t.Fatalf("the program has no %s:\n%s", c.op, p)
			}
			againstDifferences(t, first, p)

			second := &function{}
			p, err = ir.Build("second", func(b *ir.Builder) {
				second.Builder = b
				loss := second.weighted(c.build(second))
				sum := b.Const(0)
				for _, g := range b.Grad(loss, second.vars...) {
					sum = b.Add(sum, second.weighted(g))
				}
				differentiate(second, sum)
			})
			if c.op == ir.MaxPool {
				if want := "maxpool_grad: has no gradient"; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("second derivative: want an error with %q, found %v", want, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			againstDifferences(t, second, p)
		})
	}
}

// differentiate makes loss and its gradient the results.
func differentiate(f *function, loss ir.Value) {
	f.Result("loss", loss)
	for i, g := range f.Grad(loss, f.vars...) {
		f.Result(fmt.Sprintf("d%d", i), g)
	}
}

// againstDifferences compares results 1, 2, … with the differences of result 0.
// With steps of 1e-5 these are good to about 1e-10 of the values around.
func againstDifferences(t *testing.T, f *function, p *ir.Program) {
	t.Helper()
	found := eval(t, p, f.args)
	lossOnly := *p
	lossOnly.Results = p.Results[:1]
	small := ir.Clean(&lossOnly)
	const h = 1e-5
	for i, v := range f.vars {
		param := p.Instrs[v].Name
		x := f.args[argument(p, v)]
		for j := range x.F {
			was := x.F[j]
			x.F[j] = was + h
			up := eval(t, small, f.args)[0].F[0]
			x.F[j] = was - h
			down := eval(t, small, f.args)[0].F[0]
			x.F[j] = was
			want := (up - down) / (2 * h)
			if got := found[1+i].F[j]; !(math.Abs(got-want) <= 1e-7*(1+math.Abs(want))) {
				t.Errorf("%s[%d]: the gradient is %v, the difference %v", param, j, got, want)
			}
		}
	}
}

func argument(p *ir.Program, v ir.Value) int {
	for i, q := range p.Params() {
		if q == v {
			return i
		}
	}
	panic("not a parameter")
}

func eval(t testing.TB, p *ir.Program, args []ref.Value) []ref.Value {
	t.Helper()
	out, err := ref.Eval(p, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A deep chain of ops with values used more than once: batch normalisation,
// both pools, weight noise, softmax.
func TestGradientOfANetwork(t *testing.T) {
	f := &function{}
	p, err := ir.Build("network", func(b *ir.Builder) {
		f.Builder = b
		x, w := f.x(-1, 1, 3, 2, 6, 5), f.x(-1, 1, 4, 2, 3, 3)
		h := b.Conv2D(x, w, [2]int{1, 1}, [2]int{1, 1}, 1)
		mean := b.Mean(h, 0, 2, 3)
		h = b.Sub(h, b.Broadcast(mean, b.Shape(h), 1))
		scale := b.Div(f.x(0.5, 1, 4), b.Sqrt(b.AddConst(b.Mean(b.Square(h), 0, 2, 3), 1e-5)))
		h = b.Mul(h, b.Broadcast(scale, b.Shape(h), 1))
		h = b.MaxPool(b.Softplus(h), [2]int{2, 2}, [2]int{2, 2}, [2]int{})
		h = b.Flatten(b.AvgPool(h, [2]int{2, 2}, [2]int{1, 1}, [2]int{}))
		mu, rho := f.x(-1, 1, 5, b.Shape(h)[1]), f.x(-4, -2, 5, b.Shape(h)[1])
		noise := b.Normal(f.indices(1, 2), 0, b.Shape(mu)...)
		logits := b.Linear(h, b.Add(mu, b.Mul(b.Exp(rho), noise)), f.x(-1, 1, 5))
		nll := b.Neg(b.Mean(b.Sum(b.Mul(b.LogSoftmax(logits), b.OneHot(f.indices(1, 4, 0), 5)), 1)))
		kl := b.Sum(b.Sub(b.AddConst(b.MulConst(b.Add(b.Square(b.Exp(rho)), b.Square(mu)), 0.5), -0.5), rho))
		differentiate(f, b.Add(nll, b.MulConst(kl, 0.01)))
	})
	if err != nil {
		t.Fatal(err)
	}
	againstDifferences(t, f, p)
}

func TestGradOfStopIsZero(t *testing.T) {
	f := &function{}
	p, err := ir.Build("stop", func(b *ir.Builder) {
		f.Builder = b
		x := f.x(-1, 1, 3)
		differentiate(f, b.Sum(b.Add(b.Stop(b.Square(x)), x)))
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range eval(t, p, f.args)[1].F {
		if g != 1 {
			t.Errorf("d(stop(x²) + x)[%d]: found %v, want 1", i, g)
		}
	}
}

// A value on the way, noise included, has a gradient as a parameter has.
func TestGradOfAValueOnTheWay(t *testing.T) {
	p, err := ir.Build("way", func(b *ir.Builder) {
		x, key := b.Param("x", ir.Float(3)), b.Param("key", ir.Uint(2))
		noise := b.Normal(key, 0, 3)
		y := b.Mul(x, noise)
		after := b.Const(1)
		for i, g := range b.Grad(b.Sum(b.Square(y)), y, noise, x, after) {
			b.Result(fmt.Sprint("d", i), g)
		}
		b.Result("y", y)
		b.Result("noise", noise)
	})
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, -2, 3}
	out := eval(t, p, []ref.Value{ref.Float(x, 3), ref.Uint([]uint32{1, 2}, 2)})
	for i := range x {
		y, noise := out[4].F[i], out[5].F[i]
		for r, want := range []float64{2 * y, 2 * y * x[i], 2 * y * noise} {
			if got := out[r].F[i]; math.Abs(got-want) > 1e-15 {
				t.Errorf("d%d[%d]: found %v, want %v", r, i, got, want)
			}
		}
	}
	if got := out[3].F[0]; got != 0 {
		t.Errorf("of a value that the loss does not use: found %v, want 0", got)
	}
}

// At a kink the gradient is the one that grad.go states.
func TestGradientAtKinks(t *testing.T) {
	for name, c := range map[string]struct {
		x, want []float64
		build   func(b *ir.Builder, x ir.Value) ir.Value
	}{
		"relu is 0 at 0": {[]float64{0}, []float64{0}, (*ir.Builder).Relu},
		"abs is 0 at 0":  {[]float64{0}, []float64{0}, (*ir.Builder).Abs},
		"clamp passes at its bounds": {[]float64{-1, 1, -1.1, 1.1, 0}, []float64{1, 1, 0, 0, 1},
			func(b *ir.Builder, x ir.Value) ir.Value { return b.Clamp(x, -1, 1) }},
		"a tie for the maximum is shared": {[]float64{2, 1, 2, 2}, []float64{1. / 3, 0, 1. / 3, 1. / 3},
			func(b *ir.Builder, x ir.Value) ir.Value { return b.MaxOver(x) }},
		"the first maximum of a pool takes all": {[]float64{1, 2, 2, 2}, []float64{0, 1, 0, 0},
			func(b *ir.Builder, x ir.Value) ir.Value {
				return b.MaxPool(b.Reshape(x, 1, 1, 2, 2), [2]int{2, 2}, [2]int{2, 2}, [2]int{})
			}},
		"max of two equal goes to the first": {[]float64{2}, []float64{1},
			func(b *ir.Builder, x ir.Value) ir.Value { return b.Max(x, b.Const(2)) }},
	} {
		p, err := ir.Build("kink", func(b *ir.Builder) {
			x := b.Param("x", ir.Float(len(c.x)))
			b.Result("d", b.Grad(b.Sum(c.build(b, x)), x)[0])
		})
		if err != nil {
			t.Fatal(err)
		}
		got := eval(t, p, []ref.Value{ref.Float(c.x, len(c.x))})[0].F
		for i, want := range c.want {
			if got[i] != want {
				t.Errorf("%s: element %d: found %v, want %v", name, i, got[i], want)
			}
		}
	}
}

func TestGradMisuse(t *testing.T) {
	for want, build := range map[string]func(b *ir.Builder){
		"gradient of %0: want a scalar f32[], found f32[2]":   func(b *ir.Builder) { b.Grad(b.Param("x", ir.Float(2))) },
		"gradient with respect to %0: want f32, found u32[2]": func(b *ir.Builder) { b.Grad(b.Sum(b.OneHot(b.Param("x", ir.Uint(2)), 3)), 0) },
		"%5 = maxpool_grad: has no gradient": func(b *ir.Builder) {
			x := b.Param("x", ir.Float(1, 1, 1, 1))
			y := b.Sum(b.MaxPool(x, [2]int{1, 1}, [2]int{1, 1}, [2]int{}))
			b.Grad(b.Sum(b.Square(b.Grad(y, x)[0])), x)
		},
	} {
		_, err := ir.Build("misuse", build)
		if err == nil || err.Error() != "program misuse: "+want {
			t.Errorf("want %q, found %v", want, err)
		}
	}
}
