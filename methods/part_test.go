package methods_test

import (
	"testing"

	"bayesbench/methods"
)

// Seeds of parts are in the ids of jobs and may not change: fmix32 as in Appleby's
// MurmurHash3, of seed + k·0x9E3779B9.
func TestPartSeed(t *testing.T) {
	for _, c := range []struct{ seed, stream, want uint32 }{
		{0, 0, 0}, {7, 0, 7},
		{0, 1, 2462723854}, {0, 2, 1020716019}, {7, 1, 588686121}, {4294967295, 4, 1778835764},
	} {
		if got := (methods.Part{Stream: c.stream}).Seed(c.seed); got != c.want {
			t.Errorf("stream %d of seed %d: %d, want %d", c.stream, c.seed, got, c.want)
		}
	}
}
