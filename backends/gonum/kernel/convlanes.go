package kernel

// The forward pass and the gradient with respect to the input of a convolution
// put images in lanes. The source is repacked once, block by block of as many
// images as a tile has columns, as
//
//	[group][block][height][width][channel][image]
//
// so that at every pixel the window of one kernel row is a ready panel of
// (taps × channels) × images, whatever the size of the map; no patch matrix is
// made, and taps that fall outside are skipped and cost nothing. A tile of
// result channels × images is then one call. The gradient with respect to the
// input is the same correlation with the roles of the channels exchanged and
// the kernel turned; with stride s, the s×s phases of the result see only
// their own taps each.

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
	blocks, lanes        int // blocks of images, and lanes of all of them
	packParts            int // tasks that pack one block's channels of one group
	panels               int // panels of result channels
	rowParts, panelParts int // tasks within a block
	packedSrc, packedW   int // floats
	perWorker, scratch   int
	biasLanes            int
	tiles                tilePlan
}

// laneFloats bounds what one task writes before it is stored, in floats.
const laneFloats = 48 << 10

func (c *correlation) plan(workers int) correlationPlan {
	v, t := &c.v, active.tile
	l := correlationPlan{blocks: ceilDiv(v.N, t.cols), lanes: t.width(v.N), panels: panels(c.dstC, t.rows)}
	units := l.blocks * v.Groups
	l.packParts = min(c.srcC, ceilDiv(4*workers, units))
	l.panelParts = 1
	l.packedSrc = v.Groups * c.srcH * c.srcW * c.srcC * l.lanes
	if l.tiles.tiling = c.byTiles(); l.tiles.tiling != nil {
		c.planTiles(&l, workers)
	} else {
		c.planTaps(&l, workers)
	}
	l.scratch = l.packedSrc + l.packedW + workers*l.perWorker
	return l
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
	l.perWorker = max(rows*c.dstW*l.biasLanes+l.biasLanes, v.KH*v.KW*t.rows)
}

// convRun is the convolution that the pool is working on.
type convRun struct {
	pool               *Pool
	c                  correlation
	plan               correlationPlan
	dst, src, w, bias  []float32
	packedSrc, packedW []float32
	private            []float32
	offsets            []tileOffsets // by worker
	packTask           func(task, worker int)
	multiply           func(task, worker int)
	multiplyTileRow    func(task, worker int)
	scatterTiles       func(task, worker int)
	weights            weightRun
	tileGrad           tileGradRun
}

func (r *convRun) init(p *Pool) {
	r.pool = p
	r.offsets = make([]tileOffsets, p.workers)
	r.packTask, r.multiply, r.multiplyTileRow, r.scatterTiles = r.doPack, r.doMultiply, r.doMultiplyTiles, r.doScatterTiles
	r.weights.init(p)
	r.tileGrad.init(p)
}

func (p *Pool) correlate(c *correlation, dst, src, w, bias []float32) {
	r := &p.conv
	r.c, r.plan = *c, c.plan(p.workers)
	p.Reserve(r.plan.scratch)
	r.dst, r.src, r.w, r.bias = dst, src, w, bias
	s := p.scratch
	r.packedSrc, s = s[:r.plan.packedSrc], s[r.plan.packedSrc:]
	r.packedW, r.private = s[:r.plan.packedW], s[r.plan.packedW:]
	g := c.v.Groups
	p.Run(g*r.plan.blocks*r.plan.packParts+g*c.phasesY*c.phasesX*r.plan.panels, r.packTask)
	n, tiles := r.plan.blocks*r.plan.rowParts*r.plan.panelParts, &r.plan.tiles
	if tiles.tiling != nil {
		clear(r.packedSrc[len(r.packedSrc)-c.srcC*min(active.tile.cols, r.plan.lanes):])
	}
	switch {
	case tiles.tiling == nil:
		p.Run(g*n, r.multiply)
	case tiles.scatter:
		p.Run(n, r.scatterTiles)
	default:
		p.Run(n*tiles.colParts, r.multiplyTileRow)
	}
	r.dst, r.src, r.w, r.bias = nil, nil, nil, nil
}

// block returns the first image of a block, how many it has, and its lanes.
func (r *convRun) block(b int) (first, images, lanes int) {
	t := active.tile
	first = b * t.cols
	images = min(t.cols, r.c.v.N-first)
	_, lanes = t.size(images)
	return first, images, lanes
}

// sourceOf is the packed source of a block of a group.
func (r *convRun) sourceOf(group, b, lanes int) []float32 {
	c := &r.c
	pixels := c.srcH * c.srcW * c.srcC
	at := group*pixels*r.plan.lanes + b*pixels*active.tile.cols
	return r.packedSrc[at : at+pixels*lanes]
}

func (r *convRun) doPack(task, worker int) {
	c, v := &r.c, &r.c.v
	sources := v.Groups * r.plan.blocks * r.plan.packParts
	if task >= sources {
		if r.plan.tiles.tiling != nil {
			r.packKernels(task-sources, worker)
		} else {
			r.packWeights(task-sources, worker)
		}
		return
	}
	unit := task / r.plan.packParts
	group, b := unit/r.plan.blocks, unit%r.plan.blocks
	first, images, lanes := r.block(b)
	packed := r.sourceOf(group, b, lanes)
	lo, hi := part(c.srcC, r.plan.packParts, task%r.plan.packParts)
	plane := c.srcH * c.srcW
	image := plane * c.srcC * v.Groups
	for ch := lo; ch < hi; ch++ {
		x := r.src[first*image+(group*c.srcC+ch)*plane:]
		transpose(packed[ch*lanes:], c.srcC*lanes, x, image, images, plane)
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
	// One source channel's kernels for these rows, element by element of the
	// kernel, then each element to its tap.
	elements := r.private[worker*r.plan.perWorker:][:v.KH*v.KW*h]
	for ch := range c.srcC {
		transpose(elements, h, w[lo*c.weightRow+ch*c.weightChannel:], c.weightRow, h, v.KH*v.KW)
		at := ch * h
		for jy := range ay.taps {
			for jx := range ax.taps {
				k := (ay.tap0+jy*ay.tapStep)*v.KW + ax.tap0 + jx*ax.tapStep
				copy(packed[at:at+h], elements[k*h:])
				at += c.srcC * h
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
	b, group := task%l.blocks, task/l.blocks
	first, images, lanes := r.block(b)
	y0, y1 := part(c.dstH, l.rowParts, rowPart)
	p0, p1 := part(l.panels, l.panelParts, panelPart)
	r0, _ := part(c.dstC, l.panels, p0)
	_, r1 := part(c.dstC, l.panels, p1-1)
	channels := r1 - r0
	private := r.private[worker*l.perWorker : (worker+1)*l.perWorker]
	out, biasLanes := private[:(y1-y0)*c.dstW*channels*lanes], private[l.perWorker-l.biasLanes:]
	src := r.sourceOf(group, b, lanes)
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
				for k := range ax.count {
					x := ax.first + k*ax.step
					sx, jx0, jx1 := ax.inside(k, c.srcW)
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
	r.store(out, biasLanes, stretch{y0, y1, 0, c.dstW}, group, first, images, lanes, r0, channels)
}

// stretch is a rectangle of the result's pixels.
type stretch struct{ y0, y1, x0, x1 int }

// store adds the bias to a stretch of some channels of a block of images, in
// the order pixel, channel, image, applies the activation, and writes it.
func (r *convRun) store(out, biasLanes []float32, s stretch, group, first, images, lanes, r0, channels int) {
	c := &r.c
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
			to := r.dst[first*image+(group*c.dstC+r0+ch)*plane+(s.y0+i)*c.dstW+s.x0:]
			transpose(to, image, out[(i*run*channels+ch)*lanes:], channels*lanes, run, images)
		}
	}
}
