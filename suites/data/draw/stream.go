package draw

import (
	"math"
	"math/bits"

	"bayesbench/backends/rng"
)

// Stream is the sequence of words of rng.Block(key, 0, stream), rng.Block(key, 1, stream), …
// The zero value is the stream 0 of the zero key. A Stream is not for several goroutines.
type Stream struct {
	key       rng.Key
	stream, c uint32
	second    uint32
	half      bool // second is still unread
}

// New returns the start of a stream.
func New(key rng.Key, stream uint32) Stream { return Stream{key: key, stream: stream} }

// Uint32 returns the next word.
func (s *Stream) Uint32() uint32 {
	if s.half {
		s.half = false
		return s.second
	}
	var w uint32
	w, s.second = rng.Block(s.key, s.c, s.stream)
	s.c++
	s.half = true
	return w
}

// Float64 is uniform in [0, 1), a multiple of 2^-32.
func (s *Stream) Float64() float64 { return float64(s.Uint32()) * 0x1p-32 }

// Between is uniform in [lo, hi).
func (s *Stream) Between(lo, hi float64) float64 { return lo + (hi-lo)*s.Float64() }

// Below is uniform in 0 … n-1, without bias (Lemire 2019). n must be positive.
func (s *Stream) Below(n int) int {
	m := uint32(n)
	hi, lo := bits.Mul32(s.Uint32(), m)
	for threshold := -m % m; lo < threshold; {
		hi, lo = bits.Mul32(s.Uint32(), m)
	}
	return int(hi)
}

// Normal is standard normal, by Box-Muller on the next two words.
func (s *Stream) Normal() float64 {
	u := (float64(s.Uint32()) + 1) * 0x1p-32
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*s.Float64())
}

// Gamma is gamma-distributed with the given shape and scale 1 (Marsaglia and Tsang 2000).
func (s *Stream) Gamma(shape float64) float64 {
	if shape < 1 {
		// G(a) = G(a+1) U^(1/a)
		g := s.Gamma(shape + 1)
		return g * math.Pow((float64(s.Uint32())+1)*0x1p-32, 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.Normal()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		u := (float64(s.Uint32()) + 1) * 0x1p-32
		if math.Log(u) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}

// Beta is beta-distributed with both parameters a. For tiny a, where both gammas underflow, it is a
// fair coin, the limit.
func (s *Stream) Beta(a float64) float64 {
	x, y := s.Gamma(a), s.Gamma(a)
	if x+y == 0 {
		return float64(s.Uint32() >> 31)
	}
	return x / (x + y)
}

// Poisson is Poisson-distributed with the given mean: by inversion up to 30, by sums of such above.
func (s *Stream) Poisson(mean float64) int {
	n := 0
	for ; mean > 30; mean -= 30 {
		n += s.poisson(30)
	}
	return n + s.poisson(mean)
}

func (s *Stream) poisson(mean float64) int {
	u := s.Float64()
	p := math.Exp(-mean)
	k := 0
	for cdf := p; u >= cdf && k < 1000; cdf += p {
		k++
		p *= mean / float64(k)
	}
	return k
}
