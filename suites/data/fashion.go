package data

import (
	"context"

	"bayesbench/suites/data/fetch"
)

// The published MD5 sums of these, unpacked: f4a8712d7a061bf5bd6d2ca38dc4d50a,
// 9018921c3c673c538a1fc5bad174d6f9, 8181f5470baa50b63fa0f6fddb340f0a,
// 15d484375f8d13e6eb1aabb0c3f46965.
var fashionFiles = []fetch.File{
	{Name: "train-images-idx3-ubyte", Size: 47040016, SHA256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
	{Name: "train-labels-idx1-ubyte", Size: 60008, SHA256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
	{Name: "t10k-images-idx3-ubyte", Size: 7840016, SHA256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
	{Name: "t10k-labels-idx1-ubyte", Size: 10008, SHA256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
}

func init() {
	register(&source{
		Info: Info{
			Name:     "fashion-mnist",
			About:    "Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28x28 gray (Xiao, Rasul, Vollgraf 2017)",
			Examples: Examples{Pixels, mnistShape},
			Targets:  Targets{Classes: 10},
			Licence:  "MIT",
			Mean:     []float64{0.2860},
			Std:      []float64{0.3530},
			Against:  []string{"mnist", "notmnist"},
		},
		files: fashionFiles,
		providers: []fetch.Provider{
			fetch.DebianPackage{Name: "dataset-fashion-mnist", Folder: "usr/share/datasets/fashion-mnist"},
			fetch.Mirror{Base: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion", Suffix: ".gz"},
		},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			set, err := loadMNIST(info, fashionFiles, dir)
			if err != nil {
				return nil, err
			}
			set.ClassNames = []string{"T-shirt/top", "trouser", "pullover", "dress", "coat",
				"sandal", "shirt", "sneaker", "bag", "ankle boot"}
			return set, nil
		},
	})
}
