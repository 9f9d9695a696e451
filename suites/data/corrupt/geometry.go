package corrupt

import (
	"math"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// What comes from outside the image is black, as MNIST's rim is.
var geometries = []kind{
	{"rotate", 359, rotate},
	{"translate", 5, translate},
	{"scale", 5, shrink},
	{"shear", 5, shear},
}

// rotate turns by level degrees counter-clockwise, the same for every image: the shift of Ovadia et
// al. (2019), "Can you trust your model's uncertainty?". (MNIST-C has 0.2 to 1 radian, either way.)
func rotate(f field, level int, _ ladder, _ *draw.Stream) field {
	return f.affine(pixel.Rotation(pixel.Image{H: f.h, W: f.w}, float64(level)))
}

// translate moves by level pixels in both directions, either way.
func translate(f field, level int, _ ladder, s *draw.Stream) field {
	right, down := eitherWay(s, float64(level)), eitherWay(s, float64(level))
	return f.affine([6]float64{1, 0, right, 0, 1, down})
}

// shrink scales to 0.9 … 0.5 of the size.
func shrink(f field, level int, _ ladder, _ *draw.Stream) field {
	k := 1 / (1 - 0.1*float64(level))
	return f.affine(pixel.About(pixel.Image{H: f.h, W: f.w}, k, 0, 0, k))
}

// shear leans by 0.2 … 1 radian, either way.
func shear(f field, level int, _ ladder, s *draw.Stream) field {
	sin, cos := math.Sincos(eitherWay(s, 0.2*float64(level)))
	return f.affine(pixel.About(pixel.Image{H: f.h, W: f.w}, 1, -sin, 0, cos))
}

func eitherWay(s *draw.Stream, v float64) float64 {
	if s.Below(2) == 1 {
		return -v
	}
	return v
}

func (f field) affine(a [6]float64) field {
	return f.throughBytes(func(m pixel.Image) pixel.Image {
		var out pixel.Image
		out.Affine(m, a)
		return out
	})
}
