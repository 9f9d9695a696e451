package corrupt

import "bayesbench/suites/data/draw"

// Constants are indexed by ladder and severity-1: MNIST-C, CIFAR-10-C, Tiny-ImageNet-C, ImageNet-C.

var noises = []kind{
	{"gaussian-noise", 5, gaussianNoise},
	{"shot-noise", 5, shotNoise},
	{"impulse-noise", 5, impulseNoise},
	{"speckle-noise", 5, speckleNoise},
}

// gaussianNoise adds N(0, σ²).
func gaussianNoise(f field, level int, scale ladder, s *draw.Stream) field {
	sigma := [...][5]float64{
		{.08, .12, .18, .26, .38},
		{.04, .06, .08, .09, .10},
		{.04, .08, .12, .15, .18},
		{.08, .12, .18, .26, .38},
	}[scale][level-1]
	for i := range f.v {
		f.v[i] += sigma * s.Normal()
	}
	return f
}

// shotNoise counts photons: Poisson(c·x)/c.
func shotNoise(f field, level int, scale ladder, s *draw.Stream) field {
	c := [...][5]float64{
		{60, 25, 12, 5, 3},
		{500, 250, 100, 75, 50},
		{250, 100, 50, 30, 15},
		{60, 25, 12, 5, 3},
	}[scale][level-1]
	for i, x := range f.v {
		f.v[i] = float64(s.Poisson(c*x)) / c
	}
	return f
}

// impulseNoise makes a share of the values 0 or 1, either with probability 1/2.
func impulseNoise(f field, level int, scale ladder, s *draw.Stream) field {
	share := [...][5]float64{
		{.03, .06, .09, .17, .27},
		{.01, .02, .03, .05, .07},
		{.01, .02, .05, .08, .14},
		{.03, .06, .09, .17, .27},
	}[scale][level-1]
	for i := range f.v {
		if s.Float64() < share {
			f.v[i] = float64(s.Below(2))
		}
	}
	return f
}

// speckleNoise multiplies by 1 + N(0, σ²).
func speckleNoise(f field, level int, scale ladder, s *draw.Stream) field {
	sigma := [...][5]float64{
		{.15, .2, .35, .45, .6},
		{.06, .1, .12, .16, .2},
		{.15, .2, .25, .3, .35},
		{.15, .2, .35, .45, .6},
	}[scale][level-1]
	for i := range f.v {
		f.v[i] += f.v[i] * sigma * s.Normal()
	}
	return f
}
