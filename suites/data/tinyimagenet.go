package data

import (
	"context"
	"fmt"

	"bayesbench/suites/data/fetch"
)

const tinyClasses = 200

// tiny-imagenet is Tiny-ImageNet as its archive unpacks. The MD5 sum of tiny-imagenet-200.zip is
// 90528d7ca1a48142e341f4ef8d21d0de, its size 248,100,043 bytes.
func init() {
	register(&source{
		Info: Info{
			Name:     "tiny-imagenet",
			About:    "Tiny-ImageNet: 100,000 + 10,000 photographs of 200 ImageNet classes, 64x64 colour (Le, Yang 2015)",
			Examples: Examples{Pixels, []int{3, 0, 0}},
			Targets:  Targets{Classes: tinyClasses},
			Licence:  imagenetTerms,
			Mean:     imagenetMean,
			Std:      imagenetStd,
		},
		aliases:   func(Options) []string { return []string{"tiny-imagenet-200"} },
		providers: []fetch.Provider{fetch.ByHand("http://cs231n.stanford.edu/tiny-imagenet-200.zip, unpacked")},
		load: func(ctx context.Context, info Info, place string, opt Options) (*Set, error) {
			set, err := loadTree(ctx, info, place, opt)
			if err == nil && set.Classes != tinyClasses {
				err = fmt.Errorf("%s: want Tiny-ImageNet's %d classes, found %d; open other classes as imagenet-folder", place, tinyClasses, set.Classes)
			}
			return set, err
		},
	})
}
