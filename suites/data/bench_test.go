package data

import (
	"fmt"
	"os"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
)

// What the loader gives at training: read, decode where files are JPEG, augment, normalise. Sizes
// in pixels; photographs are made up, so real ones, with more detail, decode somewhat slower.
func BenchmarkPipeline(b *testing.B) {
	isolate(b)
	files := map[string][]byte{"val/a/0.JPEG": photograph(b, 160, 213, 100, false)}
	for i := range 64 {
		files[fmt.Sprintf("train/a/%02d.JPEG", i)] = photograph(b, 160, 213, uint8(3*i), false)
	}
	place := writeTree(b, files)
	cifar := &memory{pix: make([]uint8, 10000*cifarImage), labels: make([]uint8, 10000), classes: 10, shape: [3]int{3, 32, 32}}
	for i := range cifar.pix {
		cifar.pix[i] = uint8(i * i >> 8)
	}
	tree := func(size int, cache int64) Split {
		set, err := Open(b.Context(), "imagenet-folder", Options{Dir: place, Size: size, CacheBytes: cache})
		if err != nil {
			b.Fatal(err)
		}
		return set.Train
	}
	if real := os.Getenv("BAYESBENCH_BENCH_TREE"); real != "" {
		place = real // photographs instead
	}
	for _, c := range []struct {
		name    string
		split   Split
		augment []string
	}{
		{"cifar10/plain", cifar, nil},
		{"cifar10/flip,pad-crop-4", cifar, []string{"pad-crop-4", "flip"}},
		{"cifar10/augmix-3", cifar, []string{"augmix-3"}},
		{"jpeg/size=64/random-resized-crop,flip", tree(64, 1), []string{"random-resized-crop", "flip"}},
		{"jpeg/size=224/random-resized-crop,flip", tree(224, 1), []string{"random-resized-crop", "flip"}},
		{"jpeg/size=128/random-resized-crop,flip", tree(128, 1), []string{"random-resized-crop", "flip"}},
		{"decoded/size=64/random-resized-crop,flip", tree(64, 0), []string{"random-resized-crop", "flip"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var chain []augment.Transform
			for _, name := range c.augment {
				t, err := augment.Parse(name, c.split.Examples().Shape[1])
				if err != nil {
					b.Fatal(err)
				}
				chain = append(chain, t)
			}
			l := newLoader(b, c.split, LoaderConfig{Batch: 32, Key: rng.Key{1, 0}, Augment: chain, Workers: 1, DropLast: true})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Next(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(32*float64(b.N)/b.Elapsed().Seconds(), "images/s/core")
		})
	}
}
