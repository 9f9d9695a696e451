package kernel

import "math"

// Window is the geometry of pooling over Planes = N·C planes of H×W.
type Window struct {
	Planes, H, W     int
	KH, KW           int
	StrideH, StrideW int
	PadH, PadW       int
}

// Out returns the height and width of the result.
func (v *Window) Out() (oh, ow int) {
	return (v.H+2*v.PadH-v.KH)/v.StrideH + 1, (v.W+2*v.PadW-v.KW)/v.StrideW + 1
}

// windowRun is the pooling that the pool is working on.
type windowRun struct {
	pool                           *Pool
	v                              Window
	x, y, dx                       []float32
	max, maxGrad, average, avgGrad func(task, worker int)
}

func (r *windowRun) init(p *Pool) {
	r.pool = p
	r.max = r.planes((*windowRun).maxPlane)
	r.maxGrad = r.planes((*windowRun).maxGradPlane)
	r.average = r.planes((*windowRun).averagePlane)
	r.avgGrad = r.planes((*windowRun).avgGradPlane)
}

// tasks is how many tasks the planes are cut into.
func (r *windowRun) tasks() int { return min(r.v.Planes, 8*r.pool.workers) }

func (r *windowRun) planes(f func(r *windowRun, plane int, row []float32)) func(task, worker int) {
	return func(task, worker int) {
		row := r.pool.scratch[worker*r.v.W : (worker+1)*r.v.W]
		lo, hi := part(r.v.Planes, r.tasks(), task)
		for plane := lo; plane < hi; plane++ {
			f(r, plane, row)
		}
	}
}

func (r *windowRun) run(v *Window, dx, x, y []float32, task func(task, worker int)) {
	oh, ow := v.Out()
	mustEqual(len(y), v.Planes*oh*ow)
	if x != nil {
		mustEqual(len(x), v.Planes*v.H*v.W)
	}
	if dx != nil {
		mustEqual(len(dx), v.Planes*v.H*v.W)
	}
	r.pool.Reserve(r.pool.WindowScratch(v))
	r.v, r.x, r.y, r.dx = *v, x, y, dx
	r.pool.Run(r.tasks(), task)
	r.x, r.y, r.dx = nil, nil, nil
}

// WindowScratch returns how many floats of scratch the pooling kernels need.
func (p *Pool) WindowScratch(v *Window) int { return p.workers * v.W }

// MaxPool computes the maximum of each window; padding never wins, and NaN does.
func (p *Pool) MaxPool(v *Window, y, x []float32) { p.window.run(v, nil, x, y, p.window.max) }

// MaxPoolGrad gives the gradient dy of each window to the first maximum in
// row-major order within it. Windows add up where they overlap. Which element
// of a window that holds a NaN receives it is not specified. dx may be x where
// GradInPlace says so.
func (p *Pool) MaxPoolGrad(v *Window, dx, x, dy []float32) {
	p.window.run(v, dx, x, dy, p.window.maxGrad)
}

// GradInPlace reports whether MaxPoolGrad may write over x: where windows neither
// overlap nor leave anything out, and are of the size that most networks use.
func (v *Window) GradInPlace() bool { return v.pairs() && v.H%2 == 0 && v.W%2 == 0 }

// AvgPool computes the mean of each window, padding counted as zeros.
func (p *Pool) AvgPool(v *Window, y, x []float32) { p.window.run(v, nil, x, y, p.window.average) }

// AvgPoolGrad spreads dy evenly over each window.
func (p *Pool) AvgPoolGrad(v *Window, dx, dy []float32) {
	p.window.run(v, dx, nil, dy, p.window.avgGrad)
}

// planeOf returns the plane'th part of a slice of planes of n, or nil of nil.
func planeOf(x []float32, plane, n int) []float32 {
	if x == nil {
		return nil
	}
	return x[plane*n : (plane+1)*n]
}

// inside returns the part of a window that lies on the axis.
func inside(o, stride, pad, k, n int) (lo, hi int) {
	lo = o*stride - pad
	return max(lo, 0), min(lo+k, n)
}

// maxOfRows sets row to the maximum of the rows of x under a row of windows.
func (v *Window) maxOfRows(row, x []float32, oy int) {
	y0, y1 := inside(oy, v.StrideH, v.PadH, v.KH, v.H)
	copy(row, x[y0*v.W:(y0+1)*v.W])
	for y := y0 + 1; y < y1; y++ {
		active.binary[Max](row, row, x[y*v.W:(y+1)*v.W])
	}
}

func (r *windowRun) maxPlane(plane int, row []float32) {
	v := &r.v
	oh, ow := v.Out()
	x, y := planeOf(r.x, plane, v.H*v.W), planeOf(r.y, plane, oh*ow)
	if v.pairs() {
		for oy := range oh {
			top := x[2*oy*v.W:]
			active.maxPairs(y[oy*ow:(oy+1)*ow], top[:2*ow], top[v.W:v.W+2*ow])
		}
		return
	}
	for oy := range oh {
		v.maxOfRows(row, x, oy)
		for ox := range ow {
			x0, x1 := inside(ox, v.StrideW, v.PadW, v.KW, v.W)
			m := float32(math.Inf(-1))
			for _, e := range row[x0:x1] {
				m = max(m, e)
			}
			y[oy*ow+ox] = m
		}
	}
}

func (r *windowRun) maxGradPlane(plane int, _ []float32) {
	v := &r.v
	oh, ow := v.Out()
	x, dy, dx := planeOf(r.x, plane, v.H*v.W), planeOf(r.y, plane, oh*ow), planeOf(r.dx, plane, v.H*v.W)
	if v.pairs() {
		if v.H > 2*oh || v.W > 2*ow {
			clear(dx)
		}
		for oy := range oh {
			top, dtop := x[2*oy*v.W:], dx[2*oy*v.W:]
			active.maxPairsGrad(dtop[:2*ow], dtop[v.W:v.W+2*ow], top[:2*ow], top[v.W:v.W+2*ow], dy[oy*ow:(oy+1)*ow])
		}
		return
	}
	clear(dx)
	var first [64]uint32
	for oy := range oh {
		y0, y1 := inside(oy, v.StrideH, v.PadH, v.KH, v.H)
		for from := 0; from < ow; from += len(first) {
			to := min(from+len(first), ow)
			for ox := from; ox < to; ox++ {
				x0, x1 := inside(ox, v.StrideW, v.PadW, v.KW, v.W)
				first[ox-from] = firstMaximum(x, v.W, x0, x1, y0, y1)
			}
			// Apart, because a store that the next window may or may
			// not read stalls the search.
			for ox := from; ox < to; ox++ {
				dx[first[ox-from]] += dy[oy*ow+ox]
			}
		}
	}
}

// firstMaximum returns the place in x of the first maximum of a window. It
// keeps the value in the upper half of an integer, where integers sort as the
// floats do, and below it the place, the first highest: the maximum of those
// needs no branch that is mispredicted.
func firstMaximum(x []float32, w, x0, x1, y0, y1 int) uint32 {
	best := int64(math.MinInt64)
	for iy := y0; iy < y1; iy++ {
		at := iy*w + x0
		place := int64(math.MaxUint32 - at)
		for _, e := range x[at : at+x1-x0] {
			b := int32(math.Float32bits(e + 0)) // -0 is 0
			b ^= b >> 31 & math.MaxInt32
			best = max(best, int64(b)<<32|place)
			place--
		}
	}
	return math.MaxUint32 - uint32(best)
}

func (r *windowRun) averagePlane(plane int, _ []float32) {
	v := &r.v
	oh, ow := v.Out()
	x, y := planeOf(r.x, plane, v.H*v.W), planeOf(r.y, plane, oh*ow)
	scale := 1 / float32(v.KH*v.KW)
	for oy := range oh {
		y0, y1 := inside(oy, v.StrideH, v.PadH, v.KH, v.H)
		for ox := range ow {
			x0, x1 := inside(ox, v.StrideW, v.PadW, v.KW, v.W)
			var s float32
			for iy := y0; iy < y1; iy++ {
				for _, e := range x[iy*v.W+x0 : iy*v.W+x1] {
					s += e
				}
			}
			y[oy*ow+ox] = s * scale
		}
	}
}

func (r *windowRun) avgGradPlane(plane int, _ []float32) {
	v := &r.v
	oh, ow := v.Out()
	dy, dx := planeOf(r.y, plane, oh*ow), planeOf(r.dx, plane, v.H*v.W)
	Fill(dx, 0)
	scale := 1 / float32(v.KH*v.KW)
	for oy := range oh {
		y0, y1 := inside(oy, v.StrideH, v.PadH, v.KH, v.H)
		for ox := range ow {
			x0, x1 := inside(ox, v.StrideW, v.PadW, v.KW, v.W)
			g := dy[oy*ow+ox] * scale
			for iy := y0; iy < y1; iy++ {
				for at := iy*v.W + x0; at < iy*v.W+x1; at++ {
					dx[at] += g
				}
			}
		}
	}
}

// pairs says whether the windows are the disjoint 2×2 blocks of most networks.
func (v *Window) pairs() bool {
	return v.KH == 2 && v.KW == 2 && v.StrideH == 2 && v.StrideW == 2 && v.PadH == 0 && v.PadW == 0
}

// maxPairsGo sets dst[i] to the maximum of elements 2i and 2i+1 of a and b.
func maxPairsGo(dst, a, b []float32) {
	for i := range dst {
		dst[i] = max(a[2*i], a[2*i+1], b[2*i], b[2*i+1])
	}
}

// maxPairsGradGo gives g[i] to the first maximum among elements 2i and 2i+1 of
// a, then of b, and 0 to the others.
func maxPairsGradGo(da, db, a, b, g []float32) {
	for i, v := range g {
		a2, b2, da2, db2 := a[2*i:2*i+2], b[2*i:2*i+2], da[2*i:2*i+2], db[2*i:2*i+2]
		a0, a1, b0, b1 := a2[0], a2[1], b2[0], b2[1] // da may be a, and db b
		da2[0], da2[1], db2[0], db2[1] = 0, 0, 0, 0
		switch max(a0, a1, b0, b1) {
		case a0:
			da2[0] = v
		case a1:
			da2[1] = v
		case b0:
			db2[0] = v
		case b1:
			db2[1] = v
		}
	}
}
