package metrics

import (
	"math"
	"testing"
)

func TestNetworkCounts(t *testing.T) {
	a := CountNonzero("fc1", []float32{0, 1, 0, 2, 0, 0, 0, 0})
	b := CountNonzero("fc2", []float32{3, 0})
	if a.Sparsity() != 0.75 || a.Compression() != 4 || b.Sparsity() != 0.5 {
		t.Errorf("fc1 %+v, fc2 %+v", a, b)
	}
	all := []Tensor{a, b}
	if total := Total(all); total.Weights != 10 || total.Nonzero != 3 || math.Abs(total.Compression()-10./3) > 1e-15 {
		t.Errorf("total %+v", total)
	}
	// fc1 is sparse: 2 values of 32 bits and 3 bits of position (of 8). fc2 as well: 1 of 32+1, less than 2 of 32.
	if got := BitsPerWeight(all); got != (2*35+33)/10. {
		t.Errorf("bits per weight %v, want 10.3", got)
	}
	if got := StorageCompression(all); math.Abs(got-320./103) > 1e-15 {
		t.Errorf("storage compression %v, want %v", got, 320./103)
	}
	// Where nearly all is left, positions would cost more than the zeros.
	if got := BitsPerWeight([]Tensor{{"fc", 1000, 900}}); got != 32 {
		t.Errorf("bits per weight of a dense tensor %v, want 32", got)
	}
	if got := BitsPerWeight([]Tensor{{"fc", 1, 0}}); got != 0 {
		t.Errorf("bits per weight of nothing %v", got)
	}
	if got := (Tensor{Weights: 3}).Compression(); !math.IsInf(got, 1) {
		t.Errorf("compression of nothing left is %v, want +Inf", got)
	}
}

// The published row of sparse VD on LeNet-300-100 (Molchanov et al. 2017,
// table 1): 98.9 %, 97.2 %, 62.0 % of the three layers, printed as 68x;
// the rounded sparsities give 69.9.
func TestCompressionOfThePublishedRow(t *testing.T) {
	total := Total([]Tensor{
		{"fc1", 784 * 300, int(math.Round(784 * 300 * (1 - .989)))},
		{"fc2", 300 * 100, int(math.Round(300 * 100 * (1 - .972)))},
		{"fc3", 100 * 10, int(math.Round(100 * 10 * (1 - .62)))},
	})
	if c := total.Compression(); math.Abs(c-69.9) > 0.05 {
		t.Errorf("compression %v, want 69.9", c)
	}
}

func TestMLPerfTime(t *testing.T) {
	inf := math.Inf(1)
	if got, err := MLPerfTime([]float64{9, 1, 3, 5, inf}); err != nil || math.Abs(got-17./3) > 1e-15 {
		t.Errorf("MLPerfTime = %v, %v, want 17/3", got, err)
	}
	if _, err := MLPerfTime([]float64{1, 2, 3, inf, inf}); err == nil {
		t.Error("two misses were averaged")
	}
	if _, err := MLPerfTime([]float64{1, 2}); err == nil {
		t.Error("two runs were enough")
	}
}
