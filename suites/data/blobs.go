package data

import (
	"context"

	"bayesbench/backends/rng"
)

// blobs is generated: four Gaussian clusters in 64 dimensions, quantised to 8x8 gray images. It is
// for tests of the program, where a network must learn something in a second and no file may be
// needed.
func init() {
	register(&source{
		Info: Info{
			Name:     "blobs",
			About:    "generated: 2,000 + 500 points of four Gaussian clusters as 8x8 gray images, for tests",
			Examples: Examples{Pixels, []int{1, 8, 8}},
			Targets:  Targets{Classes: blobClasses},
			Licence:  "none needed",
			Mean:     []float64{0.5},
			Std:      []float64{0.25},
		},
		load: func(_ context.Context, info Info, _ string, _ Options) (*Set, error) {
			return memorySet(info, makeBlobs(info, 2000, 2), makeBlobs(info, 500, 3)), nil
		},
	})
}

const (
	blobClasses = 4
	blobSpread  = 20 // distance of a centre from mid-gray in each dimension, in gray levels
)

// makeBlobs draws n points. Class is i mod 4; a pixel is 128 plus or minus blobSpread (the class
// centre, stream 1), plus noise of deviation 64: the sum of twelve uniforms less its mean, in
// integers, so that the bytes are the same on every machine.
func makeBlobs(info Info, n int, stream uint32) *memory {
	key := rng.Key{0, 0}
	size := info.Shape[0] * info.Shape[1] * info.Shape[2]
	centre := make([]uint32, blobClasses*size)
	rng.Bits(centre, key, 1)
	noise := make([]uint32, 12*n*size)
	rng.Bits(noise, key, stream)
	m := &memory{pix: make([]uint8, n*size), labels: make([]uint8, n), classes: blobClasses, shape: info.image()}
	for i := range n {
		class := i % blobClasses
		m.labels[i] = uint8(class)
		for j := range size {
			level := int64(128 - blobSpread)
			if centre[class*size+j]>>31 == 1 {
				level = 128 + blobSpread
			}
			var sum int64 // of twelve in [0, 2^16): mean 6*2^16, deviation 2^16
			for _, w := range noise[12*(i*size+j):][:12] {
				sum += int64(w >> 16)
			}
			m.pix[i*size+j] = uint8(min(max(level+(sum-6<<16)>>10, 0), 255))
		}
	}
	return m
}
