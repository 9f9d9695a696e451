package metrics

import (
	"math"
	"testing"

	"bayesbench/results"
)

func TestNetworkCounts(t *testing.T) {
	a, b := results.Layer{Name: "fc1", Weights: 8, NonZero: 2}, results.Layer{Name: "fc2", Weights: 2, NonZero: 1}
	if Sparsity(a) != 0.75 || Compression(a) != 4 || Sparsity(b) != 0.5 {
		t.Errorf("fc1 %+v, fc2 %+v", a, b)
	}
	all := []results.Layer{a, b}
	if total := Total(all); total.Weights != 10 || total.NonZero != 3 || math.Abs(Compression(total)-10./3) > 1e-15 {
		t.Errorf("total %+v", total)
	}
	// fc1 is sparse: 2 values of 32 bits and 3 bits of position (of 8). fc2 as well: 1 of 32+1,
	// less than 2 of 32.
	if got := BitsPerWeight(all); got != (2*35+33)/10. {
		t.Errorf("bits per weight %v, want 10.3", got)
	}
	if got := StorageCompression(all); math.Abs(got-320./103) > 1e-15 {
		t.Errorf("storage compression %v, want %v", got, 320./103)
	}
	// Where nearly all is left, positions would cost more than the zeros.
	if got := BitsPerWeight([]results.Layer{{Name: "fc", Weights: 1000, NonZero: 900}}); got != 32 {
		t.Errorf("bits per weight of a dense tensor %v, want 32", got)
	}
	if got := BitsPerWeight([]results.Layer{{Name: "fc", Weights: 1, NonZero: 0}}); got != 0 {
		t.Errorf("bits per weight of nothing %v", got)
	}
	if got := Compression(results.Layer{Weights: 3}); !math.IsInf(got, 1) {
		t.Errorf("compression of nothing left is %v, want +Inf", got)
	}
}

// The published row of sparse VD on LeNet-300-100 (Molchanov et al. 2017,
// table 1): 98.9 %, 97.2 %, 62.0 % of the three layers, printed as 68x;
// the rounded sparsities give 69.9.
func TestCompressionOfThePublishedRow(t *testing.T) {
	total := Total([]results.Layer{
		{Name: "fc1", Weights: 784 * 300, NonZero: int(math.Round(784 * 300 * (1 - .989)))},
		{Name: "fc2", Weights: 300 * 100, NonZero: int(math.Round(300 * 100 * (1 - .972)))},
		{Name: "fc3", Weights: 100 * 10, NonZero: int(math.Round(100 * 10 * (1 - .62)))},
	})
	if c := Compression(total); math.Abs(c-69.9) > 0.05 {
		t.Errorf("compression %v, want 69.9", c)
	}
}
