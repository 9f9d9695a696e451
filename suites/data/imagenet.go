package data

import (
	"cmp"
	"context"
	"errors"
)

var (
	imagenetMean = []float64{0.485, 0.456, 0.406}
	imagenetStd  = []float64{0.229, 0.224, 0.225}
)

const imagenetTerms = "ImageNet's: non-commercial research and education"

// imagenet-folder is ILSVRC 2012, Tiny-ImageNet, or any other tree of that layout.
func init() {
	register(&source{
		Info: Info{
			Name:     "imagenet-folder",
			About:    "any train/<class>/… and val/<class>/… of images, folder or tar: ILSVRC 2012, Tiny-ImageNet (Deng et al. 2009)",
			Examples: Examples{Pixels, []int{3, 0, 0}},
			Licence:  imagenetTerms,
			Mean:     imagenetMean,
			Std:      imagenetStd,
		},
		load: func(ctx context.Context, info Info, place string, opt Options) (*Set, error) {
			return loadTree(ctx, info, place, opt)
		},
	})
}

// loadTree opens a tree of images of any size.
func loadTree(ctx context.Context, info Info, place string, opt Options) (*Set, error) {
	if err := checkSide(opt.side()); err != nil {
		return nil, err
	}
	t, err := openTree(place)
	if err != nil {
		return nil, err
	}
	return t.set(ctx, info, opt)
}

// side is the side of the images of a tree in pixels.
func (opt Options) side() int { return cmp.Or(opt.Size, 64) }

func checkSide(size int) error {
	if size < 8 || size > 1024 {
		return unfit("size", "size %d: want 8 to 1024 pixels", size)
	}
	return nil
}

// set is the set of a tree, which it closes if it cannot be read.
func (t *tree) set(ctx context.Context, info Info, opt Options) (*Set, error) {
	if err := t.err(); err != nil {
		return nil, errors.Join(err, t.close())
	}
	hash, err := t.hash(ctx, opt.Progress)
	if err == nil {
		err = t.err()
	}
	if err == nil && t.bytes() <= maxTriedBytes {
		err = cmp.Or(t.try(ctx), t.err())
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	size, budget := opt.side(), opt.budget()
	info.Shape = []int{3, size, size}
	info.Classes = len(t.classes)
	return &Set{
		Info:       info,
		ClassNames: t.classes,
		Train:      newImages(t, t.train, size, budget),
		Validation: newImages(t, t.held, size, budget),
		Test:       newImages(t, t.val, size, budget),
		Hash:       hash,
		Skipped:    t.skipped,
		byClass:    true,
	}, nil
}
