package kernel

// The forward pass and the gradient with respect to the input by Winograd's
// transforms (winograd.go), on the source as convlanes.go packs it, with images
// in lanes: a transform is then the same arithmetic on channels × images
// numbers at once, and each of the 36 products a matrix product of the
// transformed kernels with a ready panel of channels × images.

// tilePlan is how a correlation is cut into tasks of a few tiles of one row.
type tilePlan struct {
	rows, cols       int // tiles of an image
	colParts         int // tasks along a row of tiles
	wide             int // most tiles of a task
	group            int // panels of result channels that are transformed together
	channels         int // most result channels of a group
	source, products int // floats of one task's transformed source, of a group's products
}

const (
	// sourceFloats and productFloats bound a task's transformed source and
	// products, in floats, where one tile and one panel do not exceed them.
	sourceFloats  = 512 << 10
	productFloats = 64 << 10
	// apart keeps the 36 parts of a transformed tile from the same cache sets.
	apart = 16
)

// planTiles completes the plan for a correlation by tiles.
func (c *correlation) planTiles(l *correlationPlan, workers int) {
	v, t := &c.v, active.tile
	d := &l.tiles
	d.rows, d.cols = ceilDiv(c.dstH, winogradTile), ceilDiv(c.dstW, winogradTile)
	lanes := min(t.cols, l.lanes)
	tile := winogradAll * c.srcC * lanes
	d.colParts = ceilDiv(d.cols, max(1, sourceFloats/tile))
	d.wide = ceilDiv(d.cols, d.colParts)
	d.group = min(l.panels, max(1, productFloats/(winogradAll*d.wide*t.rows*lanes)))
	d.channels = min(c.dstC, d.group*t.rows)
	l.rowParts = d.rows
	if n := l.blocks * d.rows * d.colParts; n < 4*workers {
		l.panelParts = min(l.panels, ceilDiv(4*workers, n))
	}
	d.source = winogradAll * (d.wide*c.srcC*lanes + apart)
	d.products = winogradAll * (d.wide*d.channels*lanes + apart)
	l.biasLanes = d.channels * lanes
	l.packedSrc += c.srcC * lanes // a pixel of zeros, for those outside
	l.packedW = winogradAll * v.O * v.C
	pixels := winogradTile * winogradTile * d.wide
	l.perWorker = max(d.source+d.products+(pixels+2)*l.biasLanes, v.KH*v.KW*c.srcC*t.rows)
}

// tileOffsets is one worker's tables for the transforms.
type tileOffsets struct {
	source, transformed, products [winogradAll]int
	result                        [winogradTile * winogradTile]int
	taps                          [9]int
}

// packKernels transforms one panel of result channels' kernels, in the order
// product, source channel, result channel.
func (r *convRun) packKernels(panel, worker int) {
	c, v, at := &r.c, &r.c.v, &r.offsets[worker]
	ay, ax := c.phase(0)
	lo, hi := part(c.dstC, r.plan.panels, panel)
	h := hi - lo
	n := c.srcC * h
	elements := r.private[worker*r.plan.perWorker:][:v.KH*v.KW*n]
	for ch := range c.srcC {
		transpose(elements[ch*h:], n, r.w[lo*c.weightRow+ch*c.weightChannel:], c.weightRow, h, v.KH*v.KW)
	}
	if v.MapW != Identity {
		active.unary[v.MapW](elements, elements)
	}
	for jy := range ay.taps {
		for jx := range ax.taps {
			at.taps[jy*ax.taps+jx] = ((ay.tap0+jy*ay.tapStep)*v.KW + ax.tap0 + jx*ax.tapStep) * n
		}
	}
	evenly(at.transformed[:], n)
	active.winograd[winogradKernel](r.packedW[winogradAll*c.srcC*lo:winogradAll*c.srcC*hi], elements, at.transformed[:], at.taps[:], n)
}

// doMultiplyTiles computes some panels of the results of some tiles of a row,
// for a block of images.
func (r *convRun) doMultiplyTiles(task, worker int) {
	c, l, d, at := &r.c, &r.plan, &r.plan.tiles, &r.offsets[worker]
	panelPart := task % l.panelParts
	task /= l.panelParts
	colPart := task % d.colParts
	task /= d.colParts
	row, b := task%d.rows, task/d.rows
	_, _, lanes := r.block(b)
	t0, t1 := part(d.cols, d.colParts, colPart)
	p0, p1 := part(l.panels, l.panelParts, panelPart)
	private := r.private[worker*l.perWorker : (worker+1)*l.perWorker]
	source, products, out := private[:d.source], private[d.source:d.source+d.products], private[d.source+d.products:]

	ay, ax := c.phase(0)
	pixel := c.srcC * lanes
	step := (t1-t0)*pixel + apart
	src := r.packedSrc[b*c.srcH*c.srcW*c.srcC*active.tile.cols:]
	evenly(at.transformed[:], step)
	for t := t0; t < t1; t++ {
		square(at.source[:], winogradSpan, row*winogradTile+ay.src, t*winogradTile+ax.src, c.srcH, c.srcW, pixel, len(src)-pixel)
		active.winograd[winogradInput](source[(t-t0)*pixel:], src, at.transformed[:], at.source[:], pixel)
	}
	for p := p0; p < p1; p += d.group {
		r.multiplyTiles(source, products, out, at, b, row, t0, t1, p, min(p1, p+d.group))
	}
}

// multiplyTiles computes panels p0 to p1 of the results of tiles t0 to t1 of a
// row from their transformed source.
func (r *convRun) multiplyTiles(source, products, out []float32, at *tileOffsets, b, row, t0, t1, p0, p1 int) {
	c, l := &r.c, &r.plan
	first, images, lanes := r.block(b)
	width, _ := active.tile.size(lanes)
	r0, _ := part(c.dstC, l.panels, p0)
	_, r1 := part(c.dstC, l.panels, p1-1)
	channels := r1 - r0
	pixel, result := c.srcC*lanes, channels*lanes
	step, stepOut := (t1-t0)*pixel+apart, (t1-t0)*result+apart
	for k := range winogradAll {
		for p := p0; p < p1; p++ {
			lo, hi := part(c.dstC, l.panels, p)
			h := hi - lo
			kernels, tile := r.packedW[(winogradAll*lo+k*h)*c.srcC:], active.tile.run[width][h]
			for t := range t1 - t0 {
				tile(c.srcC, 1, kernels, source[k*step+t*pixel:], products[k*stepOut+t*result+(lo-r0)*lanes:],
					h, lanes, 0, 0, lanes, lanes, 0)
			}
		}
	}
	s := stretch{y0: row * winogradTile, x0: t0 * winogradTile}
	s.y1, s.x1 = min(c.dstH, s.y0+winogradTile), min(c.dstW, t1*winogradTile)
	dump := (s.y1 - s.y0) * (s.x1 - s.x0) * result
	evenly(at.products[:], stepOut)
	for t := range t1 - t0 {
		square(at.result[:], winogradTile, 0, t*winogradTile, s.y1-s.y0, s.x1-s.x0, result, dump)
		active.winograd[winogradOutput](out, products[t*result:], at.result[:], at.products[:], result)
	}
	r.store(out[:dump], out[len(out)-l.biasLanes:], s, 0, first, images, lanes, r0, channels)
}
