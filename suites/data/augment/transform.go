// Package augment holds the random transforms of training images, one file each. A transform draws from the stream it is
// given and from nowhere else, so an augmented image is a function of (seed, epoch, example).
package augment

import (
	"fmt"

	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// Transform makes a changed copy of an image.
type Transform interface {
	fmt.Stringer // the name that Parse reads
	// Apply writes the changed src to dst, which never shares memory with it.
	Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream)
}

// Sizer is a Transform that takes images of any size and gives one size. As the first of a chain it is given images as
// they are stored, not yet resized to the set's shape.
type Sizer interface {
	Transform
	Size() int // the side of what it gives
}
