package kernel

// The gradient with respect to the weights by Winograd's transforms
// (winograd.go), on channels in lanes: a few images at a time, x and dy are
// repacked and transformed as [product][tile][channel], and each of the 36
// products is a matrix product over tiles that adds to its sum.

// tileGradPlan is how the gradient is cut into tasks, and its scratch.
type tileGradPlan struct {
	*tiling
	rows, cols   int // tiles of an image
	images       int // that are transformed at a time: a function of the shape
	stepX, stepY int // from product to product, of the transformed x and dy
	swapped      bool
	high, wide   int // the sums: the side that is broadcast, and the lanes
	joinParts    int
	perWorker    int
	scratch      int
}

const (
	// transformedFloats bounds what is transformed at a time, where leastTiles
	// do not exceed it: fewer would leave little between two visits of a sum.
	transformedFloats = 2 << 20
	leastTiles        = 128
	// joinFloats is about how many weights one task transforms back.
	joinFloats = 4 << 10
)

func (v *Conv) tileGradPlan(workers int) tileGradPlan {
	t := active.tile
	oh, ow := v.Out()
	d := v.tiling()
	l := tileGradPlan{tiling: d, rows: ceilDiv(oh, d.tile), cols: ceilDiv(ow, d.tile)}
	tiles := l.rows * l.cols
	l.images = min(v.N, max(ceilDiv(leastTiles, tiles), transformedFloats/(winogradAll*tiles*(v.C+v.O))))
	l.stepX, l.stepY = l.images*tiles*v.C+apart, l.images*tiles*v.O+apart
	l.swapped = v.C*t.width(v.O) < v.O*t.width(v.C)
	l.high, l.wide = v.O, v.C
	if l.swapped {
		l.high, l.wide = l.wide, l.high
	}
	l.joinParts = min(l.high, max(4*workers, ceilDiv(l.high*l.wide, joinFloats)))
	l.perWorker = max((v.H*v.W+1)*v.C, (oh*ow+1)*v.O, d.taps()*ceilDiv(l.high, l.joinParts)*l.wide)
	l.scratch = winogradAll*(l.stepX+l.stepY+v.O*v.C) + overRead + workers*l.perWorker
	return l
}

// tileGradRun is the weight gradient by tiles that the pool is working on.
type tileGradRun struct {
	pool                          *Pool
	v                             Conv
	plan                          tileGradPlan
	dw, x, dy                     []float32
	n0, n1                        int // the images that are being transformed
	sums, tilesX, tilesY, private []float32
	offsets                       []tileOffsets // by worker
	transform, multiply, joinTask func(task, worker int)
}

func (r *tileGradRun) init(p *Pool) {
	r.pool, r.offsets = p, make([]tileOffsets, p.workers)
	r.transform, r.multiply, r.joinTask = r.doTransform, r.doMultiply, r.doJoin
}

func (p *Pool) weightGradientByTiles(v *Conv, dw, x, dy []float32) {
	r := &p.conv.tileGrad
	r.v, r.plan = *v, v.tileGradPlan(p.workers)
	l := &r.plan
	p.Reserve(l.scratch)
	r.dw, r.x, r.dy = dw, x, dy
	s := p.scratch
	r.sums, s = s[:winogradAll*v.O*v.C], s[winogradAll*v.O*v.C:]
	r.tilesX, s = s[:winogradAll*l.stepX], s[winogradAll*l.stepX:]
	r.tilesY, r.private = s[:winogradAll*l.stepY+overRead], s[winogradAll*l.stepY+overRead:]
	for r.n0 = 0; r.n0 < v.N; r.n0 = r.n1 {
		r.n1 = min(v.N, r.n0+l.images)
		p.Run(2*(r.n1-r.n0), r.transform)
		p.Run(winogradAll, r.multiply)
	}
	p.Run(l.joinParts, r.joinTask)
	r.dw, r.x, r.dy = nil, nil, nil
}

// doTransform repacks and transforms one image of x or of dy.
func (r *tileGradRun) doTransform(task, worker int) {
	v, l, at := &r.v, &r.plan, &r.offsets[worker]
	oh, ow := v.Out()
	n := task / 2
	private := r.private[worker*l.perWorker : (worker+1)*l.perWorker]
	if task%2 == 0 {
		plane := v.H * v.W
		packed := private[:(plane+1)*v.C]
		transpose(packed, v.C, r.x[(r.n0+n)*v.C*plane:], plane, v.C, plane)
		if v.MapX != Identity {
			active.unary[v.MapX](packed[:plane*v.C], packed[:plane*v.C])
		}
		clear(packed[plane*v.C:])
		evenly(at.transformed[:], l.stepX)
		for i := range l.rows {
			for j := range l.cols {
				square(at.source[:], winogradSpan, i*l.tile-v.PadH, j*l.tile-v.PadW, v.H, v.W, v.C, plane*v.C)
				active.winograd[winogradInput](r.tilesX[((n*l.rows+i)*l.cols+j)*v.C:], packed, at.transformed[:], at.source[:], v.C)
			}
		}
		return
	}
	packed := private[:(oh*ow+1)*v.O]
	transpose(packed, v.O, r.dy[(r.n0+n)*v.O*oh*ow:], oh*ow, v.O, oh*ow)
	clear(packed[oh*ow*v.O:])
	evenly(at.transformed[:], l.stepY)
	for i := range l.rows {
		for j := range l.cols {
			square(at.result[:], l.tile, i*l.tile, j*l.tile, oh, ow, v.O, oh*ow*v.O)
			active.winograd[l.outputGrad](r.tilesY[((n*l.rows+i)*l.cols+j)*v.O:], packed, at.transformed[:], at.result[:], v.O)
		}
	}
}

// doMultiply adds to one of the 36 sums.
func (r *tileGradRun) doMultiply(product, _ int) {
	v, l, t := &r.v, &r.plan, active.tile
	a, b, stepA, stepB := r.tilesY[product*l.stepY:], r.tilesX[product*l.stepX:], v.O, v.C
	if l.swapped {
		a, b, stepA, stepB = b, a, stepB, stepA
	}
	sums := r.sums[product*l.high*l.wide:][:l.high*l.wide]
	tiles := (r.n1 - r.n0) * l.rows * l.cols
	rows := panels(l.high, t.rows)
	for j := 0; j < l.wide; j += t.cols {
		cols := min(t.cols, l.wide-j)
		width, _ := t.size(cols)
		for p := range rows {
			lo, hi := part(l.high, rows, p)
			t.run[width][hi-lo](tiles, 1, a[lo:], b[j:], sums[lo*l.wide+j:],
				stepA, stepB, 0, 0, l.wide, cols, int(mask(r.n0 > 0)))
		}
	}
}

// doJoin transforms some rows of the sums back and writes them in the order of
// the weights.
func (r *tileGradRun) doJoin(task, worker int) {
	v, l, at := &r.v, &r.plan, &r.offsets[worker]
	lo, hi := part(l.high, l.joinParts, task)
	n := (hi - lo) * l.wide
	k := l.taps()
	taps := r.private[worker*l.perWorker:][:k*n]
	evenly(at.products[:], l.high*l.wide)
	evenly(at.taps[:], n)
	active.winograd[l.weightsGrad](taps, r.sums[lo*l.wide:], at.taps[:], at.products[:], n)
	for i := lo; i < hi; i++ {
		from := taps[(i-lo)*l.wide:]
		if l.swapped {
			transpose(r.dw[i*k:], v.C*k, from, n, k, v.O)
		} else {
			transpose(r.dw[i*v.C*k:], k, from, n, k, v.C)
		}
	}
}
