package data

import (
	"context"
	"fmt"

	"bayesbench/suites/data/fetch"
)

// Their MD5 sums: 811ee95d607652077616dbaaea581e1d, dd1687ca8200da91c0dfd6321518806d.
var emnistFiles = []fetch.File{
	{Name: "emnist-letters-test-images-idx3-ubyte", Size: 16307216, SHA256: "d5895e82d14765b22a84342337bc5c25f1affd61cc97d3821d4e65504bbf8dbc"},
	{Name: "emnist-letters-test-labels-idx1-ubyte", Size: 20808, SHA256: "22dbcde0a929a7f166bdac863b9195b2994d840a1e082f8f6daaeac5606376a6"},
}

// emnist-letters is for testing only: handwriting as MNIST's, of no MNIST class.
func init() {
	register(&source{
		Info: Info{
			Name:     "emnist-letters",
			About:    "EMNIST letters: 20,800 handwritten letters, 28x28 gray, test only (Cohen et al. 2017)",
			Examples: Examples{Pixels, mnistShape},
			Targets:  Targets{Classes: 26},
			Licence:  "public domain (work of the US government)",
			Mean:     []float64{0.1722},
			Std:      []float64{0.3309},
		},
		files: emnistFiles,
		providers: []fetch.Provider{fetch.Archive{
			URL:    "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
			SHA256: "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
			Size:   700 << 20,
		}},
		load: loadEMNIST,
	})
}

// loadEMNIST undoes what sets EMNIST's files apart from MNIST's: images are stored column by
// column, and labels count from 1.
func loadEMNIST(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
	asStored := info
	asStored.Classes++
	test, err := loadIDX(asStored, emnistFiles[0], emnistFiles[1], dir)
	if err != nil {
		return nil, err
	}
	for i, l := range test.labels {
		if l == 0 {
			return nil, fmt.Errorf("%s: %s: label of example %d: want 1 to %d, found 0", dir, emnistFiles[1].Name, i, info.Classes)
		}
		test.labels[i] = l - 1
	}
	test.classes = info.Classes
	side := info.Shape[1]
	for i := range test.Len() {
		m := test.image(i)
		for y := range side {
			for x := range y {
				m[y*side+x], m[x*side+y] = m[x*side+y], m[y*side+x]
			}
		}
	}
	set := memorySet(info, nil, test)
	set.byClass = true
	set.ClassNames = letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	return set, nil
}
