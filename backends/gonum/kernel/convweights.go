package kernel

// The gradient with respect to the weights puts channels in lanes. Both x and
// dy are repacked once as [group][image][height][width][channel], x with its
// padding on the left and right, so that the window of a kernel row at a pixel
// is contiguous: (kernel columns × channels) lanes. For a kernel row, the
// product over pixels of dy's channels with those windows is a row of the
// gradient, and it runs on the register tiles straight from the packed images.
// Either side may be the lanes; the one that fills them better is.

// weightPlan is how the gradient is cut into tasks, and its scratch.
type weightPlan struct {
	padded          int // width of packed x
	sizeX, sizeY    int // floats of one packed image and group
	window          int // lanes of a window
	swapped         bool
	slices          int // of the images, summed apart: a function of the shape
	rowsK, colParts int // tasks along kernel rows and lanes
	rows, cols      int // of the gradient: broadcast side and lane side
	overImages      bool
	owners          int // that the slices are shared out to: all workers, or none
	scratch         Scratch
}

const (
	// sliceFloats bounds the sum of the slices' gradients.
	sliceFloats = 512 << 10
	// overRead is what tiles may read beyond the last lane.
	overRead = 64
)

func (v *Conv) weightPlan(workers int) weightPlan {
	t := active.tile
	oh, ow := v.Out()
	c, o := v.C/v.Groups, v.O/v.Groups
	_, weights, _ := v.sizes()
	l := weightPlan{padded: v.W + 2*v.PadW, window: v.KW * c}
	l.sizeX, l.sizeY = v.H*l.padded*c, oh*ow*o
	l.swapped = l.window*t.width(o) < o*t.width(l.window)
	l.rows, l.cols = o, l.window
	if l.swapped {
		l.rows, l.cols = l.cols, l.rows
	}
	l.slices = max(1, min(v.N, maxSlices, sliceFloats/weights))
	l.rowsK, l.colParts = 1, 1
	if l.slices*v.Groups < 4*workers {
		l.rowsK = v.KH
	}
	if n := l.slices * v.Groups * l.rowsK; n < 4*workers {
		l.colParts = min(ceilDiv(l.cols, t.cols), ceilDiv(4*workers, n))
	}
	l.overImages = v.N/l.slices > oh
	l.owners = 1
	if l.slices >= workers {
		l.owners = workers
	}
	for w := range l.owners {
		o := l.owner(v, w)
		l.scratch.Own = max(l.scratch.Own, (o.n1-o.n0)*v.Groups*(l.sizeX+l.sizeY)+overRead+(o.s1-o.s0)*weights)
	}
	if l.owners == 1 {
		l.scratch = Scratch{Shared: l.scratch.Own}
	}
	return l
}

// owner is the slices that a worker has, and the images in them.
type owner struct{ s0, s1, n0, n1 int }

func (l *weightPlan) owner(v *Conv, w int) owner {
	var o owner
	o.s0, o.s1 = part(l.slices, l.owners, w)
	o.n0, _ = part(v.N, l.slices, o.s0)
	_, o.n1 = part(v.N, l.slices, o.s1-1)
	return o
}

// weightRun is the weight gradient that the pool is working on.
type weightRun struct {
	pool                         *Pool
	v                            Conv
	plan                         weightPlan
	dw, x, dy                    []float32
	first                        []int // first tasks of the workers, and the end
	packTask, multiply, joinTask func(task, worker int)
}

func (r *weightRun) init(p *Pool) {
	r.pool, r.first = p, make([]int, p.workers+1)
	r.packTask, r.multiply, r.joinTask = r.doPack, r.doMultiply, r.doJoin
}

func (p *Pool) weightGradient(v *Conv, dw, x, dy []float32) {
	r := &p.conv.weights
	r.v, r.plan = *v, v.weightPlan(p.workers)
	l := &r.plan
	p.ReserveBoth(l.scratch)
	r.dw, r.x, r.dy = dw, x, dy
	r.share(v.Groups, false)
	p.RunFrom(r.first, r.packTask)
	r.share(v.Groups*l.rowsK*l.colParts, true)
	p.RunFrom(r.first, r.multiply)
	p.Run(v.Groups*r.joinParts(), r.joinTask)
	r.dw, r.x, r.dy = nil, nil, nil
}

// share sets the first tasks of the workers, so many to a slice or to an image.
func (r *weightRun) share(tasks int, ofSlices bool) {
	l, items := &r.plan, r.v.N
	if ofSlices {
		items = l.slices
	}
	for w := range r.first {
		at, _ := part(items*tasks, r.pool.workers, w)
		if l.owners > 1 && w < l.owners {
			if o := l.owner(&r.v, w); ofSlices {
				at = o.s0 * tasks
			} else {
				at = o.n0 * tasks
			}
		}
		r.first[w] = at
	}
}

// home returns the owner of a slice and its memory: packed x, packed dy, the
// sums of its slices.
func (r *weightRun) home(slice int) (o owner, x, y, sums []float32) {
	v, l := &r.v, &r.plan
	memory := r.pool.scratch
	for w := range l.owners {
		if o = l.owner(v, w); slice < o.s1 {
			if l.owners > 1 {
				memory = r.pool.own[w]
			}
			break
		}
	}
	n := (o.n1 - o.n0) * v.Groups
	return o, memory, memory[n*l.sizeX:], memory[n*(l.sizeX+l.sizeY)+overRead:]
}

// sliceOf is the slice that an image is in.
func (r *weightRun) sliceOf(n int) int {
	s := n * r.plan.slices / r.v.N
	for _, hi := part(r.v.N, r.plan.slices, s); n >= hi; _, hi = part(r.v.N, r.plan.slices, s) {
		s++
	}
	return s
}

// doPack packs one image of x and of dy, for one group.
func (r *weightRun) doPack(task, _ int) {
	v, l := &r.v, &r.plan
	n, group := task/v.Groups, task%v.Groups
	home, packedX, packedY, _ := r.home(r.sliceOf(n))
	at := group*(home.n1-home.n0) + n - home.n0
	c, o := v.C/v.Groups, v.O/v.Groups
	oh, ow := v.Out()
	plane := v.H * v.W
	x := r.x[(n*v.C+group*c)*plane:][:c*plane]
	packed := packedX[at*l.sizeX : (at+1)*l.sizeX]
	if v.PadW == 0 {
		transpose(packed, c, x, plane, c, plane)
	} else {
		for y := range v.H {
			transpose(packed[(y*l.padded+v.PadW)*c:], c, x[y*v.W:], plane, c, v.W)
		}
	}
	if v.MapX != Identity {
		active.unary[v.MapX](packed, packed)
	}
	if v.PadW > 0 {
		for y := range v.H {
			row := packed[y*l.padded*c : (y+1)*l.padded*c]
			clear(row[:v.PadW*c])
			clear(row[(v.PadW+v.W)*c:])
		}
	}
	dy := r.dy[(n*v.O+group*o)*oh*ow:][:o*oh*ow]
	transpose(packedY[at*l.sizeY:(at+1)*l.sizeY], o, dy, oh*ow, o, oh*ow)
}

// gradientOf is a slice's gradient of a group's kernel row: rows × cols.
func (r *weightRun) gradientOf(slice, group, ky int) []float32 {
	l := &r.plan
	size := l.rows * l.cols
	o, _, _, sums := r.home(slice)
	return sums[(((slice-o.s0)*r.v.Groups+group)*r.v.KH+ky)*size:][:size]
}

func (r *weightRun) doMultiply(task, _ int) {
	v, l := &r.v, &r.plan
	colPart := task % l.colParts
	task /= l.colParts
	rowK := task % l.rowsK
	task /= l.rowsK
	slice, group := task/v.Groups, task%v.Groups
	n0, n1 := part(v.N, l.slices, slice)
	k0, k1 := part(v.KH, l.rowsK, rowK)
	oh, _ := v.Out()
	for ky := k0; ky < k1; ky++ {
		y0, y1 := span(oh, v.H, v.StrideH, v.PadH, ky)
		if y0 == y1 && colPart == 0 {
			Fill(r.gradientOf(slice, group, ky), 0)
		}
	}
	// The longer of images and rows is the tile's loop, the other is ours.
	if l.overImages {
		for oy := range oh {
			for ky := k0; ky < k1; ky++ {
				if y0, y1 := span(oh, v.H, v.StrideH, v.PadH, ky); y0 <= oy && oy < y1 {
					r.rowTiles(slice, group, ky, colPart, n0, oy, n1-n0, oy > y0)
				}
			}
		}
		return
	}
	for n := n0; n < n1; n++ {
		for ky := k0; ky < k1; ky++ {
			if y0, y1 := span(oh, v.H, v.StrideH, v.PadH, ky); y0 < y1 {
				r.rowTiles(slice, group, ky, colPart, n, y0, y1-y0, n > n0)
			}
		}
	}
}

// rowTiles adds to the gradient of a kernel row what segments rows of pixels
// give, from row oy of image n on: the same row of consecutive images, or
// consecutive rows of the image.
func (r *weightRun) rowTiles(slice, group, ky, colPart, n, oy, segments int, accumulate bool) {
	v, l, t := &r.v, &r.plan, active.tile
	c, o := v.C/v.Groups, v.O/v.Groups
	_, ow := v.Out()
	home, x, y, _ := r.home(slice)
	image := group*(home.n1-home.n0) + n - home.n0
	x = x[image*l.sizeX+(oy*v.StrideH+ky-v.PadH)*l.padded*c:]
	y = y[image*l.sizeY+oy*ow*o:]
	stepX, stepY := v.StrideW*c, o
	skipX, skipY := (v.StrideH*l.padded-ow*v.StrideW)*c, 0
	if l.overImages {
		skipX, skipY = l.sizeX-ow*stepX, l.sizeY-ow*stepY
	}
	if l.swapped {
		x, y, stepX, stepY, skipX, skipY = y, x, stepY, stepX, skipY, skipX
	}
	gradient := r.gradientOf(slice, group, ky)
	panels := panels(l.rows, t.rows)
	first, last := part(ceilDiv(l.cols, t.cols), l.colParts, colPart)
	for j := first * t.cols; j < min(l.cols, last*t.cols); j += t.cols {
		cols := min(t.cols, l.cols-j)
		width, _ := t.size(cols)
		for p := range panels {
			lo, hi := part(l.rows, panels, p)
			t.run[width][hi-lo](ow, segments, y[lo:], x[j:], gradient[lo*l.cols+j:],
				stepY, stepX, skipY, skipX, l.cols, cols, int(mask(accumulate)))
		}
	}
}

// joinParts is how many tasks join one group: ranges of its output channels.
func (r *weightRun) joinParts() int { return min(r.v.O/r.v.Groups, 4*r.pool.workers) }

// doJoin adds the slices of a range of output channels in order and writes
// them in the order of the weights.
func (r *weightRun) doJoin(task, _ int) {
	v, l := &r.v, &r.plan
	parts := r.joinParts()
	group := task / parts
	c, o := v.C/v.Groups, v.O/v.Groups
	lo, hi := part(o, parts, task%parts)
	for ky := range v.KH {
		sum := r.gradientOf(0, group, ky)
		for s := 1; s < l.slices; s++ {
			next := r.gradientOf(s, group, ky)
			if l.swapped {
				for i := range l.rows {
					row := sum[i*o+lo : i*o+hi]
					active.binary[Add](row, row, next[i*o+lo:i*o+hi])
				}
			} else {
				rows := sum[lo*l.window : hi*l.window]
				active.binary[Add](rows, rows, next[lo*l.window:hi*l.window])
			}
		}
	}
	taps := v.KH * v.KW
	for i := lo; i < hi; i++ {
		dw := r.dw[(group*o+i)*c*taps:][:c*taps]
		for ky := range v.KH {
			sum := r.gradientOf(0, group, ky)
			if !l.swapped {
				transpose(dw[ky*v.KW:], taps, sum[i*l.window:], c, v.KW, c)
				continue
			}
			for kx := range v.KW {
				for ch := range c {
					dw[ch*taps+ky*v.KW+kx] = sum[(kx*c+ch)*o+i]
				}
			}
		}
	}
}
