package data

import "context"

var fashionFiles = []file{
	{"train-images-idx3-ubyte", 47040016, "f4a8712d7a061bf5bd6d2ca38dc4d50a"},
	{"train-labels-idx1-ubyte", 60008, "9018921c3c673c538a1fc5bad174d6f9"},
	{"t10k-images-idx3-ubyte", 7840016, "8181f5470baa50b63fa0f6fddb340f0a"},
	{"t10k-labels-idx1-ubyte", 10008, "15d484375f8d13e6eb1aabb0c3f46965"},
}

func init() {
	register(&source{
		Info: Info{
			Name:    "fashion-mnist",
			About:   "Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28x28 gray (Xiao, Rasul, Vollgraf 2017)",
			Classes: 10,
			Shape:   mnistShape,
			Licence: "MIT",
			Mean:    []float64{0.2860},
			Std:     []float64{0.3530},
			Against: []string{"mnist", "notmnist"},
		},
		files: fashionFiles,
		providers: []provider{
			debianPackage{"dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"},
			mirror{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com", ".gz"},
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
