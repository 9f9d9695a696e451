package kernel

// Conv is a two-dimensional cross-correlation over a batch: x [N, C, H, W],
// weights [O, C/Groups, KH, KW], zero padding, result [N, O, OH, OW], as
// torch.nn.functional.conv2d.
type Conv struct {
	N, C, H, W       int
	O, KH, KW        int
	StrideH, StrideW int
	PadH, PadW       int
	Groups           int
	MapX, MapW       UnaryOp // applied to each element of x, w as it is packed
	Relu             bool    // forward only: y = max(y, 0), after the bias
}

// Out returns the height and width of the result.
func (v *Conv) Out() (oh, ow int) {
	return (v.H+2*v.PadH-v.KH)/v.StrideH + 1, (v.W+2*v.PadW-v.KW)/v.StrideW + 1
}

func (v *Conv) sizes() (x, w, y int) {
	oh, ow := v.Out()
	return v.N * v.C * v.H * v.W, v.O * v.C / v.Groups * v.KH * v.KW, v.N * v.O * oh * ow
}

// patch returns the rows and columns of the patch matrix of one image and
// group: C/Groups·KH·KW by OH·OW.
func (v *Conv) patch() (rows, cols int) {
	oh, ow := v.Out()
	return v.C / v.Groups * v.KH * v.KW, oh * ow
}

// weightSlices is how many parts the batch is cut into whose weight gradients
// are computed apart and added in order.
func (v *Conv) weightSlices() int { return min(v.N, maxSlices) }

// convRun is the convolution that the pool is working on.
type convRun struct {
	pool                               *Pool
	v                                  Conv
	x, w, y, bias                      []float32
	private, partial                   []float32
	perWorker                          int
	forward, input, weights, joinSlice func(task, worker int)
}

func (r *convRun) init(p *Pool) {
	r.pool = p
	r.forward, r.input, r.weights, r.joinSlice = r.doForward, r.doInput, r.doWeights, r.doJoin
}

// ConvScratch returns how many floats of scratch the three convolution
// kernels need for v.
func (p *Pool) ConvScratch(v *Conv) int {
	_, w, _ := v.sizes()
	return p.workers*convPerWorker(v) + v.weightSlices()*w
}

func convPerWorker(v *Conv) int {
	rows, cols := v.patch()
	o := v.O / v.Groups
	return rows*cols + max(soloScratch(o, cols, rows), soloScratch(rows, cols, o), soloScratch(o, rows, cols))
}

func (r *convRun) begin(v *Conv, x, w, y []float32) {
	nx, nw, ny := v.sizes()
	mustEqual(len(x), nx)
	mustEqual(len(w), nw)
	mustEqual(len(y), ny)
	p := r.pool
	p.Reserve(p.ConvScratch(v))
	r.v, r.x, r.w, r.y = *v, x, w, y
	r.perWorker = convPerWorker(v)
	r.private = p.scratch[:p.workers*r.perWorker]
	r.partial = p.scratch[len(r.private):]
}

func (r *convRun) end() { r.x, r.w, r.y, r.bias = nil, nil, nil, nil }

// Conv computes y = conv(MapX(x), MapW(w)) + bias[o], bias of length O or nil.
func (p *Pool) Conv(v *Conv, y, x, w, bias []float32) {
	r := &p.conv
	r.begin(v, x, w, y)
	r.bias = bias
	p.Run(v.N*v.Groups, r.forward)
	r.end()
}

// ConvGradInput computes the gradient with respect to MapX(x) from the
// gradient dy with respect to the result.
func (p *Pool) ConvGradInput(v *Conv, dx, dy, w []float32) {
	r := &p.conv
	r.begin(v, dx, w, dy)
	p.Run(v.N*v.Groups, r.input)
	r.end()
}

// ConvGradWeights computes the gradient with respect to MapW(w).
func (p *Pool) ConvGradWeights(v *Conv, dw, x, dy []float32) {
	r := &p.conv
	r.begin(v, x, dw, dy)
	p.Run(v.weightSlices(), r.weights)
	p.Run(min(v.O, 4*p.workers), r.joinSlice)
	r.end()
}

// image returns x, w and y of one image and group.
func (r *convRun) image(n, group int) (x, w, y []float32) {
	v := &r.v
	rows, cols := v.patch()
	c, o, plane := v.C/v.Groups, v.O/v.Groups, v.H*v.W
	return r.x[(n*v.C+group*c)*plane:][:c*plane],
		r.w[group*o*rows:][:o*rows],
		r.y[(n*v.O+group*o)*cols:][:o*cols]
}

func (r *convRun) doForward(task, worker int) {
	v := &r.v
	n, group := task/v.Groups, task%v.Groups
	x, w, y := r.image(n, group)
	rows, cols := v.patch()
	scratch := r.private[worker*r.perWorker : (worker+1)*r.perWorker]
	v.gather(scratch[:rows*cols], x)
	o := v.O / v.Groups
	g := Gemm{M: o, N: cols, K: rows, LDA: rows, LDB: cols, LDC: cols, MapA: v.MapW, MapB: v.MapX, Relu: v.Relu}
	solo(&g, y, w, scratch[:rows*cols], 0, rows, scratch[rows*cols:])
	var bias Bias
	if r.bias != nil {
		bias.Col = r.bias[group*o : (group+1)*o]
	}
	epilogue(&g, y, &bias, 0, o, 0, cols)
}

func (r *convRun) doInput(task, worker int) {
	v := &r.v
	n, group := task/v.Groups, task%v.Groups
	dx, w, dy := r.image(n, group)
	rows, cols := v.patch()
	scratch := r.private[worker*r.perWorker : (worker+1)*r.perWorker]
	o := v.O / v.Groups
	g := Gemm{M: rows, N: cols, K: o, TransA: true, LDA: rows, LDB: cols, LDC: cols, MapA: v.MapW}
	solo(&g, scratch[:rows*cols], w, dy, 0, o, scratch[rows*cols:])
	Fill(dx, 0)
	v.scatter(dx, scratch[:rows*cols])
}

func (r *convRun) doWeights(task, worker int) {
	v := &r.v
	rows, cols := v.patch()
	scratch := r.private[worker*r.perWorker : (worker+1)*r.perWorker]
	o := v.O / v.Groups
	lo, hi := part(v.N, v.weightSlices(), task)
	dw := r.partial[task*len(r.w) : (task+1)*len(r.w)]
	for n := lo; n < hi; n++ {
		for group := range v.Groups {
			x, _, dy := r.image(n, group)
			v.gather(scratch[:rows*cols], x)
			g := Gemm{M: o, N: rows, K: cols, TransB: true, LDA: cols, LDB: cols, LDC: rows, MapB: v.MapX, Accumulate: n > lo}
			solo(&g, dw[group*o*rows:], dy, scratch[:rows*cols], 0, cols, scratch[rows*cols:])
		}
	}
}

// doJoin adds the slices' weight gradients of a range of output channels.
func (r *convRun) doJoin(task, _ int) {
	v := &r.v
	row := len(r.w) / v.O
	lo, hi := part(v.O, min(v.O, 4*r.pool.workers), task)
	dw := r.w[lo*row : hi*row]
	copy(dw, r.partial[lo*row:hi*row])
	for s := 1; s < v.weightSlices(); s++ {
		Add.Apply(dw, dw, r.partial[s*len(r.w)+lo*row:s*len(r.w)+hi*row])
	}
}

// span returns the range of output positions whose tap at offset k falls
// inside an axis of length n.
func span(out, n, stride, pad, k int) (lo, hi int) {
	lo = max(0, ceilDiv(pad-k, stride))
	if pad-k < 0 {
		lo = 0
	}
	hi = min(out, floorDiv(n-1+pad-k, stride)+1)
	return lo, max(lo, hi)
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -ceilDiv(-a, b)
	}
	return a / b
}

// gather writes the patch matrix of one image and group.
func (v *Conv) gather(dst, x []float32) {
	oh, ow := v.Out()
	for c := range v.C / v.Groups {
		for ky := range v.KH {
			for kx := range v.KW {
				x0, x1 := span(ow, v.W, v.StrideW, v.PadW, kx)
				for oy := range oh {
					row := dst[:ow]
					dst = dst[ow:]
					iy := oy*v.StrideH + ky - v.PadH
					if iy < 0 || iy >= v.H {
						clear(row)
						continue
					}
					clear(row[:x0])
					clear(row[x1:])
					at := (c*v.H+iy)*v.W + x0*v.StrideW + kx - v.PadW
					if v.StrideW == 1 {
						copy(row[x0:x1], x[at:])
						continue
					}
					for i := x0; i < x1; i++ {
						row[i] = x[at]
						at += v.StrideW
					}
				}
			}
		}
	}
}

// scatter adds the patch matrix of one image and group back to where gather
// would have read it.
func (v *Conv) scatter(x, patches []float32) {
	oh, ow := v.Out()
	for c := range v.C / v.Groups {
		for ky := range v.KH {
			for kx := range v.KW {
				x0, x1 := span(ow, v.W, v.StrideW, v.PadW, kx)
				for oy := range oh {
					row := patches[:ow]
					patches = patches[ow:]
					iy := oy*v.StrideH + ky - v.PadH
					if iy < 0 || iy >= v.H || x0 == x1 {
						continue
					}
					at := (c*v.H+iy)*v.W + x0*v.StrideW + kx - v.PadW
					if v.StrideW == 1 {
						d := x[at : at+x1-x0]
						active.binary[Add](d, d, row[x0:x1])
						continue
					}
					for i := x0; i < x1; i++ {
						x[at] += row[i]
						at += v.StrideW
					}
				}
			}
		}
	}
}
