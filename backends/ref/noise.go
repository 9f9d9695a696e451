package ref

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

// words gives element i its two words of the stream (see package rng) and says
// which of the two is the element's own.
func words(in *ir.Instr, key Value, i int) (w [2]uint32, own int) {
	at := ir.NoiseStart(in.Type, key.U) + uint64(i)
	w[0], w[1] = rng.Block(rng.Key(key.U[:2]), uint32(at/16*8+at%8), in.Stream)
	return w, int(at / 8 % 2)
}

func uniform(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	for i := range y.F {
		w, own := words(in, x[0], i)
		y.F[i] = float64(w[own]>>8) * 0x1p-24
	}
	return y
}

// normal is Box-Muller on the two words.
func normal(in *ir.Instr, x []Value) Value {
	y := Zeros(in.Type)
	for i := range y.F {
		w, own := words(in, x[0], i)
		u1, u2 := float64(w[0]>>8+1)*0x1p-24, float64(w[1]>>8)*0x1p-24
		r := math.Sqrt(-2 * math.Log(u1))
		sin, cos := math.Sincos(2 * math.Pi * u2)
		y.F[i] = r * [2]float64{cos, sin}[own]
	}
	return y
}
