package data

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/corrupt"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// shifted is a test split under a corruption. The random part of image i depends on the corruption's name and on i alone,
// so that every run, whatever its seed, is tested on the same images.
type shifted struct {
	Split
	corruption corrupt.Corruption
	key        uint32
	kept       *kept
}

// shift corrupts the test split of s; train stays clean.
func (s *Set) shift(name string, opt Options) error {
	c, err := corrupt.Parse(name, s.Shape)
	if err != nil {
		return err
	}
	h := fnv.New32a()
	h.Write([]byte(c.String()))
	s.Name += "+" + name
	s.Test = shifted{s.Test, c, h.Sum32(), newKept(s.Test.Len(), opt.budget())}
	return nil
}

func (s shifted) Native(i int) (pixel.Picture, error) {
	return s.kept.picture(i, func() (pixel.Picture, error) {
		shape := s.Shape()
		src := pixel.New(shape[0], shape[1], shape[2])
		if err := s.Split.Read(src.Pix, i); err != nil {
			return pixel.Picture{}, err
		}
		var dst pixel.Image
		stream := draw.New(rng.Key{s.key, uint32(i)}, 0)
		s.corruption.Apply(&dst, src, &stream)
		return dst.Picture(), nil
	})
}

func (s shifted) Read(dst []uint8, i int) error {
	p, err := s.Native(i)
	if err != nil {
		return err
	}
	var none pixel.Image // a corrupted image is converted
	copy(dst, p.Image(&none).Pix)
	return nil
}

// OpenAgainst opens a data set as out-of-distribution inputs for a model of in: at in's size, and it must have in's
// channels. Its inputs are to be normalised as in's are. Info.Against names the usual partners of a set.
func OpenAgainst(ctx context.Context, in Info, name string, opt Options) (*Set, error) {
	base, _, _ := strings.Cut(name, "+")
	s, err := lookup(base)
	if err != nil {
		return nil, err
	}
	if s.Shape[1] == 0 {
		opt.Size = in.Shape[1]
	}
	if s.Shape[0] != in.Shape[0] || s.Shape[1] != 0 && s.Shape != in.Shape {
		return nil, fmt.Errorf("data set %q has images of shape %v, which do not fit those of %q, %v", name, s.Shape, in.Name, in.Shape)
	}
	return Open(ctx, name, opt)
}
