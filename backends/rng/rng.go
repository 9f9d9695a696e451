package rng

import "math"

// Key names one family of random streams. By convention it is (seed, step):
// the user's seed and the number of the training or prediction step.
type Key [2]uint32

// foldStream is the stream number that Fold keeps for itself, so that a folded
// key never repeats the words of a noise site.
const foldStream = math.MaxUint32

// Block returns Threefry2x32-20 of the counter (c0, c1) under key k.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011, section 4.
func Block(k Key, c0, c1 uint32) (uint32, uint32) {
	k0, k1 := k[0], k[1]
	k2 := k0 ^ k1 ^ 0x1BD11BDA
	x0, x1 := c0+k0, c1+k1

	x0, x1 = fourRounds(x0, x1, 13, 15, 26, 6)
	x0, x1 = x0+k1, x1+k2+1
	x0, x1 = fourRounds(x0, x1, 17, 29, 16, 24)
	x0, x1 = x0+k2, x1+k0+2
	x0, x1 = fourRounds(x0, x1, 13, 15, 26, 6)
	x0, x1 = x0+k0, x1+k1+3
	x0, x1 = fourRounds(x0, x1, 17, 29, 16, 24)
	x0, x1 = x0+k1, x1+k2+4
	x0, x1 = fourRounds(x0, x1, 13, 15, 26, 6)
	return x0 + k2, x1 + k0 + 5
}

// fourRounds mixes x0 and x1 with the four rotations given.
func fourRounds(x0, x1 uint32, a, b, c, d uint) (uint32, uint32) {
	x0 += x1
	x1 = (x1<<a | x1>>(32-a)) ^ x0
	x0 += x1
	x1 = (x1<<b | x1>>(32-b)) ^ x0
	x0 += x1
	x1 = (x1<<c | x1>>(32-c)) ^ x0
	x0 += x1
	x1 = (x1<<d | x1>>(32-d)) ^ x0
	return x0, x1
}

// Fold derives a new key from k and x: the block of counter (x, 2³²−1). Use it
// where one (seed, step) is not enough to tell two uses apart, for example
// member x of an ensemble or epoch x of the data order. Stream 2³²−1 is
// reserved for it and must not be given to the functions below.
func (k Key) Fold(x uint32) Key {
	w0, w1 := Block(k, x, foldStream)
	return Key{w0, w1}
}

// Bits fills dst with the words of the stream: element i is word (i/8)%2 of
// the block of counter (8·(i/16) + i%8, stream). Any group of 16 elements is
// thus made of eight neighbouring counters and of no other group's.
func Bits(dst []uint32, k Key, stream uint32) {
	for i := range dst {
		w0, w1 := Block(k, counter(uint64(i)), stream)
		if i&8 == 0 {
			dst[i] = w0
		} else {
			dst[i] = w1
		}
	}
}

// Uniform fills dst with uniform[i] = (bits[i] >> 8)·2⁻²⁴, in [0, 1).
func Uniform(dst []float32, k Key, stream uint32) { UniformFrom(dst, k, stream, 0) }

// UniformFrom is Uniform from element start of the stream on. Counters are taken
// modulo 2³², so a stream repeats after 2³³ elements.
func UniformFrom(dst []float32, k Key, stream uint32, start uint64) {
	for n := range dst {
		i := start + uint64(n)
		w0, w1 := Block(k, counter(i), stream)
		if i&8 == 0 {
			dst[n] = unit(w0)
		} else {
			dst[n] = unit(w1)
		}
	}
}

// Normal fills dst with standard normals by Box-Muller on the block's pair:
//
//	u1 = ((w0>>8)+1)·2⁻²⁴,  u2 = (w1>>8)·2⁻²⁴,  r = √(−2 ln u1)
//	word 0 → r·cos(2π·u2),  word 1 → r·sin(2π·u2)
//
// in float64, rounded once to float32. This is the definition; vector kernels
// agree with it to a few ulp.
func Normal(dst []float32, k Key, stream uint32) { NormalFrom(dst, k, stream, 0) }

// NormalFrom is Normal from element start of the stream on; see UniformFrom.
func NormalFrom(dst []float32, k Key, stream uint32, start uint64) {
	for n := range dst {
		i := start + uint64(n)
		w0, w1 := Block(k, counter(i), stream)
		r := math.Sqrt(-2 * math.Log(float64(w0>>8+1)*0x1p-24))
		sin, cos := math.Sincos(2 * math.Pi * float64(w1>>8) * 0x1p-24)
		if i&8 == 0 {
			dst[n] = float32(r * cos)
		} else {
			dst[n] = float32(r * sin)
		}
	}
}

// Perm returns a uniformly distributed permutation of 0..n-1 (Fisher-Yates,
// with the rejection step that makes every draw unbiased). It reads the
// stream's words in the order of Bits.
func Perm(n int, k Key, stream uint32) []int32 {
	if n < 0 || n > math.MaxInt32 {
		panic("rng: Perm of a length outside 0..2^31-1")
	}
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(i)
	}
	var words [256]uint32
	used, start := len(words), 0
	next := func() uint32 {
		if used == len(words) {
			for i := range words {
				w0, w1 := Block(k, counter(uint64(start+i)), stream)
				words[i] = w0
				if i&8 != 0 {
					words[i] = w1
				}
			}
			used, start = 0, start+len(words)
		}
		used++
		return words[used-1]
	}
	for i := n - 1; i > 0; i-- {
		j := below(uint32(i+1), next)
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// below returns an unbiased draw from 0..n-1 (Lemire, "Fast random integer
// generation in an interval", TOMACS 2019).
func below(n uint32, next func() uint32) uint32 {
	m := uint64(next()) * uint64(n)
	if uint32(m) < n {
		for reject := -n % n; uint32(m) < reject; {
			m = uint64(next()) * uint64(n)
		}
	}
	return uint32(m >> 32)
}

// counter is c0 of element i.
func counter(i uint64) uint32 { return uint32(i/16*8 + i%8) }

func unit(w uint32) float32 { return float32(w>>8) * 0x1p-24 }
