package data

import (
	"context"
	"fmt"
	"math"

	"bayesbench/suites/data/fetch"
)

// Their MD5 sums: e26dedcc434d2e4c54c9b2d4a06d8373, eb5a983be6a315427106f1b164d9cef3.
var svhnFiles = []fetch.File{
	{Name: "train_32x32.mat", Size: 182040794, SHA256: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"},
	{Name: "test_32x32.mat", Size: 64275384, SHA256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"},
}

func init() {
	register(&source{
		Info: Info{
			Name:     "svhn",
			About:    "SVHN, cropped: 73,257 + 26,032 house numbers' digits, 32x32 colour (Netzer et al. 2011)",
			Examples: Examples{Pixels, []int{3, cifarSide, cifarSide}},
			Targets:  Targets{Classes: 10},
			Licence:  "non-commercial use",
			Mean:     []float64{0.4377, 0.4438, 0.4728},
			Std:      []float64{0.1980, 0.2010, 0.1970},
			Against:  []string{"cifar10"},
		},
		files:     svhnFiles,
		providers: []fetch.Provider{fetch.ByHand("http://ufldl.stanford.edu/housenumbers")},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			var splits [2]*memory
			for i, f := range svhnFiles {
				content, err := f.Read(dir)
				if err != nil {
					return nil, err
				}
				if splits[i], err = parseSVHN(content); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", dir, f.Name, err)
				}
			}
			return memorySet(info, splits[0], splits[1]), nil
		},
	})
}

// parseSVHN reads the MATLAB arrays of a split: X, bytes of [32, 32, 3, n] with the first index the
// fastest, and y of [n, 1], where 10 is the digit 0.
func parseSVHN(b []byte) (*memory, error) {
	arrays, err := parseMAT(b)
	if err != nil {
		return nil, err
	}
	x, y := arrays["X"], arrays["y"]
	switch {
	case x == nil || y == nil:
		return nil, fmt.Errorf("MATLAB: want the arrays X and y")
	case len(x.dims) != 4 || x.dims[0] != cifarSide || x.dims[1] != cifarSide || x.dims[2] != 3 || len(x.data) != x.dims[3]*cifarImage:
		return nil, fmt.Errorf("MATLAB: X: dimensions %v and %d bytes, want bytes of [32 32 3 n]", x.dims, len(x.data))
	}
	n := x.dims[3]
	labels, err := y.numbers()
	if err != nil || len(labels) != n {
		return nil, fmt.Errorf("MATLAB: y: dimensions %v, want a label for each of the %d images: %v", y.dims, n, err)
	}
	m := &memory{classes: 10, shape: [3]int{3, cifarSide, cifarSide}, pix: make([]uint8, len(x.data))}
	for i, label := range labels {
		if !(label >= 0 && label <= 10) || label != math.Trunc(label) {
			return nil, fmt.Errorf("MATLAB: y: label of image %d: want 1 to 10, found %v", i, label)
		}
		m.labels = append(m.labels, uint8(label)%10)
		from, to := x.data[i*cifarImage:], m.pix[i*cifarImage:]
		for c := range 3 {
			for row := range cifarSide {
				for column := range cifarSide {
					to[(c*cifarSide+row)*cifarSide+column] = from[(c*cifarSide+column)*cifarSide+row]
				}
			}
		}
	}
	return m, nil
}
