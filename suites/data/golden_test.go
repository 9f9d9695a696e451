package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
)

// Batches of images have the bits that they had before sets of numbers came.
func TestBatchesAreAsEver(t *testing.T) {
	isolate(t)
	var chain []augment.Transform
	for _, name := range []string{"pad-crop-2", "flip"} {
		transform, err := augment.Parse(name, 8)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, transform)
	}
	for name, c := range map[string]struct {
		opt  Options
		cfg  LoaderConfig
		want string
	}{
		"plain":      {Options{}, LoaderConfig{Batch: 33}, "6a182d9a501f5afb"},
		"sequential": {Options{TrainLimit: 500}, LoaderConfig{Batch: 64, Order: Sequential}, "3dc3f44ca939c46f"},
		"augmented":  {Options{}, LoaderConfig{Batch: 50, Augment: chain, DropLast: true}, "1181552a7e8c11a1"},
		"relabelled": {Options{RandomLabels: RandomTrainLabels}, LoaderConfig{Batch: 50}, "fda60da959df207e"},
		"held out":   {Options{Validation: 100, TrainLimit: 300, RandomLabels: RandomAllLabels}, LoaderConfig{Batch: 50}, "9aff7446e3893494"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := Open(t.Context(), "blobs", c.opt)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			c.cfg.Key = rng.Key{7, 1}
			for _, b := range take(t, newLoader(t, set.Train, c.cfg), 70) {
				binary.Write(h, binary.LittleEndian, b.X)
				binary.Write(h, binary.LittleEndian, b.Y)
				binary.Write(h, binary.LittleEndian, b.Index)
			}
			for _, b := range take(t, newLoader(t, set.Test, LoaderConfig{Batch: 100, Order: Sequential}), 5) {
				binary.Write(h, binary.LittleEndian, b.X)
				binary.Write(h, binary.LittleEndian, b.Y)
			}
			if got := hex.EncodeToString(h.Sum(nil)[:8]); got != c.want {
				t.Errorf("hash %s, want %s", got, c.want)
			}
		})
	}
}
