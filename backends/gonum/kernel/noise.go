package kernel

import (
	"math"

	"bayesbench/backends/rng"
)

// Uniform fills dst with elements start, start+1, … of the uniform noise that
// rng.Uniform(·, k, stream) defines, bit for bit. start is a multiple of 16.
func Uniform(dst []float32, k rng.Key, stream uint32, start int) {
	mustAlign(start)
	noise(active.uniform, dst, k, stream, start)
}

// Normal fills dst with elements start, start+1, … of the normal noise that
// rng.Normal(·, k, stream) defines, to within 4 ulp or 2⁻²⁴. start is a multiple
// of 16.
func Normal(dst []float32, k rng.Key, stream uint32, start int) {
	mustAlign(start)
	noise(active.normal, dst, k, stream, start)
}

func mustAlign(start int) {
	if start%16 != 0 {
		panic("kernel: noise must start at a multiple of 16")
	}
}

// noise runs f on the whole groups of 16 in dst and cuts the last from one
// that is whole.
func noise(f func(dst []float32, k0, k1, c0, c1 uint32), dst []float32, k rng.Key, stream uint32, start int) {
	whole := len(dst) &^ 15
	if whole > 0 {
		f(dst[:whole], k[0], k[1], uint32(start/2), stream)
	}
	if whole < len(dst) {
		var last [16]float32
		f(last[:], k[0], k[1], uint32((start+whole)/2), stream)
		copy(dst[whole:], last[:])
	}
}

func uniformGo(dst []float32, k0, k1, c0, c1 uint32) {
	for b := 0; b < len(dst); b += 16 {
		d := (*[16]float32)(dst[b:])
		for lane := range uint32(8) {
			w0, w1 := rng.Block(rng.Key{k0, k1}, c0+uint32(b/2)+lane, c1)
			d[lane], d[lane+8] = float32(w0>>8)*0x1p-24, float32(w1>>8)*0x1p-24
		}
	}
}

func normalGo(dst []float32, k0, k1, c0, c1 uint32) {
	for b := 0; b < len(dst); b += 16 {
		d := (*[16]float32)(dst[b:])
		for lane := range uint32(8) {
			w0, w1 := rng.Block(rng.Key{k0, k1}, c0+uint32(b/2)+lane, c1)
			r := math.Sqrt(-2 * math.Log(float64(w0>>8+1)*0x1p-24))
			sin, cos := math.Sincos(2 * math.Pi * float64(w1>>8) * 0x1p-24)
			d[lane], d[lane+8] = float32(r*cos), float32(r*sin)
		}
	}
}
