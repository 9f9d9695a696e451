package corrupt

import (
	"math"

	"bayesbench/suites/data/pixel"
)

// field is an image in floats from 0 to 1, plane by plane.
type field struct {
	c, h, w int
	v       []float64
}

func newField(c, h, w int) field { return field{c, h, w, make([]float64, c*h*w)} }

func (f field) plane(c int) []float64 { return f.v[c*f.h*f.w:][: f.h*f.w : f.h*f.w] }

func (f field) like() field { return newField(f.c, f.h, f.w) }

// bytes rounds f to dst, cutting off what lies outside 0 to 1.
func (f field) bytes(dst *pixel.Image) {
	dst.Reshape(f.c, f.h, f.w)
	for i, v := range f.v {
		dst.Pix[i] = uint8(min(max(v, 0), 1)*255 + 0.5)
	}
}

// edge says which pixel stands for number i of a line of n, where i may lie outside.
type edge func(i, n int) int

func nearestEdge(i, n int) int { return min(max(i, 0), n-1) }

// reflectEdge repeats the last pixel: c b a | a b c | c b a.
func reflectEdge(i, n int) int {
	if uint(i) < uint(n) {
		return i // a division saved for almost all pixels
	}
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	if i >= n {
		return 2*n - 1 - i
	}
	return i
}

// mirrorEdge does not: c b | a b c | b a.
func mirrorEdge(i, n int) int {
	if uint(i) < uint(n) {
		return i
	}
	if n == 1 {
		return 0
	}
	i = ((i % (2*n - 2)) + 2*n - 2) % (2*n - 2)
	if i >= n {
		return 2*n - 2 - i
	}
	return i
}

// gaussian is f blurred with deviation sigma, the kernel cut off at truncate deviations. Sigma 0
// changes nothing.
func (f field) gaussian(sigma, truncate float64, at edge) field {
	radius := int(truncate*sigma + 0.5)
	if radius == 0 {
		return f
	}
	weights := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range weights {
		x := float64(i-radius) / sigma
		weights[i] = math.Exp(-0.5 * x * x)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return f.separable(weights, at)
}

// separable filters rows and columns with the same odd kernel.
func (f field) separable(weights []float64, at edge) field {
	radius := len(weights) / 2
	rows, out := f.like(), f.like()
	for c := range f.c {
		in, mid, to := f.plane(c), rows.plane(c), out.plane(c)
		for y := range f.h {
			for x := range f.w {
				sum := 0.0
				for k, w := range weights {
					sum += w * in[y*f.w+at(x+k-radius, f.w)]
				}
				mid[y*f.w+x] = sum
			}
		}
		for y := range f.h {
			for x := range f.w {
				sum := 0.0
				for k, w := range weights {
					sum += w * mid[at(y+k-radius, f.h)*f.w+x]
				}
				to[y*f.w+x] = sum
			}
		}
	}
	return out
}

// sample is plane c at row y, column x, counted in pixels from the first one's centre, linear in
// between.
func (f field) sample(c int, y, x float64, at edge) float64 {
	fy, fx := math.Floor(y), math.Floor(x)
	dy, dx := y-fy, x-fx
	y0, y1 := at(int(fy), f.h), at(int(fy)+1, f.h)
	x0, x1 := at(int(fx), f.w), at(int(fx)+1, f.w)
	p := f.plane(c)
	top := p[y0*f.w+x0] + dx*(p[y0*f.w+x1]-p[y0*f.w+x0])
	low := p[y1*f.w+x0] + dx*(p[y1*f.w+x1]-p[y1*f.w+x0])
	return top + dy*(low-top)
}

// zoomed enlarges the centre of f by factor, at f's size.
func (f field) zoomed(factor float64) field {
	out := f.like()
	kept := int(math.Ceil(float64(f.h) / factor))
	top := (f.h - kept) / 2
	large := int(math.RoundToEven(float64(kept) * factor))
	trim := (large - f.h) / 2
	step := 0.0
	if large > 1 {
		step = float64(kept-1) / float64(large-1) // first and last pixels stay where they are
	}
	for c := range f.c {
		to := out.plane(c)
		for y := range f.h {
			for x := range f.w {
				to[y*f.w+x] = f.sample(c, float64(top)+step*float64(y+trim), float64(top)+step*float64(x+trim), nearestEdge)
			}
		}
	}
	return out
}
