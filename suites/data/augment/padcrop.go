package augment

import (
	"fmt"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// PadCrop pads Pad black pixels on each side and keeps a window of the image's own size, uniformly
// placed: the standard augmentation of CIFAR-10, with Pad 4.
type PadCrop struct{ Pad int }

func (t PadCrop) String() string { return fmt.Sprintf("pad-crop-%d", t.Pad) }

func (t PadCrop) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	// The window begins here in src.
	y := s.Below(2*t.Pad+1) - t.Pad
	x := s.Below(2*t.Pad+1) - t.Pad
	dst.Reshape(src.C, src.H, src.W)
	clear(dst.Pix)
	left, right := max(x, 0), min(x+src.W, src.W)
	for c := range src.C {
		from, to := src.Plane(c), dst.Plane(c)
		for row := max(y, 0); row < min(y+src.H, src.H); row++ {
			if left < right {
				copy(to[(row-y)*src.W+left-x:], from[row*src.W+left:row*src.W+right])
			}
		}
	}
}
