package gomlx

import (
	"math"

	mlx "github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"

	"bayesbench/backends/ir"
)

// The noise of package rng, as integer ops on the device: every element
// computes the block of its own counter, by its position alone. A block serves
// two elements, so half of this is done twice; but it is one loop over all
// elements, which XLA vectorises and fuses with what uses the noise. (Blocks
// computed once and interleaved by a concatenation were ten times as slow.)

// block computes the two words of every element of the result, and whether the
// second is the element's own.
func (e *emitter) block(in *ir.Instr, key mlx.Op) (w0, w1, second mlx.Op) {
	shape := shapes.Make(dtypes.Uint32, in.Type.Size())
	add := func(x, z mlx.Op) mlx.Op { return e.do(e.b.Add(x, z)) }
	and := func(x mlx.Op, bits uint32) mlx.Op { return e.do(e.b.BitwiseAnd(x, e.word(bits))) }
	part := func(i int) mlx.Op { return e.reshape(e.slice(key, []int{i}, []int{i + 1}, nil)) }
	k0, k1 := part(0), part(1)
	mul := func(x mlx.Op, by uint32) mlx.Op { return e.do(e.b.Mul(x, e.word(by))) }
	k2 := e.do(e.b.BitwiseXor(e.do(e.b.BitwiseXor(k0, k1)), e.word(0x1BD11BDA)))
	k := [3]mlx.Op{k0, k1, k2}

	i := e.do(e.b.Iota(shape, 0))
	first := k0 // the counter of the site's first group of 16, and k0
	if row := ir.NoiseRow(in.Type, e.p.Type(in.Args[0])); row > 0 {
		// The site begins at element part(2)·row of the stream, the first element
		// of a group or not. The product may exceed 32 bits; with part(2) = 16a + b
		// and row = 16c + d its whole groups are part(2)·c + a·d + ⌊b·d/16⌋.
		c, d := uint32(row/16), uint32(row%16)
		cut := mul(and(part(2), 15), d)
		groups := add(add(mul(part(2), c), mul(e.shiftRight(part(2), 4), d)), e.shiftRight(cut, 4))
		first = add(first, mul(groups, 8))
		i = add(i, and(cut, 15))
	}
	counter := add(mul(e.shiftRight(i, 4), 8), and(i, 7))
	x0 := add(counter, first)
	x1 := e.do(e.b.BroadcastInDim(add(e.word(in.Stream), k1), shape, nil))
	rotations := [2][4]int{{13, 15, 26, 6}, {17, 29, 16, 24}}
	for group := range 5 {
		for _, r := range rotations[group%2] {
			x0 = add(x0, x1)
			x1 = e.do(e.b.BitwiseXor(e.rotate(x1, r), x0))
		}
		x0 = add(x0, k[(group+1)%3])
		x1 = add(x1, add(k[(group+2)%3], e.word(uint32(group+1))))
	}
	return x0, x1, e.do(e.b.NotEqual(and(i, 8), e.word(0)))
}

// rotate turns the bits of x left by n. The Go engine has no shifts; XLA makes
// shifts of these.
func (e *emitter) rotate(x mlx.Op, n int) mlx.Op {
	high := e.do(e.b.Mul(x, e.word(1<<n)))
	return e.do(e.b.BitwiseOr(high, e.shiftRight(x, 32-n)))
}

func (e *emitter) shiftRight(x mlx.Op, n int) mlx.Op { return e.do(e.b.Div(x, e.word(1<<n))) }

// unit is (w>>8)·2⁻²⁴.
func (e *emitter) unit(w mlx.Op) mlx.Op {
	return e.do(e.b.Mul(e.float(e.shiftRight(w, 8)), e.scalar(0x1p-24)))
}

func uniform(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w0, w1, second := e.block(in, x[0])
	return e.reshape(e.unit(e.do(e.b.Where(second, w1, w0))), in.Type.Shape...)
}

// normal is Box-Muller on the two words: the first one's element takes the
// cosine of the angle, the second one's the sine.
func normal(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w0, w1, second := e.block(in, x[0])
	u := e.do(e.b.Add(e.unit(w0), e.scalar(0x1p-24)))
	r := e.do(e.b.Sqrt(e.do(e.b.Mul(e.do(e.b.Log(u)), e.scalar(-2)))))
	return e.reshape(e.do(e.b.Mul(r, e.turn(e.unit(w1), second))), in.Type.Shape...)
}

// turn is the sine of 2πu where sine says so, else the cosine, for u in
// [0, 1). XLA's own are calls of libm on a CPU, one element at a time; and
// here the reduction to an eighth of a turn is exact.
func (e *emitter) turn(u, sine mlx.Op) mlx.Op {
	add := func(x, z mlx.Op) mlx.Op { return e.do(e.b.Add(x, z)) }
	mul := func(x, z mlx.Op) mlx.Op { return e.do(e.b.Mul(x, z)) }
	is := func(x mlx.Op, n float64) mlx.Op { return e.do(e.b.Equal(x, e.scalar(n))) }
	or := func(x, z mlx.Op) mlx.Op { return e.do(e.b.LogicalOr(x, z)) }
	where := func(c, x, z mlx.Op) mlx.Op { return e.do(e.b.Where(c, x, z)) }

	quarters := mul(u, e.scalar(4))
	n := e.do(e.b.Floor(add(quarters, e.scalar(0.5)))) // the nearest quarter turn
	t := mul(e.do(e.b.Sub(quarters, n)), e.scalar(math.Pi/2))
	// Taylor series on |t| ≤ π/4, by Horner: the first term left out is 2e-9.
	square := mul(t, t)
	series := func(coefficients ...float64) mlx.Op {
		y := mul(square, e.scalar(coefficients[0]))
		for _, c := range coefficients[1 : len(coefficients)-1] {
			y = mul(add(y, e.scalar(c)), square)
		}
		return add(y, e.scalar(coefficients[len(coefficients)-1]))
	}
	sin := mul(t, series(1./362880, -1./5040, 1./120, -1./6, 1))
	cos := series(-1./3628800, 1./40320, -1./720, 1./24, -1./2, 1)
	// With m = n, less one for the sine, a quarter turn: cos t, −sin t, −cos t, sin t.
	m := where(sine, e.do(e.b.Sub(n, e.scalar(1))), n)
	y := where(or(is(m, 0), or(is(m, 2), is(m, 4))), cos, sin)
	return where(or(is(m, 1), is(m, 2)), e.do(e.b.Neg(y)), y)
}
