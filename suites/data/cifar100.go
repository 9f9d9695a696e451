package data

import (
	"context"
	"fmt"

	"bayesbench/suites/data/fetch"
)

const (
	cifar100Classes = 100
	cifar100Record  = 2 + cifarImage // the superclass, the class, then the red, green and blue plane
)

// The published MD5 sum of their archive is 03b5dce01913d631647c71ecec9e9cb8; theirs are
// 6172c7755cfe09b2fe270c85cebc1b15 and 4499cfba6c016c1be1438163640a0898.
var cifar100Files = []fetch.File{
	{Name: "train.bin", Size: 50000 * cifar100Record, SHA256: "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"},
	{Name: "test.bin", Size: 10000 * cifar100Record, SHA256: "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"},
}

func init() {
	register(&source{
		Info: Info{
			Name:     "cifar100",
			About:    "CIFAR-100: 50,000 + 10,000 photographs of a hundred classes, 32x32 colour (Krizhevsky 2009)",
			Examples: Examples{Pixels, []int{3, cifarSide, cifarSide}},
			Targets:  Targets{Classes: cifar100Classes},
			Licence:  "none stated; research use with citation",
			Mean:     []float64{0.5071, 0.4867, 0.4408},
			Std:      []float64{0.2675, 0.2565, 0.2761},
			Against:  []string{"svhn", "cifar10"},
		},
		files:   cifar100Files,
		aliases: func(Options) []string { return []string{"cifar-100-binary"} },
		providers: []fetch.Provider{fetch.Archive{
			URL:    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
			SHA256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
			Size:   200 << 20,
		}},
		load: func(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
			var splits [2]*memory
			for i, f := range cifar100Files {
				content, err := f.Read(dir)
				if err != nil {
					return nil, err
				}
				if splits[i], err = parseCIFAR100(content); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", dir, f.Name, err)
				}
			}
			return memorySet(info, splits[0], splits[1]), nil
		},
	})
}

// parseCIFAR100 reads records of the binary version.
func parseCIFAR100(b []byte) (*memory, error) {
	if len(b)%cifar100Record != 0 {
		return nil, fmt.Errorf("CIFAR-100: want a multiple of %d bytes, found %d", cifar100Record, len(b))
	}
	m := &memory{classes: cifar100Classes, shape: [3]int{3, cifarSide, cifarSide}}
	for i := 0; i < len(b); i += cifar100Record {
		if b[i+1] >= cifar100Classes {
			return nil, fmt.Errorf("CIFAR-100: label of record %d: want 0 to %d, found %d", i/cifar100Record, cifar100Classes-1, b[i+1])
		}
		m.labels = append(m.labels, b[i+1])
		m.pix = append(m.pix, b[i+2:i+cifar100Record]...)
	}
	return m, nil
}
