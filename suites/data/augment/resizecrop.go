package augment

import (
	"fmt"
	"math"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// ResizeCrop resizes the shorter side to Short and keeps the centre square of Side: the usual test-time view of ImageNet
// with 256 and 224. It draws nothing.
type ResizeCrop struct{ Short, Side int }

func (t ResizeCrop) String() string { return fmt.Sprintf("resize-crop-%d", t.Short) }

// Size makes ResizeCrop a Sizer.
func (t ResizeCrop) Size() int { return t.Side }

func (t ResizeCrop) Apply(dst *pixel.Image, src pixel.Image, _ *draw.Stream) {
	tmp := scratch.Get().(*pixel.Image)
	defer scratch.Put(tmp)
	tmp.Fit(src, t.Short)
	// Half to even, as Python rounds.
	at := int(math.RoundToEven(float64(t.Short-t.Side) / 2))
	dst.Crop(*tmp, at, at, t.Side, t.Side)
}
