package augment

import (
	"fmt"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// ResizeCrop resizes the shorter side to Short and keeps the centre square of Side: the usual
// test-time view of ImageNet with 256 and 224. It draws nothing.
type ResizeCrop struct{ Short, Side int }

func (t ResizeCrop) String() string { return fmt.Sprintf("resize-crop-%d", t.Short) }

func (t ResizeCrop) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	t.View(dst, src.Picture(), s)
}

// View makes ResizeCrop a Sizer.
func (t ResizeCrop) View(dst *pixel.Image, src pixel.Picture, _ *draw.Stream) {
	dst.FitCrop(src, t.Short, t.Side)
}
