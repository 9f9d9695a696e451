package rng

import (
	"math"
	"slices"
	"testing"
)

// The known answers of the Random123 distribution for threefry2x32, 20 rounds.
func TestBlockKnownAnswers(t *testing.T) {
	for _, v := range []struct {
		c0, c1 uint32
		key    Key
		w0, w1 uint32
	}{
		{0, 0, Key{0, 0}, 0x6b200159, 0x99ba4efe},
		{0xffffffff, 0xffffffff, Key{0xffffffff, 0xffffffff}, 0x1cb996fc, 0xbb002be7},
		{0x243f6a88, 0x85a308d3, Key{0x13198a2e, 0x03707344}, 0xc4923a9c, 0x483df7a0},
	} {
		if w0, w1 := Block(v.key, v.c0, v.c1); w0 != v.w0 || w1 != v.w1 {
			t.Errorf("Block(%x, %x, %x) = %x %x, want %x %x", v.key, v.c0, v.c1, w0, w1, v.w0, v.w1)
		}
	}
}

func TestLayout(t *testing.T) {
	k := Key{7, 3}
	bits := make([]uint32, 100)
	Bits(bits, k, 5)
	uniform := make([]float32, 100)
	Uniform(uniform, k, 5)
	for b := range 6 {
		for lane := range 8 {
			w0, w1 := Block(k, uint32(8*b+lane), 5)
			if bits[16*b+lane] != w0 || bits[16*b+8+lane] != w1 {
				t.Fatalf("block %d lane %d out of place", b, lane)
			}
		}
	}
	for i, u := range uniform {
		if want := float32(float64(bits[i]>>8) / (1 << 24)); u != want {
			t.Fatalf("uniform[%d] = %v, want %v", i, u, want)
		}
	}
}

// A stream from an element on is the rest of the stream, and after 2³³ elements
// it begins again.
func TestFrom(t *testing.T) {
	k := Key{7, 3}
	for _, noise := range []struct {
		name string
		from func(dst []float32, k Key, stream uint32, start uint64)
	}{{"uniform", UniformFrom}, {"normal", NormalFrom}} {
		whole := make([]float32, 200)
		noise.from(whole, k, 5, 0)
		for _, start := range []uint64{1, 7, 8, 16, 100} {
			rest := make([]float32, 50)
			noise.from(rest, k, 5, start)
			if !slices.Equal(rest, whole[start:start+50]) {
				t.Errorf("%s from element %d on differs from the stream", noise.name, start)
			}
		}
		around := make([]float32, 60)
		noise.from(around, k, 5, 1<<33-10)
		if !slices.Equal(around[10:], whole[:50]) {
			t.Errorf("%s does not begin again after 2^33 elements", noise.name)
		}
	}
}

func TestPrefix(t *testing.T) {
	k := Key{1, 2}
	long := make([]float32, 333)
	Normal(long, k, 9)
	for _, n := range []int{0, 1, 7, 8, 15, 16, 17, 100} {
		short := make([]float32, n)
		Normal(short, k, 9)
		if !slices.Equal(short, long[:n]) {
			t.Errorf("the first %d of 333 normals differ from %d normals", n, n)
		}
	}
}

func TestFoldSeparatesKeys(t *testing.T) {
	seen := map[Key]bool{}
	for seed := range uint32(20) {
		for x := range uint32(500) {
			f := Key{seed, 0}.Fold(x)
			if seen[f] {
				t.Fatalf("key (%d, 0) folded with %d met an earlier key", seed, x)
			}
			seen[f] = true
		}
	}
}

// ks is the Kolmogorov-Smirnov distance of the sample from cdf, times √n.
func ks(sample []float32, cdf func(float64) float64) float64 {
	s := slices.Clone(sample)
	slices.Sort(s)
	var d float64
	n := float64(len(s))
	for i, v := range s {
		c := cdf(float64(v))
		d = max(d, c-float64(i)/n, float64(i+1)/n-c)
	}
	return d * math.Sqrt(n)
}

func moments(x []float32) (mean, variance, kurtosis float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += float64(v) / n
	}
	for _, v := range x {
		d := float64(v) - mean
		variance += d * d / n
		kurtosis += d * d * d * d / n
	}
	return mean, variance, kurtosis / (variance * variance)
}

func TestDistributions(t *testing.T) {
	const n = 1 << 17
	// 1.95 is the 0.1 % critical value of the Kolmogorov distribution.
	const critical = 1.95
	x := make([]float32, n)
	for stream := range uint32(4) {
		Uniform(x, Key{11, 0}, stream)
		if d := ks(x, func(v float64) float64 { return v }); d > critical {
			t.Errorf("uniform stream %d: KS %.3f", stream, d)
		}
		if m, v, _ := moments(x); math.Abs(m-0.5) > 4/math.Sqrt(12*n) || math.Abs(v-1./12) > 1e-3 {
			t.Errorf("uniform stream %d: mean %v variance %v", stream, m, v)
		}
		Normal(x, Key{11, 0}, stream)
		if d := ks(x, func(v float64) float64 { return math.Erfc(-v/math.Sqrt2) / 2 }); d > critical {
			t.Errorf("normal stream %d: KS %.3f", stream, d)
		}
		m, v, k := moments(x)
		if math.Abs(m) > 4/math.Sqrt(n) || math.Abs(v-1) > 4*math.Sqrt(2./n) || math.Abs(k-3) > 4*math.Sqrt(24./n) {
			t.Errorf("normal stream %d: mean %v variance %v kurtosis %v", stream, m, v, k)
		}
		var corr float64
		for i := 0; i+8 < n; i++ {
			corr += float64(x[i]) * float64(x[i+8]) / n
		}
		if math.Abs(corr) > 4/math.Sqrt(n) {
			t.Errorf("normal stream %d: cosine and sine halves correlate by %v", stream, corr)
		}
	}
}

func TestPermIsAPermutation(t *testing.T) {
	for _, n := range []int{0, 1, 2, 17, 1000} {
		p := Perm(n, Key{3, 4}, 0)
		if len(p) != n {
			t.Fatalf("Perm(%d) has %d elements", n, len(p))
		}
		s := slices.Clone(p)
		slices.Sort(s)
		for i, v := range s {
			if v != int32(i) {
				t.Fatalf("Perm(%d) lacks %d", n, i)
			}
		}
	}
}

// All 24 orders of four elements come up alike: chi-squared with 23 degrees of
// freedom, 0.1 % critical value 49.7.
func TestPermIsUniform(t *testing.T) {
	const trials = 24000
	counts := map[[4]int32]int{}
	for i := range uint32(trials) {
		counts[[4]int32(Perm(4, Key{5, i}, 0))]++
	}
	var chi2 float64
	for _, c := range counts {
		d := float64(c) - trials/24
		chi2 += d * d / (trials / 24)
	}
	if len(counts) != 24 || chi2 > 49.7 {
		t.Errorf("%d orders seen, chi-squared %.1f", len(counts), chi2)
	}
}

// Lemire's step rejects what would make small values likelier: with a source
// that first gives a rejected word, below must draw again.
func TestBelowRejects(t *testing.T) {
	words := []uint32{0, 0x80000000}
	next := func() uint32 { w := words[0]; words = words[1:]; return w }
	if got := below(3, next); got != 1 || len(words) != 0 {
		t.Errorf("below(3) = %d with %d words left, want 1 and 0", got, len(words))
	}
}

func BenchmarkNormal(b *testing.B) {
	x := make([]float32, 4096)
	for b.Loop() {
		Normal(x, Key{1, 2}, 3)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/element")
}
