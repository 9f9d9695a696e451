package kernel

// The gradient with respect to the weights, where few channels meet many
// pixels, puts pixels in lanes. dy is read where it is. Of x there is a copy for
// each channel and kernel column, shifted by that column and as wide as dy, so
// that a kernel row's window is a run of as many floats as dy has, a few rows
// further on; the copies of a stretch of rows stay in the first-level cache
// while all result channels go through them. Lanes are added at the end of a
// slice of the images.

// dotsFunc computes, for so many rows and taps, which are fixed for each
// function, and lanes l:
//
//	sums[(r·taps+t)·lanes+l] += Σ a[r·lda+i]·b[t·ldb+i]   over i < n, i ≡ l
type dotsFunc = func(n int, a, b, sums []float32, lda, ldb int)

// dots is the functions of one instruction set.
type dots struct {
	lanes int
	run   [mostTaps + 1][]dotsFunc // by taps, from leastTaps on, and by rows
}

const (
	leastTaps, mostTaps = 3, 5
	// stretchPixels is about how many pixels one call goes through.
	stretchPixels = 640
	// pixelWeights bounds the weights: their sums are kept for every lane.
	pixelWeights = 8 << 10
)

// gradByPixels reports whether the gradient has pixels in lanes. It depends on
// the shape alone.
func (v *Conv) gradByPixels() bool {
	oh, ow := v.Out()
	_, weights, _ := v.sizes()
	return v.Groups == 1 && v.StrideH == 1 && v.StrideW == 1 && v.C <= rowChannels && v.C*v.KW >= leastTaps &&
		v.N >= gradSlices && oh*ow >= 64 && weights <= pixelWeights
}

// pixelPlan is how the gradient is cut up, and its scratch.
type pixelPlan struct {
	slices    int // of the images, summed apart: a function of the shape
	stretches int // of the rows of dy
	panels    int // of result channels
	taps      int // windows of a kernel row: channels × kernel columns
	tapParts  int
	copied    int // floats of one copy of x
	weights   int
	image     int // floats of an image of MapX(x), 0 where it is x
	scratch   Scratch
}

func (v *Conv) pixelPlan() pixelPlan {
	d := active.dots
	oh, ow := v.Out()
	l := pixelPlan{slices: min(v.N, maxSlices), stretches: ceilDiv(oh, max(1, stretchPixels/ow)), taps: v.C * v.KW}
	_, l.weights, _ = v.sizes()
	l.tapParts = ceilDiv(l.taps, mostTaps)
	l.panels = panels(v.O, len(d.run[ceilDiv(l.taps, l.tapParts)])-1)
	l.copied = (ceilDiv(oh, l.stretches) + v.KH - 1) * ow
	if v.MapX != Identity {
		l.image = v.C * v.H * v.W
	}
	l.scratch = Scratch{l.slices * l.weights, l.taps*l.copied + l.image + 2*d.lanes*l.weights}
	return l
}

// pixelRun is the weight gradient by pixels that the pool is working on.
type pixelRun struct {
	pool      *Pool
	v         Conv
	plan      pixelPlan
	x, dy     []float32
	sliceTask func(task, worker int)
}

func (r *pixelRun) init(p *Pool) {
	r.pool, r.sliceTask = p, r.doSlice
}

func (p *Pool) weightGradientByPixels(v *Conv, dw, x, dy []float32) {
	r := &p.conv.pixels
	r.v, r.plan = *v, v.pixelPlan()
	p.ReserveBoth(r.plan.scratch)
	r.x, r.dy = x, dy
	p.Run(r.plan.slices, r.sliceTask)
	r.x, r.dy = nil, nil
	r.join(dw)
}

// doSlice computes the gradient of a slice of the images.
func (r *pixelRun) doSlice(slice, worker int) {
	v, l, lanes := &r.v, &r.plan, active.dots.lanes
	own := r.pool.own[worker]
	copies, own := own[:l.taps*l.copied], own[l.taps*l.copied:]
	mapped, own := own[:l.image], own[l.image:]
	sums, turned := own[:lanes*l.weights], own[lanes*l.weights:][:lanes*l.weights]
	oh, ow := v.Out()
	clear(sums)
	first, end := part(v.N, l.slices, slice)
	for n := first; n < end; n++ {
		x := r.x[n*v.C*v.H*v.W:][:v.C*v.H*v.W]
		if v.MapX != Identity {
			active.unary[v.MapX](mapped, x)
			x = mapped
		}
		for i := range l.stretches {
			y0, y1 := part(oh, l.stretches, i)
			r.copyWindows(copies, x, y0, y1)
			r.multiply(sums, r.dy[n*v.O*oh*ow+y0*ow:], copies, (y1-y0)*ow)
		}
	}
	transpose(turned, l.weights, sums, lanes, l.weights, lanes)
	for n := lanes / 2 * l.weights; n >= l.weights; n /= 2 {
		active.binary[Add](turned[:n], turned[:n], turned[n:2*n])
	}
	copy(r.pool.scratch[slice*l.weights:], turned[:l.weights])
}

// copyWindows makes the copies of an image for rows y0 to y1 of dy.
func (r *pixelRun) copyWindows(copies, x []float32, y0, y1 int) {
	v, l := &r.v, &r.plan
	_, ow := v.Out()
	// Rows of x, of which some may lie in the padding.
	top, bottom := y0-v.PadH, y1-v.PadH+v.KH-1
	from, to := max(0, top), min(v.H, bottom)
	for ch := range v.C {
		for kx := range v.KW {
			window := copies[(ch*v.KW+kx)*l.copied:][:(bottom-top)*ow]
			lo, hi := span(ow, v.W, 1, v.PadW, kx)
			if lo > 0 || hi < ow || from > top || to < bottom {
				clear(window)
			}
			if from < to && lo < hi {
				active.copyRows(window[(from-top)*ow+lo:], ow, x[(ch*v.H+from)*v.W+lo+kx-v.PadW:], v.W, to-from, hi-lo)
			}
		}
	}
}

// multiply adds what n pixels of dy give to the sums, which are in the order
// panel, kernel row, part of the taps, result channel, tap.
func (r *pixelRun) multiply(sums, dy, copies []float32, n int) {
	v, l, d := &r.v, &r.plan, active.dots
	oh, ow := v.Out()
	for p := range l.panels {
		lo, hi := part(v.O, l.panels, p)
		for ky := range v.KH {
			for i := range l.tapParts {
				t0, t1 := part(l.taps, l.tapParts, i)
				d.run[t1-t0][hi-lo](n, dy[lo*oh*ow:], copies[t0*l.copied+ky*ow:], sums, oh*ow, l.copied)
				sums = sums[(hi-lo)*(t1-t0)*d.lanes:]
			}
		}
	}
}

// join adds the slices in order and writes them in the order of the weights.
func (r *pixelRun) join(dw []float32) {
	v, l := &r.v, &r.plan
	sums := r.pool.scratch[:l.weights]
	for s := 1; s < l.slices; s++ {
		active.binary[Add](sums, sums, r.pool.scratch[s*l.weights:(s+1)*l.weights])
	}
	at := 0
	for p := range l.panels {
		lo, hi := part(v.O, l.panels, p)
		for ky := range v.KH {
			for i := range l.tapParts {
				t0, t1 := part(l.taps, l.tapParts, i)
				for o := lo; o < hi; o++ {
					for t := t0; t < t1; t++ {
						dw[((o*v.C+t/v.KW)*v.KH+ky)*v.KW+t%v.KW] = sums[at]
						at++
					}
				}
			}
		}
	}
}

// dotsGo is the portable functions, of up to 4 rows.
var dotsGo = func() dots {
	d := dots{lanes: 8}
	for taps := leastTaps; taps <= mostTaps; taps++ {
		d.run[taps] = []dotsFunc{nil, portableDots(1, taps), portableDots(2, taps), portableDots(3, taps), portableDots(4, taps)}
	}
	return d
}()

func portableDots(rows, taps int) dotsFunc {
	return func(n int, a, b, sums []float32, lda, ldb int) {
		for r := range rows {
			for t := range taps {
				var acc [8]float32
				a, b := a[r*lda:][:n], b[t*ldb:][:n]
				for ; len(a) >= 8; a, b = a[8:], b[8:] {
					bv := (*[8]float32)(b)
					for l, v := range (*[8]float32)(a) {
						acc[l] += v * bv[l]
					}
				}
				for l, v := range a {
					acc[l] += v * b[l]
				}
				sum := sums[(r*taps+t)*8:][:8]
				for l, v := range acc {
					sum[l] += v
				}
			}
		}
	}
}
