package kernel

import "math"

// lanes is the number of partial sums of Sum and Dot: element i of a chunk
// goes to lane i mod 32, and lanes are joined in the order of joinLanes. Each
// chunk of sumChunk elements is summed on its own and the chunks' sums are
// added in float64, so long sums stay accurate and their order is a function
// of the length alone.
const (
	lanes    = 32
	sumChunk = 4096
)

// Sum returns Σ x[i].
func Sum(x []float32) float32 {
	if len(x) <= sumChunk {
		return active.sum(x)
	}
	var s float64
	for len(x) > sumChunk {
		s += float64(active.sum(x[:sumChunk]))
		x = x[sumChunk:]
	}
	return float32(s + float64(active.sum(x)))
}

// Dot returns Σ a[i]·b[i].
func Dot(a, b []float32) float32 {
	mustEqual(len(a), len(b))
	if len(a) <= sumChunk {
		return active.dot(a, b)
	}
	var s float64
	for len(a) > sumChunk {
		s += float64(active.dot(a[:sumChunk], b[:sumChunk]))
		a, b = a[sumChunk:], b[sumChunk:]
	}
	return float32(s + float64(active.dot(a, b)))
}

// MaxOf returns the largest element: −Inf of an empty slice, NaN if any is NaN.
func MaxOf(x []float32) float32 { return active.maxOf(x) }

// longCols is how many rows SumCols adds in float32: a running sum of more
// terms loses a like share of each, 3e-4 at 65,536 of them.
const longCols = 1024

// SumCols sets dst[c] = Σ_r x[r·ld+c] for c < len(dst): the rows are added in
// order, in float64 where they are many. A range of columns of a wider matrix
// is x shifted, with its ld.
func SumCols(dst, x []float32, rows, ld int) {
	if rows > longCols {
		sumLongCols(dst, x, rows, ld)
		return
	}
	Fill(dst, 0)
	for r := range rows {
		Add.Apply(dst, dst, x[r*ld:r*ld+len(dst)])
	}
}

func sumLongCols(dst, x []float32, rows, ld int) {
	for len(dst) > 0 {
		var sums [64]float64
		n := min(len(sums), len(dst))
		for r := range rows {
			for c, v := range x[r*ld : r*ld+n] {
				sums[c] += float64(v)
			}
		}
		for c := range n {
			dst[c] = float32(sums[c])
		}
		dst = dst[n:]
		x = x[min(n, len(x)):]
	}
}

// MaxCols sets dst[c] = max_r x[r·ld+c] for c < len(dst), −Inf where rows = 0.
func MaxCols(dst, x []float32, rows, ld int) {
	Fill(dst, float32(math.Inf(-1)))
	for r := range rows {
		Max.Apply(dst, dst, x[r*ld:r*ld+len(dst)])
	}
}

func sumGo(x []float32) float32 {
	var l [lanes]float32
	for ; len(x) >= lanes; x = x[lanes:] {
		for i, v := range (*[lanes]float32)(x) {
			l[i] += v
		}
	}
	for i, v := range x {
		l[i] += v
	}
	return joinLanes(&l)
}

func dotGo(a, b []float32) float32 {
	var l [lanes]float32
	for ; len(a) >= lanes; a, b = a[lanes:], b[lanes:] {
		for i, v := range (*[lanes]float32)(a) {
			l[i] += v * b[i]
		}
	}
	for i, v := range a {
		l[i] += v * b[i]
	}
	return joinLanes(&l)
}

// joinLanes adds the upper half to the lower until one lane is left.
func joinLanes(l *[lanes]float32) float32 {
	for n := lanes / 2; n > 0; n /= 2 {
		for i := range n {
			l[i] += l[i+n]
		}
	}
	return l[0]
}

func maxOfGo(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}
