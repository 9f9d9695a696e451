package data

import (
	"context"
	"fmt"
	"slices"

	"bayesbench/suites/data/fetch"
)

// The copies of Imagenette v2 in use, by the pixels of the shorter side. The hashes are those that
// TensorFlow Datasets records of the archives, whose published MD5 are
// e793b78cc4c9e9a4ccc0c1155377a412 and 3df6f0d01a2c9592104656642f5e78a3.
var imagenetteSizes = []struct {
	side int
	name string
	fetch.Archive
}{
	{64, "imagenette2-64", fetch.Archive{}}, // published nowhere, but easily made
	{160, "imagenette2-160", fetch.Archive{URL: "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
		SHA256: "88daccb09b6fce93f45e6c09ddeb269cce705549e6bff322092a2a5a11489863", Size: 120 << 20, Unpacked: 200 << 20}},
	{320, "imagenette2-320", fetch.Archive{URL: "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz",
		SHA256: "5020a9130cea0348272823cb12d2db7e981c6f2afa3dce71ccd5b8013005c55e", Size: 400 << 20, Unpacked: 600 << 20}},
}

var imagenetteNames = map[string]string{
	"n01440764": "tench", "n02102040": "English springer", "n02979186": "cassette player", "n03000684": "chain saw",
	"n03028079": "church", "n03394916": "French horn", "n03417042": "garbage truck", "n03425413": "gas pump",
	"n03445777": "golf ball", "n03888257": "parachute",
}

func init() {
	register(&source{
		Info: Info{
			Name:     "imagenette",
			About:    "Imagenette v2: 9,469 + 3,925 photographs of ten ImageNet classes, any size, colour (Howard 2019)",
			Examples: Examples{Pixels, []int{3, 0, 0}},
			Targets:  Targets{Classes: 10},
			Licence:  imagenetTerms,
			Mean:     imagenetMean,
			Std:      imagenetStd,
		},
		aliases:   imagenetteAliases,
		providers: []fetch.Provider{imagenetteSizes[1].Archive, imagenetteSizes[2].Archive},
		load: func(ctx context.Context, info Info, place string, opt Options) (*Set, error) {
			set, err := loadTree(ctx, info, place, opt)
			if err != nil {
				return nil, err
			}
			// A part of each class is accepted, another class is not: the label numbers would be
			// others.
			if len(set.ClassNames) != len(imagenetteNames) {
				return nil, fmt.Errorf("%s: want Imagenette's ten classes, found %d; open other classes as imagenet-folder", place, len(set.ClassNames))
			}
			names := make([]string, len(set.ClassNames))
			for i, wnid := range set.ClassNames {
				name, ok := imagenetteNames[wnid]
				if !ok {
					return nil, fmt.Errorf("%s: class %q is none of Imagenette's ten; open other classes as imagenet-folder", place, wnid)
				}
				names[i] = name
			}
			set.ClassNames = names
			return set, nil
		},
	})
}

// imagenetteAliases prefers the smallest copy that need not be enlarged, and then the largest.
func imagenetteAliases(opt Options) []string {
	var enough, small []string
	for _, s := range imagenetteSizes {
		if s.side >= opt.Size {
			enough = append(enough, s.name)
		} else {
			small = append(small, s.name)
		}
	}
	slices.Reverse(small)
	return slices.Concat(enough, []string{"imagenette2"}, small)
}
