package gomlx

import (
	"math"

	mlx "github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"

	"bayesbench/backends/ir"
)

// The noise of package rng, as integer ops on the device: sixteen elements of
// the result are the two words of eight neighbouring counters, so the words of
// all counters w0, w1 [blocks 8] make the result as [blocks 2 8].

// words computes the blocks of the stream that cover the result.
func (e *emitter) words(in *ir.Instr, key mlx.Op) (w0, w1 mlx.Op) {
	blocks := (in.Type.Size() + 15) / 16
	shape := shapes.Make(dtypes.Uint32, 8*blocks)
	add := func(x, z mlx.Op) mlx.Op { return e.do(e.b.Add(x, z)) }
	part := func(i int) mlx.Op { return e.reshape(e.slice(key, []int{i}, []int{i + 1}, nil)) }
	k0, k1 := part(0), part(1)
	k2 := e.do(e.b.BitwiseXor(e.do(e.b.BitwiseXor(k0, k1)), e.word(0x1BD11BDA)))
	k := [3]mlx.Op{k0, k1, k2}

	x0 := add(e.do(e.b.Iota(shape, 0)), k0)
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
	return e.reshape(x0, blocks, 1, 8), e.reshape(x1, blocks, 1, 8)
}

// rotate turns the bits of x left by n. The Go engine has no shifts; XLA makes
// shifts of these.
func (e *emitter) rotate(x mlx.Op, n int) mlx.Op {
	high := e.do(e.b.Mul(x, e.word(1<<n)))
	return e.do(e.b.BitwiseOr(high, e.shiftRight(x, 32-n)))
}

func (e *emitter) shiftRight(x mlx.Op, n int) mlx.Op { return e.do(e.b.Div(x, e.word(1<<n))) }

// unit is (w>>8)·2⁻²⁴ + shift.
func (e *emitter) unit(w mlx.Op, shift float64) mlx.Op {
	u := e.do(e.b.Mul(e.float(e.shiftRight(w, 8)), e.scalar(0x1p-24)))
	if shift == 0 {
		return u
	}
	return e.do(e.b.Add(u, e.scalar(shift)))
}

// interleave joins the first and second word's elements and cuts them to size.
func (e *emitter) interleave(in *ir.Instr, first, second mlx.Op) mlx.Op {
	n := in.Type.Size()
	y := e.concat(1, first, second)
	y = e.reshape(y, (n+15)/16*16)
	return e.reshape(e.slice(y, []int{0}, []int{n}, nil), in.Type.Shape...)
}

func uniform(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w0, w1 := e.words(in, x[0])
	return e.interleave(in, e.unit(w0, 0), e.unit(w1, 0))
}

// normal is Box-Muller on the two words.
func normal(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w0, w1 := e.words(in, x[0])
	log := e.do(e.b.Log(e.unit(w0, 0x1p-24)))
	r := e.do(e.b.Sqrt(e.do(e.b.Mul(log, e.scalar(-2)))))
	angle := e.do(e.b.Mul(e.unit(w1, 0), e.scalar(2*math.Pi)))
	return e.interleave(in, e.do(e.b.Mul(r, e.do(e.b.Cos(angle)))), e.do(e.b.Mul(r, e.do(e.b.Sin(angle)))))
}
