package data

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/corrupt"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

// shifted is a test split under a corruption. The random part of image i depends on the
// corruption's name and on i alone, so that every run, whatever its seed, is tested on the same
// images.
type shifted struct {
	Split
	corruption corrupt.Corruption
	shape      [3]int
	key        uint32
	kept       *kept
}

// shift corrupts the test split of s, or takes a published one in its stead; train stays clean.
func (s *Set) shift(ctx context.Context, name string, opt Options) error {
	if s.published(name) {
		return s.shiftPublished(ctx, name, opt)
	}
	if !s.images() {
		return fmt.Errorf("corruption %q: only images are corrupted, and its examples are %s", name, s.Examples)
	}
	c, err := corrupt.Parse(name, s.Info.image())
	if err != nil {
		return err
	}
	h := fnv.New32a()
	h.Write([]byte(c.String()))
	s.Name += "+" + name
	s.Test = shifted{s.Test, c, s.Info.image(), h.Sum32(), newKept(s.Test.Len(), opt.budget())}
	return nil
}

func (s shifted) Example(i int) (Example, error) {
	p, err := s.kept.picture(i, func() (pixel.Picture, error) {
		e, err := s.Split.Example(i)
		if err != nil {
			return pixel.Picture{}, err
		}
		var src, dst pixel.Image
		if e.Picture.Shape() == s.shape {
			src = e.Picture.Image(&src)
		} else {
			src.Fit(e.Picture, s.shape[1])
		}
		stream := draw.New(rng.Key{s.key, uint32(i)}, 0)
		s.corruption.Apply(&dst, src, &stream)
		return dst.Picture(), nil
	})
	return Example{Picture: p}, err
}

// OpenAgainst opens a data set as out-of-distribution inputs for a model of in: at in's size. It
// must have in's kind of examples, and in's channels or columns. Its inputs are to be normalised as
// in's are. Info.Against names the usual partners of a set.
func OpenAgainst(ctx context.Context, in Info, name string, opt Options) (*Set, error) {
	base, _, _ := strings.Cut(name, "+")
	if own := opt.Own[base]; own != nil {
		return openOwnAgainst(ctx, in, name, opt)
	}
	s, err := opt.lookup(base)
	if err != nil {
		return nil, err
	}
	if s.Kind != in.Kind {
		return nil, fmt.Errorf("the examples of data set %q are %s, and those of %q are %s", name, s.Kind, in.Name, in.Kind)
	}
	if s.anySize() {
		opt.Size = in.Shape[1]
	}
	if s.Shape[0] != in.Shape[0] || !s.anySize() && !slices.Equal(s.Shape, in.Shape) {
		return nil, fmt.Errorf("data set %q has examples of shape %v, which do not fit those of %q, %v", name, s.Shape, in.Name, in.Shape)
	}
	return Open(ctx, name, opt)
}

// openOwnAgainst is OpenAgainst of a set of the user's own, of which is known what its examples are
// when it has been read.
func openOwnAgainst(ctx context.Context, in Info, name string, opt Options) (*Set, error) {
	base, _, _ := strings.Cut(name, "+")
	if opt.Own[base].Folder != "" && in.images() {
		opt.Size = in.Shape[1]
	}
	set, err := Open(ctx, name, opt)
	if err != nil {
		return nil, err
	}
	if set.Kind != in.Kind || !slices.Equal(set.Shape, in.Shape) {
		return nil, fmt.Errorf("the examples of data set %q are %s, and those of %q are %s", name, set.Examples, in.Name, in.Examples)
	}
	return set, nil
}
