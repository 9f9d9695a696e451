package pixel

import (
	"math"
	"sync"
)

// window is the part of a source line that makes one destination sample, with its weights in fixed point.
type window struct {
	first   int
	weights []int32
}

const weightBits = 32 - 8 - 2 // as Pillow's

// Filter is the kernel of a resize, widened by the scale when shrinking so that nothing aliases.
type Filter int

const (
	Bilinear Filter = iota // a triangle
	Box                    // the mean of the pixels covered; the nearest pixel when enlarging
)

// windows are the weights that map a line of n samples to one of m.
func windows(n, m int, filter Filter) []window {
	scale := float64(n) / float64(m)
	width := max(scale, 1)
	support := width
	if filter == Box {
		support = width / 2
	}
	all := make([]window, m)
	weights := make([]float64, 0, int(math.Ceil(support))*2+1)
	for i := range all {
		centre := (float64(i) + 0.5) * scale
		first := max(int(centre-support+0.5), 0)
		last := min(int(centre+support+0.5), n)
		weights = weights[:0]
		sum := 0.0
		for j := first; j < last; j++ {
			at := (float64(j) - centre + 0.5) / width
			w := max(1-math.Abs(at), 0)
			if filter == Box {
				w = 0
				if -0.5 < at && at <= 0.5 {
					w = 1
				}
			}
			weights = append(weights, w)
			sum += w
		}
		fixed := make([]int32, len(weights))
		for j, w := range weights {
			fixed[j] = int32(0.5 + w/sum*(1<<weightBits))
		}
		all[i] = window{first, fixed}
	}
	return all
}

type sizes struct {
	from, to int
	filter   Filter
}

// The weights of recent sizes are kept: a data set has few.
var (
	windowsMu   sync.Mutex
	windowsSeen = map[sizes][]window{}
)

func cachedWindows(n, m int, filter Filter) []window {
	windowsMu.Lock()
	defer windowsMu.Unlock()
	key := sizes{n, m, filter}
	w, ok := windowsSeen[key]
	if !ok {
		if len(windowsSeen) >= 512 {
			clear(windowsSeen)
		}
		w = windows(n, m, filter)
		windowsSeen[key] = w
	}
	return w
}

// Scratch memory of resizes under way.
var (
	lines        = sync.Pool{New: func() any { return new(Image) }}
	accumulators = sync.Pool{New: func() any { return new([]int32) }}
)

// Resize makes m a copy of src of h x w pixels: the bits of Pillow's resize, which filters rows, rounds to 8 bits, and then
// filters columns.
func (m *Image) Resize(src Image, h, w int, filter Filter) {
	if src.H == h && src.W == w {
		m.CopyFrom(src)
		return
	}
	narrow := src
	if src.W != w {
		tmp := lines.Get().(*Image)
		defer lines.Put(tmp)
		tmp.Reshape(src.C, src.H, w)
		if src.H == h {
			tmp = m
			m.Reshape(src.C, h, w)
		}
		cols := cachedWindows(src.W, w, filter)
		filterRows(tmp.Pix, src.Pix, src.C*src.H, src.W, w, cols)
		if src.H == h {
			return
		}
		narrow = *tmp
	}
	m.Reshape(src.C, h, w)
	rows := cachedWindows(src.H, h, filter)
	acc := accumulators.Get().(*[]int32)
	defer accumulators.Put(acc)
	if cap(*acc) < w {
		*acc = make([]int32, w)
	}
	sums := (*acc)[:w]
	for c := range src.C {
		in, out := narrow.Plane(c), m.Plane(c)
		for y, win := range rows {
			for x := range sums {
				sums[x] = 1 << (weightBits - 1)
			}
			for j, k := range win.weights {
				for x, v := range in[(win.first+j)*w:][:w] {
					sums[x] += int32(v) * k
				}
			}
			for x, s := range sums {
				out[y*w+x] = clip(s >> weightBits)
			}
		}
	}
}

// filterRows resizes rows lines of n samples to m, four lines at a time, which share the work on the weights.
func filterRows(dst, src []uint8, rows, n, m int, cols []window) {
	const half = 1 << (weightBits - 1)
	r := 0
	for ; r+4 <= rows; r += 4 {
		a, b, c, d := src[r*n:][:n], src[(r+1)*n:][:n], src[(r+2)*n:][:n], src[(r+3)*n:][:n]
		for x, win := range cols {
			k := win.weights
			p, q, s, t := a[win.first:][:len(k)], b[win.first:][:len(k)], c[win.first:][:len(k)], d[win.first:][:len(k)]
			sp, sq, ss, st := int32(half), int32(half), int32(half), int32(half)
			for j, v := range k {
				sp += int32(p[j]) * v
				sq += int32(q[j]) * v
				ss += int32(s[j]) * v
				st += int32(t[j]) * v
			}
			at := r*m + x
			dst[at], dst[at+m], dst[at+2*m], dst[at+3*m] = clip(sp>>weightBits), clip(sq>>weightBits), clip(ss>>weightBits), clip(st>>weightBits)
		}
	}
	for ; r < rows; r++ {
		in := src[r*n:][:n]
		for x, win := range cols {
			sum := int32(half)
			for j, v := range win.weights {
				sum += int32(in[win.first+j]) * v
			}
			dst[r*m+x] = clip(sum >> weightBits)
		}
	}
}

// Fit makes m a size x size picture of src: the shorter side is resized (Bilinear) to size, the longer in proportion (rounded
// down), and the centre square is kept, as torchvision's Resize and CenterCrop do.
func (m *Image) Fit(src Image, size int) {
	h, w := size, size
	if src.H < src.W {
		w = size * src.W / src.H
	} else {
		h = size * src.H / src.W
	}
	if h == size && w == size {
		m.Resize(src, size, size, Bilinear)
		return
	}
	tmp := lines.Get().(*Image)
	defer lines.Put(tmp)
	tmp.Resize(src, h, w, Bilinear)
	// Half to even, as Python rounds.
	y := int(math.RoundToEven(float64(h-size) / 2))
	x := int(math.RoundToEven(float64(w-size) / 2))
	m.Crop(*tmp, y, x, size, size)
}
