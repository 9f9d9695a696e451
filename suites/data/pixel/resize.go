package pixel

import (
	"math"
	"sync"
)

const weightBits = 32 - 8 - 2 // as Pillow's

// Filter is the kernel of a resize, widened by the scale when shrinking so that nothing aliases.
type Filter int

const (
	Bilinear Filter = iota // a triangle
	Box                    // the mean of the pixels covered; the nearest pixel when enlarging
)

// tap is the part of a source line that makes one destination sample, with its weights in fixed
// point.
type tap struct {
	first   int
	weights []int32
}

// taps make samples from … from+count-1 of the m to which a line of n is resized.
type taps struct {
	each    []tap
	weights []int32 // of all
	sharp   []float64
}

func (t *taps) set(n, m, from, count int, filter Filter) {
	scale := float64(n) / float64(m)
	width := max(scale, 1)
	support := width
	if filter == Box {
		support = width / 2
	}
	most := 2*int(math.Ceil(support)) + 1
	t.each, t.weights, t.sharp = grown(t.each, count), grown(t.weights, count*most), grown(t.sharp, most)
	for i := range t.each {
		centre := (float64(from+i) + 0.5) * scale
		first := max(int(centre-support+0.5), 0)
		last := min(int(centre+support+0.5), n)
		sharp, sum := t.sharp[:last-first], 0.0
		for j := range sharp {
			at := (float64(first+j) - centre + 0.5) / width
			w := max(1-math.Abs(at), 0)
			if filter == Box {
				w = 0
				if -0.5 < at && at <= 0.5 {
					w = 1
				}
			}
			sharp[j] = w
			sum += w
		}
		fixed := t.weights[i*most:][:len(sharp)]
		for j, w := range sharp {
			fixed[j] = int32(0.5 + w/sum*(1<<weightBits))
		}
		// The ends of a triangle may weigh nothing; without them enlarging takes two samples.
		for len(fixed) > 1 && fixed[len(fixed)-1] == 0 {
			fixed = fixed[:len(fixed)-1]
		}
		for len(fixed) > 1 && fixed[0] == 0 {
			first, fixed = first+1, fixed[1:]
		}
		t.each[i] = tap{first, fixed}
	}
}

// span is the part of the source that the taps need.
func (t *taps) span() (from, to int) {
	last := t.each[len(t.each)-1]
	return t.each[0].first, last.first + len(last.weights)
}

// sample is a filtered sample of its fixed-point sum, which is positive and may only by rounding
// come to more than 255.
func sample(sum int32) uint8 { return uint8(min(uint32(sum)>>weightBits, 255)) }

// scratch is the memory of one resize or conversion under way.
type scratch struct {
	part, narrow Image
	cols, rows   taps
	sums         []int32
	cb, cr       []uint8
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// grown is s with n elements, whatever they are.
func grown[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}

// Resize makes m a copy of src of h x w pixels: the bits of Pillow's resize, which filters rows,
// rounds to 8 bits, and then filters columns.
func (m *Image) Resize(src Image, h, w int, filter Filter) {
	m.resize(src.Picture(), h, w, 0, 0, h, w, filter)
}

// Fit makes m a size x size picture of src: the shorter side is resized (Bilinear) to size, the
// longer in proportion (rounded down), and the centre square is kept, as torchvision's Resize and
// CenterCrop do.
func (m *Image) Fit(src Picture, size int) { m.FitCrop(src, size, size) }

// FitCrop is Fit with the shorter side resized to short, of which the centre square of side is
// kept.
func (m *Image) FitCrop(src Picture, short, side int) {
	h, w := short, short
	if shape := src.Shape(); shape[1] < shape[2] {
		w = short * shape[2] / shape[1]
	} else {
		h = short * shape[1] / shape[2]
	}
	// Half to even, as Python rounds.
	y := int(math.RoundToEven(float64(h-side) / 2))
	x := int(math.RoundToEven(float64(w-side) / 2))
	m.resize(src, h, w, y, x, side, side, Bilinear)
}

// resize makes m the window of height x width pixels at (y, x) of src resized to h x w. Only what
// the window needs of src is converted and filtered.
func (m *Image) resize(src Picture, h, w, y, x, height, width int, filter Filter) {
	shape := src.Shape()
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	top, bottom, left, right := y, y+height, x, x+width
	if shape[1] != h {
		s.rows.set(shape[1], h, y, height, filter)
		top, bottom = s.rows.span()
	}
	if shape[2] != w {
		s.cols.set(shape[2], w, x, width, filter)
		left, right = s.cols.span()
	}
	if shape[1] == h && shape[2] == w {
		src.Window(m, top, left, height, width)
		return
	}
	part := src.window(&s.part, top, left, bottom-top, right-left)
	narrow := part
	if shape[2] != w {
		to := &s.narrow
		if shape[1] == h {
			to = m
		}
		to.Reshape(shape[0], part.H, width)
		filterRows(to.Pix, part.Pix, shape[0]*part.H, part.W, width, left, s.cols.each)
		narrow = *to
	}
	if shape[1] == h {
		return
	}
	m.Reshape(shape[0], height, width)
	s.sums = grown(s.sums, width)
	for c := range shape[0] {
		in, out := narrow.Plane(c), m.Plane(c)
		for i, t := range s.rows.each {
			filterColumns(out[i*width:][:width], in[(t.first-top)*width:], t.weights, s.sums)
		}
	}
}

// filterColumns makes one line of the lines that in begins with, one a weight. Lines are taken in
// pairs, which halves the traffic of sums.
func filterColumns(out, in []uint8, weights []int32, sums []int32) {
	const half = 1 << (weightBits - 1)
	n := len(out)
	sums = sums[:n]
	if len(weights)%2 == 1 {
		k := weights[0]
		for x, v := range in[:n] {
			sums[x] = half + int32(v)*k
		}
		in, weights = in[n:], weights[1:]
	} else {
		for x := range sums {
			sums[x] = half
		}
	}
	for ; len(weights) > 2; weights = weights[2:] {
		k, l := weights[0], weights[1]
		a, b := in[:n], in[n:][:n]
		for x, v := range a {
			sums[x] += int32(v)*k + int32(b[x])*l
		}
		in = in[2*n:]
	}
	if len(weights) == 0 {
		for x, v := range sums {
			out[x] = sample(v)
		}
		return
	}
	k, l := weights[0], weights[1]
	a, b := in[:n], in[n:][:n]
	for x, v := range a {
		out[x] = sample(sums[x] + int32(v)*k + int32(b[x])*l)
	}
}

// filterRows resizes rows lines of n samples, the first of which is sample left of the source, to
// m, four lines at a time, which share the work on the weights.
func filterRows(dst, src []uint8, rows, n, m, left int, cols []tap) {
	const half = 1 << (weightBits - 1)
	r := 0
	for ; r+4 <= rows; r += 4 {
		a, b, c, d := src[r*n:][:n], src[(r+1)*n:][:n], src[(r+2)*n:][:n], src[(r+3)*n:][:n]
		for x, tap := range cols {
			k, at := tap.weights, tap.first-left
			p, q, s, t := a[at:][:len(k)], b[at:][:len(k)], c[at:][:len(k)], d[at:][:len(k)]
			sp, sq, ss, st := int32(half), int32(half), int32(half), int32(half)
			if len(k) == 2 { // as in enlarging
				v, w := k[0], k[1]
				sp += int32(p[0])*v + int32(p[1])*w
				sq += int32(q[0])*v + int32(q[1])*w
				ss += int32(s[0])*v + int32(s[1])*w
				st += int32(t[0])*v + int32(t[1])*w
			} else {
				for j, v := range k {
					sp += int32(p[j]) * v
					sq += int32(q[j]) * v
					ss += int32(s[j]) * v
					st += int32(t[j]) * v
				}
			}
			at = r*m + x
			dst[at], dst[at+m], dst[at+2*m], dst[at+3*m] = sample(sp), sample(sq), sample(ss), sample(st)
		}
	}
	for ; r < rows; r++ {
		in := src[r*n:][:n]
		for x, tap := range cols {
			sum := int32(half)
			for j, v := range tap.weights {
				sum += int32(in[tap.first-left+j]) * v
			}
			dst[r*m+x] = sample(sum)
		}
	}
}
