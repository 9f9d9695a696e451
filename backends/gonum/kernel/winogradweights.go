package kernel

// The gradient with respect to the weights by Winograd's transforms
// (winograd.go), on channels in lanes: a few images at a time, x and dy are
// repacked and transformed as [product][tile][channel], and each of the 36
// products is a matrix product over tiles that adds to its sum. Where the sums
// are small, each worker has its own images, of which nothing leaves its cache
// but the sums of a slice; else all work on the same images and share out the
// products.

// tileGradPlan is how the gradient is cut into tasks, and its scratch.
type tileGradPlan struct {
	*tiling
	rows, cols   int // tiles of an image
	slices       int // of the images, summed apart: a function of the shape
	images       int // that are transformed at a time: a function of the shape
	stepX, stepY int // from product to product, of the transformed x and dy
	swapped      bool
	high, wide   int // the sums: the side that is broadcast, and the lanes
	joinParts    int
	private      int // floats of a worker, beside tiles and sums
	scratch      Scratch
}

const (
	// transformedFloats bounds what is transformed at a time, where leastTiles
	// do not exceed it: fewer would leave little between two visits of a sum.
	// With slices, ownFloats and ownTiles do for each worker.
	transformedFloats = 2 << 20
	leastTiles        = 128
	ownFloats         = 96 << 10
	ownTiles          = 16
	// gradSlices is how many slices there are, or one: enough for some workers,
	// and few to add.
	gradSlices = 8
	// joinFloats is about how many weights one task transforms back.
	joinFloats = 4 << 10
)

func (v *Conv) tileGradPlan(workers int) tileGradPlan {
	t := active.tile
	oh, ow := v.Out()
	d := v.tiling()
	l := tileGradPlan{tiling: d, rows: ceilDiv(oh, d.tile), cols: ceilDiv(ow, d.tile)}
	tiles, sums := l.rows*l.cols, winogradAll*v.O*v.C
	l.slices = gradSlices
	most, least := ownFloats, ownTiles
	if v.N < gradSlices || gradSlices*sums > sliceFloats {
		l.slices, most, least = 1, transformedFloats, leastTiles
	}
	l.images = min(ceilDiv(v.N, l.slices), max(ceilDiv(least, tiles), most/(winogradAll*tiles*(v.C+v.O))))
	l.stepX, l.stepY = l.images*tiles*v.C+apart, l.images*tiles*v.O+apart
	l.swapped = v.C*t.width(v.O) < v.O*t.width(v.C)
	l.high, l.wide = v.O, v.C
	if l.swapped {
		l.high, l.wide = l.wide, l.high
	}
	l.joinParts = min(l.high, max(4*workers, ceilDiv(l.high*l.wide, joinFloats)))
	l.private = max((v.H*v.W+1)*v.C, (oh*ow+1)*v.O, d.taps()*ceilDiv(l.high, l.joinParts)*l.wide)
	l.scratch = Scratch{l.tiles() + sums, l.private}
	if l.slices > 1 {
		l.scratch = Scratch{0, l.private + l.tiles() + ceilDiv(l.slices, workers)*sums}
	}
	return l
}

// tiles is what transformed images take, in floats.
func (l *tileGradPlan) tiles() int { return winogradAll*(l.stepX+l.stepY) + overRead }

// tileGradRun is the weight gradient by tiles that the pool is working on.
type tileGradRun struct {
	pool                                 *Pool
	v                                    Conv
	plan                                 tileGradPlan
	dw, x, dy                            []float32
	n0, n1                               int           // the images that all work on
	offsets                              []tileOffsets // by worker
	transform, multiply, slice, joinTask func(task, worker int)
}

func (r *tileGradRun) init(p *Pool) {
	r.pool, r.offsets = p, make([]tileOffsets, p.workers)
	r.transform, r.multiply, r.slice, r.joinTask = r.doTransform, r.doMultiply, r.doSlice, r.doJoin
}

func (p *Pool) weightGradientByTiles(v *Conv, dw, x, dy []float32) {
	r := &p.conv.tileGrad
	r.v, r.plan = *v, v.tileGradPlan(p.workers)
	l := &r.plan
	p.ReserveBoth(l.scratch)
	r.dw, r.x, r.dy = dw, x, dy
	if l.slices > 1 {
		p.Run(l.slices, r.slice)
	} else {
		for r.n0 = 0; r.n0 < v.N; r.n0 = r.n1 {
			r.n1 = min(v.N, r.n0+l.images)
			p.Run(2*(r.n1-r.n0), r.transform)
			p.Run(winogradAll, r.multiply)
		}
	}
	p.Run(l.joinParts, r.joinTask)
	r.dw, r.x, r.dy = nil, nil, nil
}

// sumsOf is the sums of a slice, which are its worker's, if there are slices.
func (r *tileGradRun) sumsOf(slice int) []float32 {
	l, size := &r.plan, winogradAll*r.v.O*r.v.C
	if l.slices == 1 {
		return r.pool.scratch[l.tiles():][:size]
	}
	for w := range r.pool.own {
		if lo, hi := part(l.slices, len(r.pool.own), w); slice < hi {
			return r.pool.own[w][l.private+l.tiles()+(slice-lo)*size:][:size]
		}
	}
	panic("kernel: no such slice")
}

func (r *tileGradRun) doTransform(task, worker int) {
	tiles := r.pool.scratch[:r.plan.tiles()]
	if at := task / 2; task%2 == 0 {
		r.transformX(tiles, r.n0+at, at, worker)
	} else {
		r.transformY(tiles, r.n0+at, at, worker)
	}
}

// transformX repacks and transforms image n of x, the at'th of those at hand.
func (r *tileGradRun) transformX(tiles []float32, n, at, worker int) {
	v, l, offsets := &r.v, &r.plan, &r.offsets[worker]
	plane := v.H * v.W
	packed := r.pool.own[worker][:(plane+1)*v.C]
	transpose(packed, v.C, r.x[n*v.C*plane:], plane, v.C, plane)
	if v.MapX != Identity {
		active.unary[v.MapX](packed[:plane*v.C], packed[:plane*v.C])
	}
	clear(packed[plane*v.C:])
	evenly(offsets.transformed[:], l.stepX)
	for i := range l.rows {
		for j := range l.cols {
			square(offsets.source[:], winogradSpan, i*l.tile-v.PadH, j*l.tile-v.PadW, v.H, v.W, v.C, plane*v.C)
			active.winograd[winogradInput](tiles[((at*l.rows+i)*l.cols+j)*v.C:], packed, offsets.transformed[:], offsets.source[:], v.C)
		}
	}
}

// transformY does the same with an image of dy.
func (r *tileGradRun) transformY(tiles []float32, n, at, worker int) {
	v, l, offsets := &r.v, &r.plan, &r.offsets[worker]
	oh, ow := v.Out()
	packed := r.pool.own[worker][:(oh*ow+1)*v.O]
	transpose(packed, v.O, r.dy[n*v.O*oh*ow:], oh*ow, v.O, oh*ow)
	clear(packed[oh*ow*v.O:])
	evenly(offsets.transformed[:], l.stepY)
	for i := range l.rows {
		for j := range l.cols {
			square(offsets.result[:], l.tile, i*l.tile, j*l.tile, oh, ow, v.O, oh*ow*v.O)
			active.winograd[l.outputGrad](tiles[winogradAll*l.stepX+((at*l.rows+i)*l.cols+j)*v.O:], packed, offsets.transformed[:], offsets.result[:], v.O)
		}
	}
}

func (r *tileGradRun) doMultiply(product, _ int) {
	r.add(r.sumsOf(0), r.pool.scratch, product, r.n1-r.n0, r.n0 > 0)
}

// doSlice computes the sums of a slice of the images.
func (r *tileGradRun) doSlice(slice, worker int) {
	v, l := &r.v, &r.plan
	sums, tiles := r.sumsOf(slice), r.pool.own[worker][l.private:][:l.tiles()]
	first, end := part(v.N, l.slices, slice)
	for n := first; n < end; n += l.images {
		images := min(l.images, end-n)
		for at := range images {
			r.transformX(tiles, n+at, at, worker)
			r.transformY(tiles, n+at, at, worker)
		}
		for product := range winogradAll {
			r.add(sums, tiles, product, images, n > first)
		}
	}
}

// add adds the tiles of some images to one of the 36 sums, or sets it.
func (r *tileGradRun) add(sums, tiles []float32, product, images int, accumulate bool) {
	v, l, t := &r.v, &r.plan, active.tile
	a, b, stepA, stepB := tiles[winogradAll*l.stepX+product*l.stepY:], tiles[product*l.stepX:], v.O, v.C
	if l.swapped {
		a, b, stepA, stepB = b, a, stepB, stepA
	}
	sums = sums[product*l.high*l.wide:][:l.high*l.wide]
	rows := panels(l.high, t.rows)
	for j := 0; j < l.wide; j += t.cols {
		cols := min(t.cols, l.wide-j)
		width, _ := t.size(cols)
		for p := range rows {
			lo, hi := part(l.high, rows, p)
			t.run[width][hi-lo](images*l.rows*l.cols, 1, a[lo:], b[j:], sums[lo*l.wide+j:],
				stepA, stepB, 0, 0, l.wide, cols, int(mask(accumulate)))
		}
	}
}

// doJoin adds the slices of some rows of the sums in order, transforms them
// back and writes them in the order of the weights.
func (r *tileGradRun) doJoin(task, worker int) {
	v, l, at := &r.v, &r.plan, &r.offsets[worker]
	lo, hi := part(l.high, l.joinParts, task)
	n := (hi - lo) * l.wide
	sums := r.sumsOf(0)
	for s := 1; s < l.slices; s++ {
		next := r.sumsOf(s)
		for k := range winogradAll {
			first := k*l.high*l.wide + lo*l.wide
			sum := sums[first : first+n]
			active.binary[Add](sum, sum, next[first:first+n])
		}
	}
	k := l.taps()
	taps := r.pool.own[worker][:k*n]
	evenly(at.products[:], l.high*l.wide)
	evenly(at.taps[:], n)
	active.winograd[l.weightsGrad](taps, sums[lo*l.wide:], at.taps[:], at.products[:], n)
	for i := lo; i < hi; i++ {
		from := taps[(i-lo)*l.wide:]
		if l.swapped {
			transpose(r.dw[i*k:], v.C*k, from, n, k, v.O)
		} else {
			transpose(r.dw[i*v.C*k:], k, from, n, k, v.C)
		}
	}
}
