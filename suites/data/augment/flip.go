package augment

import (
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// Flip mirrors left and right with probability 1/2.
type Flip struct{}

func (Flip) String() string { return "flip" }

func (Flip) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	dst.CopyFrom(src)
	if s.Below(2) == 0 {
		return
	}
	for r := range src.C * src.H {
		row := dst.Pix[r*src.W:][:src.W]
		for i, j := 0, len(row)-1; i < j; i, j = i+1, j-1 {
			row[i], row[j] = row[j], row[i]
		}
	}
}
