package corrupt

import (
	"math"

	"bayesbench/suites/data/draw"
)

var blurs = []kind{
	{"gaussian-blur", 5, gaussianBlur},
	{"defocus-blur", 5, defocusBlur},
	{"glass-blur", 5, glassBlur},
	{"motion-blur", 5, motionBlur},
	{"zoom-blur", 5, zoomBlur},
}

func gaussianBlur(f field, level int, scale ladder, _ *draw.Stream) field {
	sigma := [...][5]float64{
		{1, 2, 3, 4, 6},
		{.4, .6, .7, .8, 1},
		{.5, .75, 1, 1.25, 1.5},
		{1, 2, 3, 4, 6},
	}[scale][level-1]
	return f.gaussian(sigma, 4, nearestEdge)
}

// defocusBlur convolves with a disk of the given radius, itself blurred a little.
func defocusBlur(f field, level int, scale ladder, _ *draw.Stream) field {
	type disk struct{ radius, alias float64 }
	d := [...][5]disk{
		{{3, .1}, {4, .5}, {6, .5}, {8, .5}, {10, .5}},
		{{.3, .4}, {.4, .5}, {.5, .6}, {1, .2}, {1.5, .1}},
		{{.5, .6}, {1, .1}, {1.5, .1}, {2.5, .01}, {3, .1}},
		{{3, .1}, {4, .5}, {6, .5}, {8, .5}, {10, .5}},
	}[scale][level-1]
	kernel := diskKernel(d.radius, d.alias)
	type tap struct {
		dy, dx int
		weight float64
	}
	var taps []tap // most of the kernel is zero
	for i, k := range kernel.v {
		if k != 0 {
			taps = append(taps, tap{i/kernel.w - kernel.h/2, i%kernel.w - kernel.w/2, k})
		}
	}
	out := f.like()
	for c := range f.c {
		in, to := f.plane(c), out.plane(c)
		for y := range f.h {
			for x := range f.w {
				sum := 0.0
				for _, t := range taps {
					sum += t.weight * in[mirrorEdge(y+t.dy, f.h)*f.w+mirrorEdge(x+t.dx, f.w)]
				}
				to[y*f.w+x] = sum
			}
		}
	}
	return out
}

// diskKernel is the mean over the lattice points within radius, blurred with a small Gaussian.
func diskKernel(radius, alias float64) field {
	reach, small := 8, 1
	if radius > 8 {
		reach, small = int(radius), 2
	}
	side := 2*reach + 1
	k := newField(1, side, side)
	n := 0.0
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			if float64(x*x+y*y) <= radius*radius {
				k.v[(y+reach)*side+x+reach] = 1
				n++
			}
		}
	}
	for i := range k.v {
		k.v[i] /= n
	}
	weights := make([]float64, 2*small+1)
	sum := 0.0
	for i := range weights {
		x := float64(i-small) / alias
		weights[i] = math.Exp(-0.5 * x * x)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return k.separable(weights, mirrorEdge)
}

// glassBlur swaps pixels with near neighbours, between two Gaussian blurs. (The original program
// means to swap, but where images have colour it copies the neighbour.)
func glassBlur(f field, level int, scale ladder, s *draw.Stream) field {
	type glass struct {
		sigma       float64
		reach, pass int
	}
	g := [...][5]glass{
		{{.7, 1, 2}, {.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
		{{.05, 1, 1}, {.25, 1, 1}, {.4, 1, 1}, {.25, 1, 2}, {.4, 1, 2}},
		{{.1, 1, 1}, {.5, 1, 1}, {.6, 1, 2}, {.7, 2, 1}, {.9, 2, 2}},
		{{.7, 1, 2}, {.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
	}[scale][level-1]
	f = f.gaussian(g.sigma, 4, nearestEdge)
	for range g.pass {
		for y := f.h - g.reach; y > g.reach; y-- {
			for x := f.w - g.reach; x > g.reach; x-- {
				there := (y+s.Below(2*g.reach)-g.reach)*f.w + x + s.Below(2*g.reach) - g.reach
				for c := range f.c {
					p := f.plane(c)
					p[y*f.w+x], p[there] = p[there], p[y*f.w+x]
				}
			}
		}
	}
	return f.gaussian(g.sigma, 4, nearestEdge)
}

// motionBlur smears along a line at an angle of -45 to 45 degrees.
func motionBlur(f field, level int, scale ladder, s *draw.Stream) field {
	type motion struct {
		radius int
		sigma  float64
	}
	m := [...][5]motion{
		{{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
		{{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
		{{10, 1}, {10, 1.5}, {10, 2}, {10, 2.5}, {12, 3}},
		{{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
	}[scale][level-1]
	return f.smeared(m.radius, m.sigma, s.Between(-45, 45))
}

// smeared is ImageMagick's motion blur: a half Gaussian of 2·radius+1 whole-pixel steps along the
// angle.
func (f field) smeared(radius int, sigma, degrees float64) field {
	width := 2*radius + 1
	weights := make([]float64, width)
	sum := 0.0
	for i := range weights {
		x := float64(i) / sigma
		weights[i] = math.Exp(-0.5 * x * x)
		sum += weights[i]
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	out := f.like()
	for i, w := range weights {
		dx := int(math.Ceil(float64(i)*cos - 0.5))
		dy := int(math.Ceil(float64(i)*sin - 0.5))
		for c := range f.c {
			in, to := f.plane(c), out.plane(c)
			for y := range f.h {
				row := in[nearestEdge(y+dy, f.h)*f.w:][:f.w]
				for x := range f.w {
					to[y*f.w+x] += w / sum * row[nearestEdge(x+dx, f.w)]
				}
			}
		}
	}
	return out
}

// zoomBlur is the mean of the image and of enlargements of its centre, from 1 up in equal steps.
func zoomBlur(f field, level int, scale ladder, _ *draw.Stream) field {
	type zoom struct {
		n    int // enlargements
		step float64
	}
	z := [...][5]zoom{
		{{12, .01}, {16, .01}, {11, .02}, {13, .02}, {11, .03}},
		{{7, .01}, {12, .01}, {16, .01}, {21, .01}, {26, .01}},
		{{7, .01}, {12, .01}, {16, .01}, {21, .01}, {26, .01}},
		{{12, .01}, {16, .01}, {11, .02}, {13, .02}, {11, .03}},
	}[scale][level-1]
	out := f.like()
	copy(out.v, f.v)
	for i := range z.n {
		for k, v := range f.zoomed(1 + float64(i)*z.step).v {
			out.v[k] += v
		}
	}
	for k := range out.v {
		out.v[k] /= float64(z.n + 1)
	}
	return out
}
