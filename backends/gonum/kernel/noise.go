package kernel

import (
	"math"

	"bayesbench/backends/rng"
)

// Uniform fills dst with elements start, start+1, … of the uniform noise that
// rng.Uniform(·, k, stream) defines, bit for bit. start is a multiple of 16, or
// dst has 16 elements or more.
func Uniform(dst []float32, k rng.Key, stream uint32, start uint64) {
	noise(active.uniform, dst, k, stream, start)
}

// Normal fills dst with elements start, start+1, … of the normal noise that
// rng.Normal(·, k, stream) defines, to within 4 ulp or 2⁻²⁴, and to the same bits
// wherever dst begins. start is a multiple of 16, or dst has 16 elements or more.
func Normal(dst []float32, k rng.Key, stream uint32, start uint64) {
	noise(active.normal, dst, k, stream, start)
}

// noise fills dst by a kernel that begins with a line: the 16 elements that the
// words of eight counters make. Where dst begins within a line, that line is made
// at its front and the part before the beginning is overwritten.
func noise(fill func(dst []float32, k0, k1, c0, c1 uint32), dst []float32, k rng.Key, stream uint32, start uint64) {
	const counters = LineFloats / 2
	skip, c0 := int(start%LineFloats), uint32(start/LineFloats*counters)
	if skip > 0 {
		if len(dst) < LineFloats {
			panic("kernel: less than a line of noise must start at a multiple of 16")
		}
		fill(dst[:LineFloats], k[0], k[1], c0, stream)
		dst = dst[copy(dst, dst[skip:LineFloats]):]
		c0 += counters
	}
	fill(dst, k[0], k[1], c0, stream)
}

func uniformGo(dst []float32, k0, k1, c0, c1 uint32) {
	pairsOfWords(dst, k0, k1, c0, c1, func(w0, w1 uint32) (float32, float32) {
		return float32(w0>>8) * 0x1p-24, float32(w1>>8) * 0x1p-24
	})
}

func normalGo(dst []float32, k0, k1, c0, c1 uint32) {
	pairsOfWords(dst, k0, k1, c0, c1, func(w0, w1 uint32) (float32, float32) {
		r := math.Sqrt(-2 * math.Log(float64(w0>>8+1)*0x1p-24))
		sin, cos := math.Sincos(2 * math.Pi * float64(w1>>8) * 0x1p-24)
		return float32(r * cos), float32(r * sin)
	})
}

// pairsOfWords puts what f makes of each counter's two words in their places.
func pairsOfWords(dst []float32, k0, k1, c0, c1 uint32, f func(w0, w1 uint32) (float32, float32)) {
	for b := 0; b < len(dst); b += 16 {
		d := dst[b:min(b+16, len(dst))]
		for lane := range min(8, len(d)) {
			w0, w1 := rng.Block(rng.Key{k0, k1}, c0+uint32(b/2+lane), c1)
			first, second := f(w0, w1)
			d[lane] = first
			if lane+8 < len(d) {
				d[lane+8] = second
			}
		}
	}
}
