package data

import (
	"context"

	"bayesbench/suites/data/fetch"
)

// Their MD5 sums: 1e78b07d677d6e4de2c8857bafff012e, b10b3ef34b4e468313a7b24c216c6a53.
var notMNISTFiles = []fetch.File{
	{Name: "t10k-images-idx3-ubyte", Size: 7840016, SHA256: "8e7f38ae95cc8f48e0986175ffc9137e5007ebcf3d8fdf6656c904eb9dab198b"},
	{Name: "t10k-labels-idx1-ubyte", Size: 10008, SHA256: "5f8e6012f2ce730700d8d05fca098bc47f71d25b890e4bec7ac5ebfd614a4001"},
}

// notmnist is for testing only: MNIST-shaped inputs of no MNIST class.
func init() {
	register(&source{
		Info: Info{
			Name:     "notmnist",
			About:    "notMNIST: 10,000 letters A to J in many fonts, 28x28 gray, test only (Bulatov 2011)",
			Examples: Examples{Pixels, mnistShape},
			Targets:  Targets{Classes: 10},
			Licence:  "MIT for the IDX files; the glyphs' fonts are their makers'",
		},
		files:     notMNISTFiles,
		providers: []fetch.Provider{fetch.Mirror{Base: "https://raw.githubusercontent.com/davidflanagan/notMNIST-to-MNIST/master", Suffix: ".gz"}},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			test, err := loadIDX(info, notMNISTFiles[0], notMNISTFiles[1], dir)
			if err != nil {
				return nil, err
			}
			set := memorySet(info, nil, test)
			set.ClassNames = letters("ABCDEFGHIJ")
			return set, nil
		},
	})
}

func letters(s string) []string {
	var names []string
	for _, r := range s {
		names = append(names, string(r))
	}
	return names
}
