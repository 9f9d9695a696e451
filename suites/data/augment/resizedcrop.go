package augment

import (
	"math"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// ResizedCrop keeps a random window of 8 % to 100 % of the area with an aspect ratio of 3/4 to 4/3
// (log-uniform) and resizes it to Side x Side: Inception's training crop (Szegedy et al. 2015),
// with torchvision's rule and constants.
type ResizedCrop struct{ Side int }

func (ResizedCrop) String() string { return "random-resized-crop" }

func (t ResizedCrop) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	t.View(dst, src.Picture(), s)
}

// View makes ResizedCrop a Sizer.
func (t ResizedCrop) View(dst *pixel.Image, src pixel.Picture, s *draw.Stream) {
	shape := src.Shape()
	y, x, h, w := cropWindow(shape[1], shape[2], s)
	crop := scratch.Get().(*pixel.Image)
	defer scratch.Put(crop)
	src.Window(crop, y, x, h, w)
	dst.Resize(*crop, t.Side, t.Side, pixel.Bilinear)
}

func cropWindow(height, width int, s *draw.Stream) (y, x, h, w int) {
	const narrow, wide = 3.0 / 4, 4.0 / 3
	for range 10 {
		area := float64(height) * float64(width) * s.Between(0.08, 1)
		ratio := math.Exp(s.Between(math.Log(narrow), math.Log(wide)))
		w = int(math.RoundToEven(math.Sqrt(area * ratio)))
		h = int(math.RoundToEven(math.Sqrt(area / ratio)))
		if 0 < w && w <= width && 0 < h && h <= height {
			return s.Below(height - h + 1), s.Below(width - w + 1), h, w
		}
	}
	// The largest central window of an allowed ratio.
	h, w = height, width
	if r := float64(width) / float64(height); r < narrow {
		h = max(int(math.RoundToEven(float64(width)/narrow)), 1)
	} else if r > wide {
		w = max(int(math.RoundToEven(float64(height)*wide)), 1)
	}
	return (height - h) / 2, (width - w) / 2, h, w
}
