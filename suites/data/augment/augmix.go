package augment

import (
	"fmt"
	"math"
	"sync"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// AugMix mixes three randomly composed chains of simple operations with the image itself (Hendrycks
// et al. 2020, "AugMix: A simple data processing method to improve robustness and uncertainty",
// algorithm AugmentAndMix):
//
//	x' = (1-m)·x + m·Σ w_i chain_i(x),   w ~ Dirichlet(1,1,1),  m ~ Beta(1,1)
//
// A chain has one to three operations, none of which is a corruption of ImageNet-C. Severity, 1 to
// 10, bounds their strength; the paper uses 3 (CIFAR) and 1 (ImageNet). The consistency loss of the
// paper is not part of it. The mixture is rounded to bytes before normalisation, where the paper
// mixes normalised floats.
type AugMix struct{ Severity int }

func (t AugMix) String() string { return fmt.Sprintf("augmix-%d", t.Severity) }

func (t AugMix) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	const width, maxDepth = 3, 3
	var weight [width]float64
	sum := 0.0
	for i := range weight {
		weight[i] = -math.Log((float64(s.Uint32()) + 1) * 0x1p-32) // Dirichlet(1,…,1) is exponentials over their sum
		sum += weight[i]
	}
	m := s.Float64()
	a := scratch.Get().(*pixel.Image)
	defer scratch.Put(a)
	b := scratch.Get().(*pixel.Image)
	defer scratch.Put(b)
	sums := mixtures.Get().(*[]float32)
	defer mixtures.Put(sums)
	if cap(*sums) < len(src.Pix) {
		*sums = make([]float32, len(src.Pix))
	}
	mixed := (*sums)[:len(src.Pix)]
	clear(mixed)
	for i := range width {
		a.CopyFrom(src)
		for range 1 + s.Below(maxDepth) {
			operations[s.Below(len(operations))](b, *a, s, t.Severity)
			*a, *b = *b, *a
		}
		w := float32(m * weight[i] / sum)
		for k, v := range a.Pix {
			mixed[k] += w * float32(v)
		}
	}
	dst.Reshape(src.C, src.H, src.W)
	for k, v := range src.Pix {
		dst.Pix[k] = uint8(min(float32(1-m)*float32(v)+mixed[k]+0.5, 255))
	}
}

var mixtures = sync.Pool{New: func() any { return new([]float32) }}

// operation writes the changed src to dst; its strength is drawn up to the severity.
type operation func(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int)

var operations = []operation{autocontrast, equalize, posterize, rotate, solarize, shearX, shearY, translateX, translateY}

// strength is uniform in [0.1, severity) tenths of most.
func strength(s *draw.Stream, severity int, most float64) float64 {
	return s.Between(0.1, float64(severity)) * most / 10
}

func signed(s *draw.Stream, v float64) float64 {
	if s.Below(2) == 1 {
		return -v
	}
	return v
}

// perPlane maps each plane's values by a table made from their histogram.
func perPlane(dst *pixel.Image, src pixel.Image, table func(histogram *[256]int, n int) [256]uint8) {
	dst.Reshape(src.C, src.H, src.W)
	for c := range src.C {
		var h [256]int
		for _, v := range src.Plane(c) {
			h[v]++
		}
		lut := table(&h, src.H*src.W)
		out := dst.Plane(c)
		for i, v := range src.Plane(c) {
			out[i] = lut[v]
		}
	}
}

// autocontrast stretches each plane to 0 … 255.
func autocontrast(dst *pixel.Image, src pixel.Image, _ *draw.Stream, _ int) {
	perPlane(dst, src, func(h *[256]int, _ int) (lut [256]uint8) {
		lo, hi := 0, 255
		for lo < 255 && h[lo] == 0 {
			lo++
		}
		for hi > 0 && h[hi] == 0 {
			hi--
		}
		for v := range lut {
			lut[v] = uint8(v)
			if hi > lo {
				scale := 255.0 / float64(hi-lo)
				lut[v] = uint8(min(max(float64(v)*scale-float64(lo)*scale, 0), 255))
			}
		}
		return lut
	})
}

// equalize makes each plane's histogram as flat as a table can, by Pillow's rule.
func equalize(dst *pixel.Image, src pixel.Image, _ *draw.Stream, _ int) {
	perPlane(dst, src, func(h *[256]int, n int) (lut [256]uint8) {
		used, last := 0, 0
		for v, k := range h {
			lut[v] = uint8(v)
			if k > 0 {
				used++
				last = k // the count of the brightest value
			}
		}
		step := (n - last) / 255
		if used <= 1 || step == 0 {
			return lut
		}
		sum := step / 2
		for v, k := range h {
			lut[v] = uint8(min(sum/step, 255))
			sum += k
		}
		return lut
	})
}

// posterize keeps the 4 to 0 highest bits.
func posterize(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	bits := 4 - int(strength(s, severity, 4))
	mask := ^uint8(0xff >> bits)
	dst.Reshape(src.C, src.H, src.W)
	for i, v := range src.Pix {
		dst.Pix[i] = v & mask
	}
}

// solarize inverts what is at or above a threshold.
func solarize(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	threshold := 256 - int(strength(s, severity, 256))
	dst.Reshape(src.C, src.H, src.W)
	for i, v := range src.Pix {
		if int(v) >= threshold {
			v = 255 - v
		}
		dst.Pix[i] = v
	}
}

// rotate turns by up to 30 degrees.
func rotate(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	degrees := math.Trunc(strength(s, severity, 30))
	dst.Affine(src, pixel.Rotation(src, signed(s, degrees)))
}

// The shears are by up to 0.3, about the top left corner; the translations by up to a third of the
// image.

func shearX(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	dst.Affine(src, [6]float64{1, signed(s, strength(s, severity, 0.3)), 0, 0, 1, 0})
}

func shearY(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	dst.Affine(src, [6]float64{1, 0, 0, signed(s, strength(s, severity, 0.3)), 1, 0})
}

func translateX(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	dst.Affine(src, [6]float64{1, 0, signed(s, math.Trunc(strength(s, severity, float64(src.W)/3))), 0, 1, 0})
}

func translateY(dst *pixel.Image, src pixel.Image, s *draw.Stream, severity int) {
	dst.Affine(src, [6]float64{1, 0, 0, 0, 1, signed(s, math.Trunc(strength(s, severity, float64(src.H)/3)))})
}
