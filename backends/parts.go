package backends

// SumParts is the number of equal parts that a sum of n terms is to be taken in
// by a backend whose library adds them in order; 1 if n is small, or has no
// divisor near its root. In float32 a running sum loses a like share of each of
// its terms: 235,200 terms about 4 came out 0.14 % too small.
func SumParts(n int) int {
	if n <= 1024 {
		return 1
	}
	parts := 1
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			parts = d
		}
	}
	return parts
}
