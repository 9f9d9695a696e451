package corrupt

import (
	"math"

	"bayesbench/suites/data/draw"
)

var weathers = []kind{
	{"snow", 5, snow},
	{"fog", 5, fog},
	{"brightness", 5, brightness},
}

// fog adds a fractal cloud and scales back to the image's own maximum.
func fog(f field, level int, scale ladder, s *draw.Stream) field {
	type cloud struct{ thick, decay float64 }
	c := [...][5]cloud{
		{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}},
		{{.2, 3}, {.5, 3}, {.75, 2.5}, {1, 2}, {1.5, 1.75}},
		{{.4, 3}, {.7, 3}, {1, 2.5}, {1.5, 2}, {2, 1.75}},
		{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}},
	}[scale][level-1]
	side := 256
	if scale == cifarC || scale == tinyC {
		side = 32
	}
	for side < max(f.h, f.w) {
		side *= 2
	}
	m := plasma(side, c.decay, s)
	brightest := 0.0
	for _, v := range f.v {
		brightest = max(brightest, v)
	}
	for i := range f.c {
		p := f.plane(i)
		for y := range f.h {
			for x := range f.w {
				p[y*f.w+x] = (p[y*f.w+x] + c.thick*m[y*side+x]) * brightest / (brightest + c.thick)
			}
		}
	}
	return f
}

// plasma is a height map from 0 to 1 by the diamond-square algorithm on a torus; side is a power of
// two. Each halving of the step divides the random part by decay.
func plasma(side int, decay float64, s *draw.Stream) []float64 {
	m := make([]float64, side*side)
	at := func(y, x int) *float64 { return &m[(y&(side-1))*side+x&(side-1)] }
	wobble := 100.0
	mean := func(a, b, c, d float64) float64 { return (a+b+c+d)/4 + wobble*s.Between(-wobble, wobble) }
	for step := side; step >= 2; step /= 2 {
		half := step / 2
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				*at(y+half, x+half) = mean(*at(y, x), *at(y+step, x), *at(y, x+step), *at(y+step, x+step))
			}
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				*at(y, x+half) = mean(*at(y-half, x+half), *at(y+half, x+half), *at(y, x), *at(y, x+step))
				*at(y+half, x) = mean(*at(y+half, x-half), *at(y+half, x+half), *at(y, x), *at(y+step, x))
			}
		}
		wobble /= decay
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range m {
		lo, hi = min(lo, v), max(hi, v)
	}
	for i := range m {
		m[i] = (m[i] - lo) / (hi - lo)
	}
	return m
}

// snow whitens the image and adds smeared flakes, once upright and once upside down.
func snow(f field, level int, scale ladder, s *draw.Stream) field {
	type flakes struct {
		mean, deviation, zoom, threshold float64
		radius                           int
		sigma, keep                      float64
	}
	c := [...][5]flakes{
		{{.1, .3, 3, .5, 10, 4, .8}, {.2, .3, 2, .5, 12, 4, .7}, {.55, .3, 4, .9, 12, 8, .7}, {.55, .3, 4.5, .85, 12, 8, .65}, {.55, .3, 2.5, .85, 12, 12, .55}},
		{{.1, .2, 1, .6, 8, 3, .95}, {.1, .2, 1, .5, 10, 4, .9}, {.15, .3, 1.75, .55, 10, 4, .9}, {.25, .3, 2.25, .6, 12, 6, .85}, {.3, .3, 1.25, .65, 14, 12, .8}},
		{{.1, .2, 1, .6, 8, 3, .8}, {.1, .2, 1, .5, 10, 4, .8}, {.15, .3, 1.75, .55, 10, 4, .7}, {.25, .3, 2.25, .6, 12, 6, .65}, {.3, .3, 1.25, .65, 14, 12, .6}},
		{{.1, .3, 3, .5, 10, 4, .8}, {.2, .3, 2, .5, 12, 4, .7}, {.55, .3, 4, .9, 12, 8, .7}, {.55, .3, 4.5, .85, 12, 8, .65}, {.55, .3, 2.5, .85, 12, 12, .55}},
	}[scale][level-1]
	layer := newField(1, f.h, f.w)
	for i := range layer.v {
		layer.v[i] = c.mean + c.deviation*s.Normal()
	}
	layer = layer.zoomed(c.zoom)
	for i, v := range layer.v {
		layer.v[i] = min(max(v, 0), 1)
		if v < c.threshold {
			layer.v[i] = 0
		}
	}
	layer = layer.smeared(c.radius, c.sigma, s.Between(-135, -45))
	n := f.h * f.w
	for i := range n {
		gray := f.v[i]
		if f.c == 3 {
			gray = 0.299*f.v[i] + 0.587*f.v[n+i] + 0.114*f.v[2*n+i]
		}
		fallen := layer.v[i] + layer.v[n-1-i] // the latter is the layer turned by 180 degrees
		for k := range f.c {
			x := f.v[k*n+i]
			f.v[k*n+i] = c.keep*x + (1-c.keep)*max(x, gray*1.5+0.5) + fallen
		}
	}
	return f
}

// brightness adds to the value of hue, saturation, value: it scales a pixel so that its largest
// channel grows by c.
func brightness(f field, level int, scale ladder, _ *draw.Stream) field {
	c := [...][5]float64{
		{.1, .2, .3, .4, .5},
		{.05, .1, .15, .2, .3},
		{.1, .2, .3, .4, .5},
		{.1, .2, .3, .4, .5},
	}[scale][level-1]
	n := f.h * f.w
	for i := range n {
		value := 0.0
		for k := range f.c {
			value = max(value, f.v[k*n+i])
		}
		brighter := min(value+c, 1)
		for k := range f.c {
			if value == 0 {
				f.v[k*n+i] = brighter
			} else {
				f.v[k*n+i] *= brighter / value
			}
		}
	}
	return f
}
