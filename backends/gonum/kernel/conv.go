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

// ConvScratch returns the scratch that Conv needs.
func (p *Pool) ConvScratch(v *Conv) Scratch {
	c := v.forwardPass()
	if c.byRows() {
		return c.rowsScratch()
	}
	l := c.plan(p.workers)
	return l.scratch()
}

// ConvGradInputScratch returns the scratch that ConvGradInput needs.
func (p *Pool) ConvGradInputScratch(v *Conv) Scratch {
	c := v.inputPass()
	l := c.plan(p.workers)
	return l.scratch()
}

// ConvGradWeightsScratch returns the scratch that ConvGradWeights needs.
func (p *Pool) ConvGradWeightsScratch(v *Conv) Scratch {
	switch {
	case v.gradByPixels():
		return v.pixelPlan().scratch
	case v.gradByTiles() != nil:
		return v.tileGradPlan(p.workers).scratch
	}
	return v.weightPlan(p.workers).scratch
}

func (v *Conv) check(x, w, y []float32) {
	nx, nw, ny := v.sizes()
	mustEqual(len(x), nx)
	mustEqual(len(w), nw)
	mustEqual(len(y), ny)
}

// Conv computes y = conv(MapX(x), MapW(w)) + bias[o], bias of length O or nil.
func (p *Pool) Conv(v *Conv, y, x, w, bias []float32) {
	v.check(x, w, y)
	c := v.forwardPass()
	if c.byRows() {
		p.correlateRows(&c, y, x, w, bias)
		return
	}
	p.correlate(&c, y, x, w, bias)
}

// ConvGradInput computes the gradient with respect to MapX(x) from the
// gradient dy with respect to the result.
func (p *Pool) ConvGradInput(v *Conv, dx, dy, w []float32) {
	v.check(dx, w, dy)
	c := v.inputPass()
	p.correlate(&c, dx, dy, w, nil)
}

// ConvGradWeights computes the gradient with respect to MapW(w).
func (p *Pool) ConvGradWeights(v *Conv, dw, x, dy []float32) {
	v.check(x, dw, dy)
	switch {
	case v.gradByPixels():
		p.weightGradientByPixels(v, dw, x, dy)
	case v.gradByTiles() != nil:
		p.weightGradientByTiles(v, dw, x, dy)
	default:
		p.weightGradient(v, dw, x, dy)
	}
}

// span returns the range of output positions whose tap at offset k falls
// inside an axis of length n.
func span(out, n, stride, pad, k int) (lo, hi int) {
	lo = max(0, ceilDiv(max(0, pad-k), stride))
	hi = min(out, floorDiv(n-1+pad-k, stride)+1)
	return lo, max(lo, hi)
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -ceilDiv(-a, b)
	}
	return a / b
}
