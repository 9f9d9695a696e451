package onnx

import (
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods/nn"
)

// window is that of a convolution or a pool.
type window struct {
	kernel, stride [2]int
	lo, hi         [2]int // padding, before and after each axis
	extra          [2]int // of hi, what rounding up adds
}

// windowOf reads the window of a node on x.
func (r *run) windowOf(n *node, x ir.Value, kernel [2]int) window {
	if r.b.Type(x).Rank() != 4 {
		r.fail("it takes images [channels height width], found %s", r.b.Type(x))
	}
	w := window{kernel: kernel, stride: [2]int{1, 1}}
	pair := func(name string, to *[2]int) {
		a, ok := n.attributes[name]
		if !ok {
			return
		}
		if len(a.ints) != 2 {
			r.fail("%s: want two numbers, found %v", name, a.ints)
		}
		*to = [2]int{int(a.ints[0]), int(a.ints[1])}
	}
	pair("strides", &w.stride)
	dilation := [2]int{1, 1}
	if pair("dilations", &dilation); dilation != [2]int{1, 1} {
		r.fail("dilations %v are not read; want 1", dilation)
	}
	for i := range 2 {
		if w.stride[i] < 1 || w.kernel[i] < 1 {
			r.fail("want strides and a kernel of at least 1, found %v and %v", w.stride, w.kernel)
		}
	}
	size := r.b.Shape(x)[2:]
	switch auto := n.attributes["auto_pad"].s; auto {
	case "", "NOTSET":
		if a, ok := n.attributes["pads"]; ok {
			if len(a.ints) != 4 {
				r.fail("pads: want four numbers, found %v", a.ints)
			}
			w.lo, w.hi = [2]int{int(a.ints[0]), int(a.ints[1])}, [2]int{int(a.ints[2]), int(a.ints[3])}
		}
	case "SAME_UPPER", "SAME_LOWER":
		for i := range 2 {
			out := (size[i] + w.stride[i] - 1) / w.stride[i]
			total := max((out-1)*w.stride[i]+w.kernel[i]-size[i], 0)
			w.lo[i], w.hi[i] = total/2, total-total/2
			if auto == "SAME_LOWER" {
				w.lo[i], w.hi[i] = w.hi[i], w.lo[i]
			}
		}
	case "VALID":
	default:
		r.fail("auto_pad %q is not read", auto)
	}
	for i := range 2 {
		if w.lo[i] < 0 || w.hi[i] < 0 {
			r.fail("want no negative padding, found %v and %v", w.lo, w.hi)
		}
		if n.whole("ceil_mode", 0) == 0 {
			continue
		}
		span := size[i] + w.lo[i] + w.hi[i] - w.kernel[i]
		out := (span+w.stride[i]-1)/w.stride[i] + 1
		if (out-1)*w.stride[i] >= size[i]+w.lo[i] {
			out-- // a window that begins beyond the image and its padding before is none
		}
		w.extra[i] = max((out-1)*w.stride[i]-span, 0)
		w.hi[i] += w.extra[i]
	}
	return w
}

// even reports whether the padding before is that after.
func (w window) even() bool { return w.lo == w.hi }

// padded is x with the padding around it.
func (w window) padded(b *ir.Builder, x ir.Value) ir.Value {
	return b.Pad(x, []int{0, 0, w.lo[0], w.lo[1]}, []int{0, 0, w.hi[0], w.hi[1]})
}

func (r *run) conv(n *node) ir.Value {
	l, x := r.graph.layers[n], r.tensor(n, 0)
	shape := l.weight.dims
	w := r.windowOf(n, x, [2]int{shape[2], shape[3]})
	groups := n.whole("group", 1)
	if have := r.b.Shape(x)[1]; groups < 1 || have != shape[1]*groups || shape[0]%groups != 0 {
		r.fail("its weights %q of the shape %v in %d groups do not fit the %d channels", l.weight.name, shape, groups, have)
	}
	pad := w.lo
	if !w.even() {
		x, pad = w.padded(r.b, x), [2]int{}
	}
	return r.Conv(l.name, x, nn.Conv{
		Out: shape[0], Kernel: shape[2], Stride: w.stride[0], Pad: pad[0],
		Width: nn.Span{Kernel: shape[3], Stride: w.stride[1], Pad: pad[1]}, Groups: groups, NoBias: l.bias == nil,
	})
}

// poolOf reads the window of a pool.
func (r *run) poolOf(n *node, x ir.Value) window {
	a := n.attributes["kernel_shape"].ints
	if len(a) != 2 {
		r.fail("kernel_shape: want two numbers, found %v", a)
	}
	return r.windowOf(n, x, [2]int{int(a[0]), int(a[1])})
}

func (r *run) maxPool(n *node) ir.Value {
	x := r.tensor(n, 0)
	w := r.poolOf(n, x)
	if w.even() && w.lo[0] < w.kernel[0] && w.lo[1] < w.kernel[1] {
		return r.b.MaxPool(x, w.kernel, w.stride, w.lo)
	}
	// Padding must be the largest of no window.
	inside := w.padded(r.b, r.b.Full(1, r.b.Shape(x)...))
	x = r.b.Select(inside, w.padded(r.b, x), r.b.Const(-math.MaxFloat32))
	return r.b.MaxPool(x, w.kernel, w.stride, [2]int{})
}

func (r *run) averagePool(n *node) ir.Value {
	x := r.tensor(n, 0)
	w := r.poolOf(n, x)
	counted := n.whole("count_include_pad", 0) != 0
	none := [2]int{}
	if w.extra == none && w.even() && (counted && w.lo[0] < w.kernel[0] && w.lo[1] < w.kernel[1] || w.lo == none) {
		return r.b.AvgPool(x, w.kernel, w.stride, w.lo)
	}
	// The mean of what counts: the sum of the window over the number of its elements that count.
	sum := r.b.AvgPool(w.padded(r.b, x), w.kernel, w.stride, none)
	ones := r.b.Shape(x)
	fill := w
	if counted { // all but what rounding up adds
		ones = []int{ones[0], ones[1], ones[2] + w.lo[0] + w.hi[0] - w.extra[0], ones[3] + w.lo[1] + w.hi[1] - w.extra[1]}
		fill.lo, fill.hi = none, w.extra
	}
	return r.b.Div(sum, r.b.AvgPool(fill.padded(r.b, r.b.Full(1, ones...)), w.kernel, w.stride, none))
}

// channels refuses what is no image, and gives its batch and channels.
func (r *run) channels(x ir.Value) (n, c int) {
	shape := r.b.Shape(x)
	if len(shape) != 4 {
		r.fail("it takes images [channels height width], found %s", r.b.Type(x))
	}
	return shape[0], shape[1]
}

func (r *run) globalAveragePool(n *node) ir.Value {
	x := r.tensor(n, 0)
	batch, c := r.channels(x)
	return r.b.Reshape(r.b.Mean(x, 2, 3), batch, c, 1, 1)
}

func (r *run) globalMaxPool(n *node) ir.Value {
	x := r.tensor(n, 0)
	batch, c := r.channels(x)
	return r.b.Reshape(r.b.MaxOver(x, 2, 3), batch, c, 1, 1)
}
