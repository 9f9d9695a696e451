package backendtest

import (
	"fmt"
	"math"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

// RandomProgram is a valid program of up to some forty instructions, drawn
// from the seed: the same seed gives the same program. Every op occurs in some
// of them, and half of them end in a gradient.
func RandomProgram(seed uint32) *ir.Program { return RandomCase(seed).Program }

// RandomCase is RandomProgram with arguments. Values and derivatives stay near
// one, and an op that jumps (Floor, Less, …), or whose derivative does where
// that is taken, gets only operands that float32 and float64 hold alike: so a
// backend that is right agrees with ref to the tolerance, whatever the seed.
func RandomCase(seed uint32) Case {
	tol := Tolerance{2e-5, 2e-5, "some twenty ops in a row, each with a slope below 8"}
	name := fmt.Sprintf("random/%d", seed)
	return newCase(name, tol, func(m *maker) {
		g := &generator{maker: m, seed: seed}
		g.build()
	})
}

// generator draws a program from the words of one random stream.
type generator struct {
	*maker
	seed, drawn uint32
	pool        []operand
	gradient    bool       // one is taken at the end
	keys        []ir.Value // of noise: without and with the number of the first row
	sites       uint32     // of noise, so far
}

// operand is a value that later ops may take.
type operand struct {
	ir.Value
	exact bool    // float32 holds it as float64 does
	mag   float64 // a bound of its elements
}

// below draws one of 0..n-1.
func (g *generator) below(n int) int {
	w, _ := rng.Block(rng.Key{g.seed, 3}, g.drawn, dataStream)
	g.drawn++
	return int(w>>8) % n
}

func (g *generator) chance(oneIn int) bool { return g.below(oneIn) == 0 }

func (g *generator) build() {
	g.gradient = g.chance(2)
	for range 1 + g.below(3) {
		g.newParam(g.shape())
	}
	for range 6 + g.below(20) {
		x := g.recent()
		if y, ok := generators[g.below(len(generators))](g, x); ok {
			g.keep(y)
		}
	}
	outs := []ir.Value{g.pool[len(g.pool)-1].Value}
	for range g.below(3) {
		outs = append(outs, g.recent().Value)
	}
	for i, v := range outs {
		g.result(v, "y%d", i)
	}
	if !g.gradient {
		return
	}
	loss := g.Const(0)
	for _, v := range outs {
		if size(g.Shape(v)) > 0 {
			loss = g.Add(loss, g.Sum(v))
		}
	}
	var wrt []ir.Value
	for _, o := range g.pool[:1+g.below(len(g.pool))] {
		wrt = append(wrt, o.Value)
	}
	for i, d := range g.Grad(loss, wrt...) {
		g.result(d, "d%d", i)
	}
}

// recent is one of the last values or, less often, any: so programs grow deep.
func (g *generator) recent() operand {
	last := len(g.pool)
	if !g.chance(4) {
		last = min(last, 3)
	}
	return g.pool[len(g.pool)-1-g.below(last)]
}

// keep adds a value to the pool, scaled down if it has grown.
func (g *generator) keep(o operand) {
	for o.mag > 4 {
		o.Value, o.mag = g.MulConst(o.Value, 0.25), o.mag/4
	}
	g.pool = append(g.pool, o)
}

var lengths = []int{1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 16, 17}

func (g *generator) shape() []int {
	s := make([]int, g.below(5))
	for i := range s {
		if s[i] = lengths[g.below(len(lengths))]; size(s[:i]) > 200 {
			s[i] = 1 + g.below(3)
		}
	}
	if len(s) > 0 && g.chance(30) {
		s[g.below(len(s))] = 0
	}
	return s
}

// newParam puts a parameter at the front of the pool, where it is not recent.
func (g *generator) newParam(s []int) operand {
	o := operand{g.normal(s...), true, 4}
	if g.chance(2) {
		o = operand{g.integers(-2, 2, s...), true, 2}
	}
	g.pool = slices.Insert(g.pool, 0, o)
	return o
}

// like is an operand of the shape: one there is, one repeated, or a new one.
func (g *generator) like(s []int) operand {
	var same, tails []operand
	for _, o := range g.pool {
		switch shape := g.Shape(o.Value); {
		case slices.Equal(shape, s):
			same = append(same, o)
		case len(shape) < len(s) && slices.Equal(shape, s[len(s)-len(shape):]):
			tails = append(tails, o)
		}
	}
	switch k := g.below(8); {
	case k < 5 && len(same) > 0:
		return same[g.below(len(same))]
	case k < 7 && len(tails) > 0:
		o := tails[g.below(len(tails))]
		dims := make([]int, g.Type(o.Value).Rank())
		for i := range dims {
			dims[i] = len(s) - len(dims) + i
		}
		return operand{g.Broadcast(o.Value, s, dims...), o.exact, o.mag}
	case k == 7:
		c := float64(g.below(17)-8) / 8
		return operand{g.Full(c, s...), true, math.Abs(c)}
	}
	return g.newParam(s)
}

// smooth reports whether an op with a kink may take the operands.
func (g *generator) smooth(xs ...operand) bool {
	for _, x := range xs {
		if !x.exact && g.gradient {
			return false
		}
	}
	return true
}

// generators makes a value from x, or declines.
var generators = []func(g *generator, x operand) (operand, bool){
	unarySmooth, unarySmooth, unarySmooth, unaryKinked, binarySmooth, binarySmooth, binarySmooth, binaryKinked,
	compared, selected, repeated, reshaped, transposed, sliced, padded, joined, gathered, picked,
	summed, maximal, multiplied, multiplied, linear, convolved, convolved, pooled, noise, softmax,
}

func unarySmooth(g *generator, x operand) (operand, bool) {
	v, inexact := x.Value, func(v ir.Value, mag float64) (operand, bool) { return operand{v, false, mag}, true }
	switch g.below(14) {
	case 0:
		return operand{g.Neg(v), x.exact, x.mag}, true
	case 1:
		return inexact(g.Exp(g.MulConst(v, 0.5)), math.Exp(x.mag/2))
	case 2:
		return inexact(g.Log(g.AddConst(g.Square(v), 0.5)), x.mag+1)
	case 3:
		return inexact(g.Log1p(g.Square(v)), x.mag+1)
	case 4:
		return inexact(g.Sqrt(g.AddConst(g.Square(v), 0.25)), x.mag+0.5)
	case 5:
		return inexact(g.Sin(v), 1)
	case 6:
		return inexact(g.Cos(v), 1)
	case 7:
		return inexact(g.Tanh(v), 1)
	case 8:
		return inexact(g.Square(v), x.mag*x.mag)
	case 9:
		return inexact(g.Sigmoid(v), 1)
	case 10:
		return inexact(g.Softplus(v), x.mag+1)
	case 11:
		return operand{g.Stop(v), x.exact, x.mag}, true
	case 12:
		return inexact(g.AddConst(v, 0.3), x.mag+0.3)
	default:
		return inexact(g.MulConst(v, -0.7), x.mag)
	}
}

func unaryKinked(g *generator, x operand) (operand, bool) {
	k := g.below(4)
	if k >= 2 && !x.exact || !g.smooth(x) {
		return x, false
	}
	apply := []func(ir.Value) ir.Value{g.Abs, g.Relu, g.Sign, g.Floor}[k]
	return operand{apply(x.Value), x.exact, x.mag + 1}, true
}

func binarySmooth(g *generator, x operand) (operand, bool) {
	z := g.like(g.Shape(x.Value))
	switch g.below(4) {
	case 0:
		return operand{g.Add(x.Value, z.Value), false, x.mag + z.mag}, true
	case 1:
		return operand{g.Sub(z.Value, x.Value), false, x.mag + z.mag}, true
	case 2:
		return operand{g.Mul(x.Value, z.Value), false, x.mag * z.mag}, true
	default:
		return operand{g.Div(x.Value, g.AddConst(g.Square(z.Value), 1)), false, x.mag}, true
	}
}

func binaryKinked(g *generator, x operand) (operand, bool) {
	z := g.like(g.Shape(x.Value))
	if !g.smooth(x, z) {
		return x, false
	}
	apply := []func(x, z ir.Value) ir.Value{g.Max, g.Min}[g.below(2)]
	return operand{apply(x.Value, z.Value), x.exact && z.exact, max(x.mag, z.mag)}, true
}

func compared(g *generator, x operand) (operand, bool) {
	z := g.like(g.Shape(x.Value))
	if !x.exact || !z.exact {
		return x, false
	}
	apply := []func(x, z ir.Value) ir.Value{g.Less, g.LessEqual, g.Equal}[g.below(3)]
	return operand{apply(x.Value, z.Value), true, 1}, true
}

func selected(g *generator, x operand) (operand, bool) {
	z, mask := g.like(g.Shape(x.Value)), g.like(g.Shape(x.Value))
	if !mask.exact {
		return x, false
	}
	return operand{g.Select(mask.Value, x.Value, z.Value), x.exact && z.exact, max(x.mag, z.mag)}, true
}

func repeated(g *generator, x operand) (operand, bool) {
	s := slices.Clone(g.Shape(x.Value))
	at := g.below(len(s) + 1)
	s = slices.Insert(s, at, 1+g.below(4))
	if len(s) > 4 || size(s) > 2000 {
		return x, false
	}
	dims := []int{}
	for i := range s {
		if i != at {
			dims = append(dims, i)
		}
	}
	return operand{g.Broadcast(x.Value, s, dims...), x.exact, x.mag}, true
}

func reshaped(g *generator, x operand) (operand, bool) {
	s := slices.Clone(g.Shape(x.Value))
	switch {
	case len(s) >= 2 && g.chance(2): // join two axes
		at := g.below(len(s) - 1)
		s[at] *= s[at+1]
		s = slices.Delete(s, at+1, at+2)
	case len(s) < 4: // split one, or put in one of length 1
		at := g.below(len(s) + 1)
		if at < len(s) && s[at]%2 == 0 {
			s[at] /= 2
			s = slices.Insert(s, at, 2)
		} else {
			s = slices.Insert(s, at, 1)
		}
	}
	return operand{g.Reshape(x.Value, s...), x.exact, x.mag}, true
}

func transposed(g *generator, x operand) (operand, bool) {
	orders := permutations(g.Type(x.Value).Rank())
	return operand{g.Transpose(x.Value, orders[g.below(len(orders))]...), x.exact, x.mag}, true
}

func sliced(g *generator, x operand) (operand, bool) {
	s := g.Shape(x.Value)
	lo, hi := make([]int, len(s)), make([]int, len(s))
	for i, n := range s {
		lo[i] = g.below(n/2 + 1)
		hi[i] = lo[i] + (n-lo[i]+1)/2 + g.below((n-lo[i])/2+1)
	}
	return operand{g.Slice(x.Value, lo, hi), x.exact, x.mag}, true
}

func padded(g *generator, x operand) (operand, bool) {
	s := g.Shape(x.Value)
	lo, hi := make([]int, len(s)), make([]int, len(s))
	for i := range s {
		lo[i], hi[i] = g.below(3), g.below(2)
	}
	if size(s) > 500 {
		return x, false
	}
	return operand{g.Pad(x.Value, lo, hi), x.exact, x.mag}, true
}

func joined(g *generator, x operand) (operand, bool) {
	s := g.Shape(x.Value)
	if len(s) == 0 || size(s) > 500 {
		return x, false
	}
	z := g.like(s)
	return operand{g.Concat(g.below(len(s)), x.Value, z.Value, x.Value), x.exact && z.exact, max(x.mag, z.mag)}, true
}

func gathered(g *generator, x operand) (operand, bool) {
	s := g.Shape(x.Value)
	if len(s) == 0 || s[0] == 0 {
		return x, false
	}
	return operand{g.Gather(x.Value, g.indices(s[0], 1+g.below(5))), x.exact, x.mag}, true
}

// picked takes rows of x by a product with their indicator, whose labels have
// first gone through the ops that move either type of element.
func picked(g *generator, x operand) (operand, bool) {
	x, ok := g.matrix(x)
	if !ok {
		return x, false
	}
	n := g.Shape(x.Value)[0]
	labels := g.indices(n+1, 6, 2) // one in n+1 is no row: zeros
	labels = g.Slice(g.Gather(labels, g.indices(6, 5)), []int{1, 0}, []int{4, 2})
	return operand{g.MatMul(g.OneHot(g.Reshape(labels, 6), n), x.Value, false, false), false, x.mag}, true
}

// axes draws some of the axes, one at least; none may be empty.
func (g *generator) axes(x operand) ([]int, bool) {
	s := g.Shape(x.Value)
	if len(s) == 0 || size(s) == 0 {
		return nil, false
	}
	all := subsets(len(s))
	return all[1+g.below(len(all)-1)], true
}

func summed(g *generator, x operand) (operand, bool) {
	dims, ok := g.axes(x)
	if !ok {
		return x, false
	}
	return operand{g.Mean(x.Value, dims...), false, x.mag}, true
}

func maximal(g *generator, x operand) (operand, bool) {
	dims, ok := g.axes(x)
	if !ok || !g.smooth(x) {
		return x, false
	}
	return operand{g.MaxOver(x.Value, dims...), x.exact, x.mag}, true
}

func softmax(g *generator, x operand) (operand, bool) {
	s := g.Shape(x.Value)
	if len(s) == 0 || s[len(s)-1] == 0 {
		return x, false
	}
	return operand{g.LogSoftmax(x.Value), false, 2*x.mag + 5}, true
}

// matrix joins the axes of x into two.
func (g *generator) matrix(x operand) (operand, bool) {
	if g.Type(x.Value).Rank() == 0 {
		return x, false
	}
	return operand{g.Flatten(x.Value), x.exact, x.mag}, true
}

func multiplied(g *generator, x operand) (operand, bool) {
	x, ok := g.matrix(x)
	if !ok {
		return x, false
	}
	s := g.Shape(x.Value)
	transX, transZ := g.chance(2), g.chance(2)
	inner := s[1]
	if transX {
		inner = s[0]
	}
	shape := []int{inner, lengths[g.below(len(lengths))]}
	if transZ {
		slices.Reverse(shape)
	}
	z := g.like(shape)
	y := g.MatMul(x.Value, z.Value, transX, transZ)
	return operand{g.MulConst(y, 1/float64(inner+1)), false, x.mag * z.mag}, true
}

func linear(g *generator, x operand) (operand, bool) {
	x, ok := g.matrix(x)
	if !ok {
		return x, false
	}
	in, out := g.Shape(x.Value)[1], lengths[g.below(len(lengths))]
	w, bias := g.like([]int{out, in}), g.like([]int{out})
	y := g.Linear(x.Value, w.Value, bias.Value)
	return operand{g.MulConst(y, 1/float64(in+1)), false, x.mag*w.mag + bias.mag}, true
}

// image gives x four axes.
func (g *generator) image(x operand) operand {
	s := g.Shape(x.Value)
	for len(s) < 4 {
		s = slices.Insert(slices.Clone(s), g.below(len(s)+1), 1)
	}
	return operand{g.Reshape(x.Value, s...), x.exact, x.mag}
}

func convolved(g *generator, x operand) (operand, bool) {
	x = g.image(x)
	s := g.Shape(x.Value)
	if s[2]*s[3] == 0 {
		return x, false
	}
	groups := 1
	if s[1] > 1 && g.chance(3) {
		groups = s[1]
	}
	var kernel, stride, pad [2]int
	for i := range 2 {
		pad[i], stride[i] = g.below(3), 1+g.below(3)
		kernel[i] = 1 + g.below(min(4, s[2+i]+2*pad[i]))
	}
	w := g.newParam([]int{groups * (1 + g.below(3)), s[1] / groups, kernel[0], kernel[1]})
	y := g.Conv2D(x.Value, w.Value, stride, pad, groups)
	n := s[1] / groups * kernel[0] * kernel[1]
	return operand{g.MulConst(y, 1/float64(n+1)), false, x.mag * w.mag}, true
}

func pooled(g *generator, x operand) (operand, bool) {
	x = g.image(x)
	s := g.Shape(x.Value)
	if s[2]*s[3] == 0 {
		return x, false
	}
	var kernel, stride, pad [2]int
	for i := range 2 {
		kernel[i], stride[i] = 1+g.below(min(3, s[2+i])), 1+g.below(3)
		pad[i] = g.below(kernel[i])
	}
	if g.chance(2) {
		return operand{g.AvgPool(x.Value, kernel, stride, pad), false, x.mag}, true
	}
	if !g.smooth(x) {
		return x, false
	}
	return operand{g.MaxPool(x.Value, kernel, stride, pad), x.exact, x.mag}, true
}

func noise(g *generator, x operand) (operand, bool) {
	if g.keys == nil {
		g.keys = []ir.Value{
			g.uint([]uint32{g.seed, 77}, 2),
			g.uint([]uint32{g.seed, 77, uint32(g.below(1000))}, 3),
		}
	}
	g.sites++
	s := g.Shape(x.Value)
	key := g.keys[0]
	if len(s) > 0 {
		key = g.keys[g.below(2)]
	}
	if g.chance(2) {
		return operand{g.Uniform(key, g.sites, s...), true, 1}, true
	}
	return operand{g.Normal(key, g.sites, s...), false, 6}, true
}
