package kernel

// The forward pass and the gradient with respect to the input by Winograd's
// transforms (winograd.go), on the source as convlanes.go packs it, with images
// in lanes: a transform is then the same arithmetic on channels × images
// numbers at once, and each of the 36 products a matrix product of the
// transformed kernels with a ready panel of channels × images.

// tilePlan is how a correlation is cut into tasks of a few tiles of one row. One
// that scatters is cut by result channels instead: tiles that overlap are added
// by one worker.
type tilePlan struct {
	*tiling          // nil: not by tiles
	scatter          bool
	rows, cols       int // tiles of an image
	colParts         int // tasks along a row of tiles
	wide             int // most tiles of a task, of a step where it scatters
	group            int // panels of result channels that are transformed together
	channels         int // most result channels of a group
	source, products int // floats of one task's transformed source, of a group's products
}

const (
	// sourceFloats and productFloats bound a task's transformed source and
	// products, in floats, where one tile and one panel do not exceed them;
	// scatterFloats the source of a step, and a map that is scattered to.
	sourceFloats  = 512 << 10
	productFloats = 64 << 10
	scatterFloats = 96 << 10
	// apart keeps the 36 parts of a transformed tile from the same cache sets.
	apart = 16
)

// planTiles completes the plan for a correlation by tiles.
func (c *correlation) planTiles(l *correlationPlan, workers int) {
	v, t := &c.v, active.tile
	d := &l.tiles
	lanes := l.widest
	tile := winogradAll * c.srcC * lanes
	pixels := 0
	if d.scatter = c.scatters(d.tiling); d.scatter {
		d.rows, d.cols, d.colParts = ceilDiv(c.srcH, d.tile), ceilDiv(c.srcW, d.tile), 1
		d.wide = min(d.cols, max(1, scatterFloats/tile))
		pixels = c.dstH*c.dstW + 1
		l.rowParts = 1
		fit := max(1, scatterFloats/(pixels*t.rows*lanes))
		l.panelParts = min(l.panels, max(ceilDiv(l.panels, fit), ceilDiv(4*workers, l.blocks)))
		d.group = ceilDiv(l.panels, l.panelParts)
	} else {
		d.rows, d.cols = ceilDiv(c.dstH, d.tile), ceilDiv(c.dstW, d.tile)
		d.colParts = ceilDiv(d.cols, max(1, sourceFloats/tile))
		d.wide = ceilDiv(d.cols, d.colParts)
		d.group = min(l.panels, max(1, productFloats/(winogradAll*d.wide*t.rows*lanes)))
		pixels = d.tile*d.tile*d.wide + 1
		l.rowParts = d.rows
		if n := l.blocks * d.rows * d.colParts; n < 4*workers {
			l.panelParts = min(l.panels, ceilDiv(4*workers, n))
		}
	}
	d.channels = min(c.dstC, d.group*t.rows)
	d.source = winogradAll * (d.wide*c.srcC*lanes + apart)
	d.products = winogradAll * (d.wide*d.channels*lanes + apart)
	l.biasLanes = d.channels * lanes
	l.packedSrc += c.srcC * lanes // a pixel of zeros, for those outside
	l.packedW = winogradAll * v.O * v.C
	l.private = max(d.source+d.products+(pixels+1)*l.biasLanes, v.KH*v.KW*c.srcC*t.rows)
}

// tileOffsets is one worker's tables for the transforms.
type tileOffsets struct {
	source, transformed, products, result [winogradAll]int
	taps                                  [maxTaps]int
}

// packKernels transforms one panel of result channels' kernels, in the order
// product, source channel, result channel.
func (r *convRun) packKernels(panel, worker int) {
	c, v, at := &r.c, &r.c.v, &r.offsets[worker]
	d := &r.plan.tiles
	lo, hi := part(c.dstC, r.plan.panels, panel)
	h := hi - lo
	n := c.srcC * h
	elements := r.private(worker)[:v.KH*v.KW*n]
	for ch := range c.srcC {
		transpose(elements[ch*h:], n, r.w[lo*c.weightRow+ch*c.weightChannel:], c.weightRow, h, v.KH*v.KW)
	}
	if v.MapW != Identity {
		active.unary[v.MapW](elements, elements)
	}
	for tap := range d.taps() {
		at.taps[tap] = tap * n
		if !c.forward && !d.scatter { // turned
			at.taps[tap] = (d.taps() - 1 - tap) * n
		}
	}
	evenly(at.transformed[:], n)
	active.winograd[d.weights](r.packedW[winogradAll*c.srcC*lo:winogradAll*c.srcC*hi], elements, at.transformed[:], at.taps[:], n)
}

// doMultiplyTiles computes some panels of the results of some tiles of a row,
// for a block of images.
func (r *convRun) doMultiplyTiles(task, worker int) {
	c, l, d, at := &r.c, &r.plan, &r.plan.tiles, &r.offsets[worker]
	panelPart := task % l.panelParts
	task /= l.panelParts
	colPart := task % d.colParts
	task /= d.colParts
	row, k := task%d.rows, r.block(task/d.rows)
	t0, t1 := part(d.cols, d.colParts, colPart)
	p0, p1 := part(l.panels, l.panelParts, panelPart)
	private := r.private(worker)
	source, products, out := private[:d.source], private[d.source:d.source+d.products], private[d.source+d.products:]

	ay, ax := c.phase(0)
	pixel := c.srcC * k.lanes
	step := (t1-t0)*pixel + apart
	src := r.sourceOf(&k, 0)
	evenly(at.transformed[:], step)
	for t := t0; t < t1; t++ {
		square(at.source[:], winogradSpan, row*d.tile+ay.src, t*d.tile+ax.src, c.srcH, c.srcW, pixel, len(src)-pixel)
		active.winograd[winogradInput](source[(t-t0)*pixel:], src, at.transformed[:], at.source[:], pixel)
	}
	for p := p0; p < p1; p += d.group {
		r.multiplyTiles(source, products, out, at, &k, row, t0, t1, p, min(p1, p+d.group))
	}
}

// multiplyTiles computes panels p0 to p1 of the results of tiles t0 to t1 of a
// row from their transformed source.
func (r *convRun) multiplyTiles(source, products, out []float32, at *tileOffsets, k *block, row, t0, t1, p0, p1 int) {
	c, l, d := &r.c, &r.plan, &r.plan.tiles
	r0, channels := r.products(products, source, k.lanes, t1-t0, p0, p1)
	result := channels * k.lanes
	s := stretch{y0: row * d.tile, x0: t0 * d.tile}
	s.y1, s.x1 = min(c.dstH, s.y0+d.tile), min(c.dstW, t1*d.tile)
	dump := (s.y1 - s.y0) * (s.x1 - s.x0) * result
	evenly(at.products[:], (t1-t0)*result+apart)
	for t := range t1 - t0 {
		square(at.result[:], d.tile, 0, t*d.tile, s.y1-s.y0, s.x1-s.x0, result, dump)
		active.winograd[d.output](out, products[t*result:], at.result[:], at.products[:], result)
	}
	r.store(out[:dump], out[len(out)-l.biasLanes:], s, k, 0, r0, channels)
}

// products multiplies the transformed kernels of panels p0 to p1 with the
// transformed source of a few tiles of a block. It returns the first of the
// result channels and how many they are.
func (r *convRun) products(products, source []float32, lanes, tiles, p0, p1 int) (r0, channels int) {
	c, l := &r.c, &r.plan
	width, _ := active.tile.size(lanes)
	r0, _ = part(c.dstC, l.panels, p0)
	_, r1 := part(c.dstC, l.panels, p1-1)
	channels = r1 - r0
	pixel, result := c.srcC*lanes, channels*lanes
	step, stepOut := tiles*pixel+apart, tiles*result+apart
	for k := range winogradAll {
		for p := p0; p < p1; p++ {
			lo, hi := part(c.dstC, l.panels, p)
			h := hi - lo
			kernels, tile := r.packedW[(winogradAll*lo+k*h)*c.srcC:], active.tile.run[width][h]
			for t := range tiles {
				tile(c.srcC, 1, kernels, source[k*step+t*pixel:], products[k*stepOut+t*result+(lo-r0)*lanes:],
					h, lanes, 0, 0, lanes, lanes, 0)
			}
		}
	}
	return r0, channels
}

// doScatterTiles computes some panels of the results of a block of images, of
// which each tile of the source adds to a span of pixels.
func (r *convRun) doScatterTiles(task, worker int) {
	c, v, l, d, at := &r.c, &r.c.v, &r.plan, &r.plan.tiles, &r.offsets[worker]
	k := r.block(task / l.panelParts)
	p0, p1 := part(l.panels, l.panelParts, task%l.panelParts)
	private := r.private(worker)
	source, products, out := private[:d.source], private[d.source:d.source+d.products], private[d.source+d.products:]
	pixel := c.srcC * k.lanes
	src := r.sourceOf(&k, 0)
	r0, _ := part(c.dstC, l.panels, p0)
	_, r1 := part(c.dstC, l.panels, p1-1)
	result := (r1 - r0) * k.lanes
	dump := c.dstH * c.dstW * result
	clear(out[:dump+result])
	for row := range d.rows {
		for t0 := 0; t0 < d.cols; t0 += d.wide {
			tiles := min(d.wide, d.cols-t0)
			evenly(at.transformed[:], tiles*pixel+apart)
			for t := range tiles {
				square(at.source[:], d.tile, row*d.tile, (t0+t)*d.tile, c.srcH, c.srcW, pixel, len(src)-pixel)
				active.winograd[d.outputGrad](source[t*pixel:], src, at.transformed[:], at.source[:], pixel)
			}
			r.products(products, source, k.lanes, tiles, p0, p1)
			evenly(at.products[:], tiles*result+apart)
			for t := range tiles {
				square(at.result[:], winogradSpan, row*d.tile-v.PadH, (t0+t)*d.tile-v.PadW, c.dstH, c.dstW, result, dump)
				active.winograd[winogradInputGrad](out, products[t*result:], at.result[:], at.products[:], result)
			}
		}
	}
	r.store(out[:dump], out[len(out)-l.biasLanes:], stretch{0, c.dstH, 0, c.dstW}, &k, 0, r0, r1-r0)
}
