package kernel

// The forward pass and the gradient with respect to the input of a convolution
// put images in lanes. The source is repacked once, block by block of at most as
// many images as a tile has columns, as
//
//	[block][group][height][width][channel][image]
//
// so that at every pixel the window of one kernel row is a ready panel of
// (taps × channels) × images, whatever the size of the map; no patch matrix is
// made, and taps that fall outside are skipped and cost nothing. A tile of
// result channels × images is then one call. The gradient with respect to the
// input is the same correlation with the roles of the channels exchanged and
// the kernel turned; with stride s, the s×s phases of the result see only
// their own taps each.
//
// A batch that is large enough has blocks for each worker, of the images that
// it also has in elementwise work and in pooling, so that most of what a worker
// reads it wrote itself.

// axis relates result positions to source positions along one axis, for one
// phase: result first + i·step, i < count, reads source src + i·srcStep + j for
// taps j < taps; tap j is kernel element tap0 + j·tapStep.
type axis struct {
	first, step, count int
	src, srcStep       int
	taps               int
	tap0, tapStep      int
}

// forwardAxis is the only phase of a forward pass with out results.
func forwardAxis(out, k, stride, pad int) axis {
	return axis{step: 1, count: out, src: -pad, srcStep: stride, taps: k, tapStep: 1}
}

// inputAxis is phase r < stride of the gradient with respect to an input of n:
// the positions i with i+pad ≡ r (mod stride).
func inputAxis(r, n, k, stride, pad int) axis {
	first := ((r-pad)%stride + stride) % stride
	taps := max(0, ceilDiv(k-r, stride))
	return axis{
		first: first, step: stride, count: max(0, ceilDiv(n-first, stride)),
		src: (first+pad-r)/stride - (taps - 1), srcStep: 1,
		taps: taps, tap0: r + stride*(taps-1), tapStep: -stride,
	}
}

// inside returns the taps that fall inside a source of length n for result i.
func (a *axis) inside(i, n int) (src, lo, hi int) {
	src = a.src + i*a.srcStep
	lo, hi = max(0, -src), min(a.taps, n-src)
	return src, lo, max(lo, hi)
}

// taken is how many taps fall inside a source of length n, over all results.
func (a *axis) taken(n int) int {
	sum := 0
	for i := range a.count {
		_, lo, hi := a.inside(i, n)
		sum += hi - lo
	}
	return sum
}

// correlation is a forward pass or a gradient with respect to the input.
type correlation struct {
	forward                  bool
	v                        Conv
	srcC, srcH, srcW         int // channels of one group
	dstC, dstH, dstW         int
	mapSrc                   UnaryOp
	relu                     bool
	phasesY, phasesX         int
	weightRow, weightChannel int // strides in w of a result and of a source channel
}

func (v *Conv) forwardPass() correlation {
	oh, ow := v.Out()
	c, o, kk := v.C/v.Groups, v.O/v.Groups, v.KH*v.KW
	return correlation{forward: true, v: *v, srcC: c, srcH: v.H, srcW: v.W, dstC: o, dstH: oh, dstW: ow,
		mapSrc: v.MapX, relu: v.Relu, phasesY: 1, phasesX: 1, weightRow: c * kk, weightChannel: kk}
}

func (v *Conv) inputPass() correlation {
	oh, ow := v.Out()
	c, o, kk := v.C/v.Groups, v.O/v.Groups, v.KH*v.KW
	return correlation{v: *v, srcC: o, srcH: oh, srcW: ow, dstC: c, dstH: v.H, dstW: v.W,
		phasesY: v.StrideH, phasesX: v.StrideW, weightRow: kk, weightChannel: c * kk}
}

// phase returns the axes of one phase.
func (c *correlation) phase(i int) (y, x axis) {
	v := &c.v
	if c.forward {
		return forwardAxis(c.dstH, v.KH, v.StrideH, v.PadH), forwardAxis(c.dstW, v.KW, v.StrideW, v.PadW)
	}
	return inputAxis(i/c.phasesX, v.H, v.KH, v.StrideH, v.PadH), inputAxis(i%c.phasesX, v.W, v.KW, v.StrideW, v.PadW)
}

// correlationPlan is how a correlation is cut into tasks, and its scratch.
type correlationPlan struct {
	parts                int // of the images, one for each worker or one for all
	blocks, widest       int // blocks of images, and lanes of the widest
	packParts            int // tasks that pack one block's channels of one group
	panels               int // panels of result channels
	rowParts, panelParts int // tasks within a block
	packedSrc, packedW   int // floats; packedSrc of a part of the images
	private              int // floats of a worker, beside its packed source
	biasLanes            int
	tiles                tilePlan
}

// laneFloats bounds what one task writes before it is stored, in floats.
const laneFloats = 48 << 10

func (c *correlation) plan(workers int) correlationPlan {
	v, t := &c.v, active.tile
	l := correlationPlan{parts: 1, panels: panels(c.dstC, t.rows)}
	if v.N >= workers*t.cols {
		l.parts = workers
	}
	most := 0
	for i := range l.parts {
		sum := 0
		for lo, hi := c.images(&l, i); lo < hi; l.blocks++ {
			images, lanes := t.block(hi - lo)
			lo, sum, l.widest = lo+images, sum+lanes, max(l.widest, lanes)
		}
		most = max(most, sum)
	}
	units := l.blocks * v.Groups
	l.packParts = min(c.srcC, ceilDiv(4*workers, units))
	l.panelParts = 1
	l.packedSrc = v.Groups * c.srcH * c.srcW * c.srcC * most
	if l.tiles.tiling = c.byTiles(); l.tiles.tiling != nil {
		c.planTiles(&l, workers)
	} else {
		c.planTaps(&l, workers)
	}
	return l
}

// scratch is the packed source of a part and what is private, where each worker
// has a part; else the packed source is shared. So are the weights.
func (l *correlationPlan) scratch() Scratch {
	if l.parts > 1 {
		return Scratch{l.packedW, l.packedSrc + l.private}
	}
	return Scratch{l.packedW + l.packedSrc, l.private}
}

// images returns the images of a part.
func (c *correlation) images(l *correlationPlan, i int) (lo, hi int) {
	least := active.tile.widths[0]
	lo, hi = part(ceilDiv(c.v.N, least), l.parts, i)
	return lo * least, min(c.v.N, hi*least)
}

// block is how many of so many images the next block takes, and its lanes.
func (t *tile) block(images int) (taken, lanes int) {
	for i := len(t.widths) - 1; i > 0; i-- {
		if w := t.widths[i]; images > w-t.widths[0] {
			return min(images, w), w
		}
	}
	return min(images, t.widths[0]), t.widths[0]
}

// planTaps completes the plan for a correlation tap by tap.
func (c *correlation) planTaps(l *correlationPlan, workers int) {
	v, t := &c.v, active.tile
	units := l.blocks * v.Groups
	fit := max(1, laneFloats/(c.dstW*c.dstC*t.cols))
	l.rowParts = min(c.dstH, max(ceilDiv(c.dstH, fit), ceilDiv(8*workers, units)))
	// Few rows and many weights: share out the panels too, so that a panel
	// is read for all rows at once.
	if big := c.srcC*v.KH*v.KW*c.dstC > maxPanel; big {
		l.rowParts = min(l.rowParts, ceilDiv(c.dstH, fit))
		l.panelParts = min(l.panels, ceilDiv(8*workers, units*l.rowParts))
	}
	l.packedW = v.O * v.C / v.Groups * v.KH * v.KW
	rows, channels := ceilDiv(c.dstH, l.rowParts), min(c.dstC, ceilDiv(l.panels, l.panelParts)*t.rows)
	l.biasLanes = channels * t.cols
	l.private = max(rows*c.dstW*l.biasLanes+l.biasLanes, packChannels*v.KH*v.KW*t.rows)
}

// convRun is the convolution that the pool is working on.
type convRun struct {
	pool              *Pool
	c                 correlation
	plan              correlationPlan
	dst, src, w, bias []float32
	packedW           []float32
	offsets           []tileOffsets // by worker
	first             []int         // first tasks of the workers, and the end
	panelTasks        int           // that pack weights
	packTask          func(task, worker int)
	multiply          func(task, worker int)
	multiplyTileRow   func(task, worker int)
	scatterTiles      func(task, worker int)
	multiplyRows      func(task, worker int)
	weights           weightRun
	tileGrad          tileGradRun
	pixels            pixelRun
}

func (r *convRun) init(p *Pool) {
	r.pool = p
	r.offsets, r.first = make([]tileOffsets, p.workers), make([]int, p.workers+1)
	r.packTask, r.multiply, r.multiplyTileRow, r.scatterTiles = r.doPack, r.doMultiply, r.doMultiplyTiles, r.doScatterTiles
	r.multiplyRows = r.doMultiplyRows
	r.weights.init(p)
	r.tileGrad.init(p)
	r.pixels.init(p)
}

func (p *Pool) correlate(c *correlation, dst, src, w, bias []float32) {
	r := &p.conv
	r.c, r.plan = *c, c.plan(p.workers)
	p.ReserveBoth(r.plan.scratch())
	r.dst, r.src, r.w, r.bias = dst, src, w, bias
	r.packedW = p.scratch[:r.plan.packedW]
	l, g := &r.plan, c.v.Groups
	r.panelTasks = g * c.phasesY * c.phasesX * l.panels
	r.share(g*l.packParts, r.panelTasks)
	p.RunFrom(r.first, r.packTask)
	tasks, multiply := l.rowParts*l.panelParts, r.multiply
	switch {
	case l.tiles.tiling == nil:
		tasks *= g
	case l.tiles.scatter:
		multiply = r.scatterTiles
	default:
		tasks, multiply = tasks*l.tiles.colParts, r.multiplyTileRow
	}
	if l.tiles.tiling != nil {
		for i := range l.parts {
			src := r.packed(i)
			clear(src[len(src)-c.srcC*l.widest:])
		}
	}
	r.share(tasks, 0)
	p.RunFrom(r.first, multiply)
	r.dst, r.src, r.w, r.bias = nil, nil, nil, nil
}

// share sets the first tasks of the workers, where a block has so many tasks
// and others are shared out evenly: a worker has those of its part of the
// images, then its share of the others.
func (r *convRun) share(tasks, others int) {
	workers := len(r.first) - 1
	for w := range r.first {
		end, _ := part(others, workers, w)
		if r.plan.parts == 1 {
			at, _ := part(r.plan.blocks*tasks, workers, w)
			r.first[w] = at + end
			continue
		}
		b := 0
		for i := range w {
			for lo, hi := r.c.images(&r.plan, i); lo < hi; b++ {
				images, _ := active.tile.block(hi - lo)
				lo += images
			}
		}
		r.first[w] = b*tasks + end
	}
}

// block is images of which a tile has one in each lane.
type block struct {
	first, images, lanes int
	part                 int // of the images
	before               int // lanes of the part's blocks before
}

func (r *convRun) block(b int) block {
	var k block
	for i := range r.plan.parts {
		lo, hi := r.c.images(&r.plan, i)
		k.part, k.before = i, 0
		for k.first = lo; k.first < hi; b-- {
			k.images, k.lanes = active.tile.block(hi - k.first)
			if b == 0 {
				return k
			}
			k.first, k.before = k.first+k.images, k.before+k.lanes
		}
	}
	panic("kernel: no such block")
}

// packed is the packed source of a part of the images.
func (r *convRun) packed(part int) []float32 {
	if r.plan.parts > 1 {
		return r.pool.own[part][:r.plan.packedSrc]
	}
	return r.pool.scratch[r.plan.packedW:][:r.plan.packedSrc]
}

// sourceOf is the packed source of a group of a block, and what follows it.
func (r *convRun) sourceOf(k *block, group int) []float32 {
	c := &r.c
	return r.packed(k.part)[c.srcH*c.srcW*c.srcC*(k.before*c.v.Groups+group*k.lanes):]
}

// private is a worker's memory beside its packed source.
func (r *convRun) private(worker int) []float32 {
	l := &r.plan
	if l.parts > 1 {
		return r.pool.own[worker][l.packedSrc:][:l.private]
	}
	return r.pool.own[worker][:l.private]
}

func (r *convRun) doPack(task, worker int) {
	c, v := &r.c, &r.c.v
	// The tasks of a share are its sources, then its panels.
	share, workers := 0, len(r.first)-1
	for r.first[share+1] <= task {
		share++
	}
	p0, p1 := part(r.panelTasks, workers, share)
	if at := task - (r.first[share+1] - (p1 - p0)); at >= 0 {
		if r.plan.tiles.tiling != nil {
			r.packKernels(p0+at, worker)
		} else {
			r.packWeights(p0+at, worker)
		}
		return
	}
	task -= p0
	unit := task / r.plan.packParts
	b, group := unit/v.Groups, unit%v.Groups
	k := r.block(b)
	packed, lanes := r.sourceOf(&k, group), k.lanes
	lo, hi := part(c.srcC, r.plan.packParts, task%r.plan.packParts)
	plane := c.srcH * c.srcW
	image := plane * c.srcC * v.Groups
	for ch := lo; ch < hi; ch++ {
		x := r.src[k.first*image+(group*c.srcC+ch)*plane:]
		transpose(packed[ch*lanes:], c.srcC*lanes, x, image, k.images, plane)
	}
	if c.mapSrc != Identity {
		f := active.unary[c.mapSrc]
		for p := range plane {
			at := packed[(p*c.srcC+lo)*lanes : (p*c.srcC+hi)*lanes]
			f(at, at)
		}
	}
}

// weightsOf is where the packed weights of a group's phase begin.
func (r *convRun) weightsOf(group, phase int) []float32 {
	c := &r.c
	taps := 0
	for i := range phase {
		y, x := c.phase(i)
		taps += y.taps * x.taps
	}
	return r.packedW[(group*c.v.KH*c.v.KW+taps)*c.srcC*c.dstC:]
}

// packChannels is how many source channels' weights are rearranged at a time.
const packChannels = 16

// packWeights packs one panel of result channels of a group's phase, in the
// order tap row, tap column, source channel.
func (r *convRun) packWeights(task, worker int) {
	c, v := &r.c, &r.c.v
	panel, unit := task%r.plan.panels, task/r.plan.panels
	phases := c.phasesY * c.phasesX
	group, phase := unit/phases, unit%phases
	ay, ax := c.phase(phase)
	lo, hi := part(c.dstC, r.plan.panels, panel)
	h, terms := hi-lo, ay.taps*ax.taps*c.srcC
	packed := r.weightsOf(group, phase)[lo*terms : hi*terms]
	w := r.w[group*len(r.w)/v.Groups:]
	// Some source channels' kernels for these rows, element by element of the
	// kernel, then each element of all of them to its tap.
	kk := v.KH * v.KW
	elements := r.private(worker)[:packChannels*kk*h]
	for ch := 0; ch < c.srcC; ch += packChannels {
		channels := min(packChannels, c.srcC-ch)
		from := w[lo*c.weightRow+ch*c.weightChannel:]
		if c.weightChannel == kk {
			transpose(elements, h, from, c.weightRow, h, channels*kk)
		} else {
			for i := range channels {
				transpose(elements[i*kk*h:], h, from[i*c.weightChannel:], c.weightRow, h, kk)
			}
		}
		for jy := range ay.taps {
			for jx := range ax.taps {
				k := (ay.tap0+jy*ay.tapStep)*v.KW + ax.tap0 + jx*ax.tapStep
				to := packed[((jy*ax.taps+jx)*c.srcC+ch)*h:]
				active.copyRows(to, h, elements[k*h:], kk*h, channels, h)
			}
		}
	}
	if v.MapW != Identity {
		active.unary[v.MapW](packed, packed)
	}
}

// doMultiply computes some rows and panels of the result of a block of images.
func (r *convRun) doMultiply(task, worker int) {
	c, l := &r.c, &r.plan
	panelPart := task % l.panelParts
	task /= l.panelParts
	rowPart := task % l.rowParts
	task /= l.rowParts
	k, group := r.block(task/c.v.Groups), task%c.v.Groups
	lanes := k.lanes
	y0, y1 := part(c.dstH, l.rowParts, rowPart)
	p0, p1 := part(l.panels, l.panelParts, panelPart)
	r0, _ := part(c.dstC, l.panels, p0)
	_, r1 := part(c.dstC, l.panels, p1-1)
	channels := r1 - r0
	private := r.private(worker)
	out, biasLanes := private[:(y1-y0)*c.dstW*channels*lanes], private[l.private-l.biasLanes:]
	src := r.sourceOf(&k, group)
	width, _ := active.tile.size(lanes)

	for phase := range c.phasesY * c.phasesX {
		ay, ax := c.phase(phase)
		weights := r.weightsOf(group, phase)
		terms := ay.taps * ax.taps * c.srcC
		for p := p0; p < p1; p++ {
			lo, hi := part(c.dstC, l.panels, p)
			h := hi - lo
			panel, tile := weights[lo*terms:hi*terms], active.tile.run[width][h]
			for i := max(0, ceilDiv(y0-ay.first, ay.step)); i < ay.count; i++ {
				y := ay.first + i*ay.step
				if y >= y1 {
					break
				}
				sy, jy0, jy1 := ay.inside(i, c.srcH)
				for j := range ax.count {
					x := ax.first + j*ax.step
					sx, jx0, jx1 := ax.inside(j, c.srcW)
					to := out[(((y-y0)*c.dstW+x)*channels+lo-r0)*lanes:]
					if jy0 == jy1 || jx0 == jx1 {
						clear(to[:h*lanes])
						continue
					}
					tile((jx1-jx0)*c.srcC, jy1-jy0,
						panel[(jy0*ax.taps+jx0)*c.srcC*h:], src[((sy+jy0)*c.srcW+sx+jx0)*c.srcC*lanes:], to,
						h, lanes, (ax.taps-jx1+jx0)*c.srcC*h, (c.srcW-jx1+jx0)*c.srcC*lanes, lanes, lanes, 0)
				}
			}
		}
	}
	r.store(out, biasLanes, stretch{y0, y1, 0, c.dstW}, &k, group, r0, channels)
}

// stretch is a rectangle of the result's pixels.
type stretch struct{ y0, y1, x0, x1 int }

// store adds the bias to a stretch of some channels of a block of images, in
// the order pixel, channel, image, applies the activation, and writes it.
func (r *convRun) store(out, biasLanes []float32, s stretch, k *block, group, r0, channels int) {
	c, lanes := &r.c, k.lanes
	if r.bias != nil {
		biasLanes = biasLanes[:channels*lanes]
		RepeatEach(biasLanes, r.bias[group*c.dstC+r0:group*c.dstC+r0+channels], lanes)
		for at := 0; at < len(out); at += len(biasLanes) {
			active.binary[Add](out[at:at+len(biasLanes)], out[at:at+len(biasLanes)], biasLanes)
		}
	}
	if c.relu {
		active.unary[Relu](out, out)
	}
	// Whole rows are one run of pixels.
	rows, run := s.y1-s.y0, s.x1-s.x0
	if run == c.dstW {
		rows, run = 1, rows*run
	}
	plane := c.dstH * c.dstW
	image := plane * c.dstC * c.v.Groups
	for i := range rows {
		for ch := range channels {
			to := r.dst[k.first*image+(group*c.dstC+r0+ch)*plane+(s.y0+i)*c.dstW+s.x0:]
			transpose(to, image, out[(i*run*channels+ch)*lanes:], channels*lanes, run, k.images)
		}
	}
}
