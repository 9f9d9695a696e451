package kernel

// Fill sets every element of dst to v.
func Fill(dst []float32, v float32) {
	if len(dst) == 0 {
		return
	}
	// Doubling copies run at the speed of memmove.
	dst[0] = v
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// RepeatEach sets dst[i·r+j] = x[i] for j < r: a column spread over rows of
// length r. len(dst) = r·len(x).
func RepeatEach(dst, x []float32, r int) {
	mustEqual(len(dst), r*len(x))
	for i, v := range x {
		row := dst[i*r : (i+1)*r]
		if r < 16 {
			for j := range row {
				row[j] = v
			}
		} else {
			Fill(row, v)
		}
	}
}

// TileRow sets dst[i] = row[(start+i) mod len(row)]: a row repeated down a
// matrix, from any element on, so that a block may begin anywhere.
func TileRow(dst, row []float32, start int) {
	for at := start % len(row); len(dst) > 0; at = 0 {
		n := copy(dst, row[at:])
		dst = dst[n:]
	}
}

// Prefetch asks for the cache lines of x ahead of their use.
func Prefetch(x []float32) { active.prefetch(x) }

// Prefetches reports whether Prefetch may be called: the instruction set has it,
// and it helps. CPUs that have AVX-512 fetch blocks that are gone through one
// after the other as well on their own, and the instructions cost time.
func Prefetches() bool { return active.prefetch != nil }

// Transpose writes the cols×rows transpose of the rows×cols matrix x.
func Transpose(dst, x []float32, rows, cols int) {
	mustEqual(len(dst), rows*cols)
	mustEqual(len(x), rows*cols)
	transpose(dst, rows, x, cols, rows, cols)
}

// transpose writes dst[j·ldd+i] = x[i·ldx+j] for i < rows, j < cols.
func transpose(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	active.transpose(dst, ldd, x, ldx, rows, cols)
}

func transposeGo(dst []float32, ldd int, x []float32, ldx, rows, cols int) {
	const tile = 8
	for i0 := 0; i0 < rows; i0 += tile {
		i1 := min(i0+tile, rows)
		for j := range cols {
			d := dst[j*ldd+i0 : j*ldd+i1]
			at := i0*ldx + j
			for i := range d {
				d[i] = x[at]
				at += ldx
			}
		}
	}
}
