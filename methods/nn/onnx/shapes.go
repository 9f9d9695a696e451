package onnx

import (
	"slices"

	"bayesbench/backends/ir"
)

// pass gives on what it is given.
func pass(r *run, n *node) []value {
	if v, ok := r.values[n.in(0)]; ok {
		return []value{v}
	}
	if r.isWhole(n, 0) {
		whole, _ := r.whole(n, 0)
		return []value{{whole: whole, known: true}}
	}
	return []value{{v: r.tensor(n, 0)}}
}

// axis is an axis of rank, counted from the end where it is negative.
func (r *run) axis(a int64, rank int) int {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		r.fail("no axis %d in %d", a, rank)
	}
	return int(a)
}

// axes are those of input i, or of the attribute axes.
func (r *run) axes(n *node, i int) (axes []int64, ok bool) {
	if a, ok := n.attributes["axes"]; ok {
		return a.ints, true
	}
	return r.whole(n, i)
}

func (r *run) flatten(n *node) ir.Value {
	if axis := n.whole("axis", 1); axis != 1 {
		r.fail("want axis 1, so that each example stays apart, found %d", axis)
	}
	return r.b.Flatten(r.tensor(n, 0))
}

func reshape(r *run, n *node) []value {
	target, ok := r.whole(n, 1)
	if !ok || len(target) == 0 {
		r.fail("want a shape")
	}
	if r.isWhole(n, 0) {
		numbers, _ := r.whole(n, 0)
		return []value{{whole: numbers, dims: r.shape(n, target, []int{len(numbers)}), known: true}}
	}
	x := r.tensor(n, 0)
	return []value{{v: r.b.Reshape(x, r.shape(n, target, r.b.Shape(x))...)}}
}

// shape is the one that target says of what has another.
func (r *run) shape(n *node, target []int64, have []int) []int {
	size := 1
	for _, d := range have {
		size *= d
	}
	shape := make([]int, len(target))
	open, product := -1, 1
	for i, d := range target {
		switch fixed := r.graph.input.shape[0]; {
		case i == 0 && fixed > 0 && d == fixed && len(have) > 0 && have[0] == r.batch:
			shape[i] = r.batch // the file is of one size of batch
		case d == 0 && n.whole("allowzero", 0) == 0 && i < len(have):
			shape[i] = have[i]
		case d == -1 && open < 0:
			open = i
			continue
		case d < 1 || d > maxElements:
			r.fail("no shape %v", target)
		default:
			shape[i] = int(d)
		}
		if product *= shape[i]; product > maxElements {
			r.fail("no shape %v", target)
		}
	}
	if open >= 0 {
		shape[open] = size / max(product, 1)
		product *= shape[open]
	}
	if product != size {
		r.fail("cannot make the shape %v of %v", target, have)
	}
	return shape
}

func transpose(r *run, n *node) []value {
	if r.isWhole(n, 0) {
		v := r.values[n.in(0)]
		if len(v.dims) != 2 {
			r.fail("want whole numbers in rows and columns, found the shape %v", v.dims)
		}
		turned := value{dims: []int{v.dims[1], v.dims[0]}, known: true}
		for j := range v.dims[1] {
			for i := range v.dims[0] {
				turned.whole = append(turned.whole, v.whole[i*v.dims[1]+j])
			}
		}
		return []value{turned}
	}
	x := r.tensor(n, 0)
	rank := r.b.Type(x).Rank()
	var dims []int
	for i := range rank {
		dims = append(dims, rank-1-i)
	}
	if perm := n.attributes["perm"].ints; perm != nil {
		dims = nil
		for _, p := range perm {
			dims = append(dims, r.axis(p, rank))
		}
	}
	return []value{{v: r.b.Transpose(x, dims...)}}
}

func (r *run) pad(n *node) ir.Value {
	x := r.tensor(n, 0)
	if mode := n.attributes["mode"].s; mode != "" && mode != "constant" {
		r.fail("mode %q is not read; want constant", mode)
	}
	if v := r.number(n, 2, 0); v != 0 {
		r.fail("want the padding 0, found %v", v)
	}
	pads, _ := r.whole(n, 1)
	rank := r.b.Type(x).Rank()
	axes, ok := r.whole(n, 3)
	if !ok {
		for i := range rank {
			axes = append(axes, int64(i))
		}
	}
	if len(pads) != 2*len(axes) {
		r.fail("want two paddings for each of %d axes, found %d", len(axes), len(pads))
	}
	lo, hi := make([]int, rank), make([]int, rank)
	for i, a := range axes {
		at := r.axis(a, rank)
		lo[at], hi[at] = int(pads[i]), int(pads[len(axes)+i])
	}
	return r.b.Pad(x, lo, hi)
}

func squeeze(r *run, n *node) []value {
	if r.isWhole(n, 0) {
		return pass(r, n)
	}
	x := r.tensor(n, 0)
	have := r.b.Shape(x)
	axes, ok := r.axes(n, 1)
	drop := make([]bool, len(have))
	for _, a := range axes {
		at := r.axis(a, len(have))
		if have[at] != 1 {
			r.fail("axis %d has %d elements; want one", at, have[at])
		}
		drop[at] = true
	}
	var shape []int
	for i, d := range have {
		if !drop[i] && (ok || d != 1 || i == 0) {
			shape = append(shape, d)
		}
	}
	return []value{{v: r.b.Reshape(x, shape...)}}
}

func unsqueeze(r *run, n *node) []value {
	if r.isWhole(n, 0) {
		return pass(r, n)
	}
	x := r.tensor(n, 0)
	axes, _ := r.axes(n, 1)
	rank := r.b.Type(x).Rank() + len(axes)
	added := make([]bool, rank)
	for _, a := range axes {
		added[r.axis(a, rank)] = true
	}
	have, shape := r.b.Shape(x), []int{}
	for i := range rank {
		switch {
		case added[i]:
			shape = append(shape, 1)
		case len(have) > 0:
			shape, have = append(shape, have[0]), have[1:]
		}
	}
	return []value{{v: r.b.Reshape(x, shape...)}}
}

func concat(r *run, n *node) []value {
	whole := len(n.inputs) > 0
	for i := range n.inputs {
		whole = whole && r.isWhole(n, i)
	}
	if whole {
		var all []int64
		for i := range n.inputs {
			part, _ := r.whole(n, i)
			all = append(all, part...)
		}
		return []value{{whole: all, known: true}}
	}
	var parts []ir.Value
	for i := range n.inputs {
		parts = append(parts, r.tensor(n, i))
	}
	if len(parts) == 0 {
		r.fail("want inputs, found none")
	}
	return []value{{v: r.b.Concat(r.axis(int64(n.whole("axis", 0)), r.b.Type(parts[0]).Rank()), parts...)}}
}

// bound is an index as slices have it: counted from the end where negative, and within [0, size].
func bound(i int64, size int) int {
	if i < 0 {
		i += int64(size)
	}
	return int(min(max(i, 0), int64(size)))
}

func slice(r *run, n *node) []value {
	starts, _ := r.whole(n, 1)
	ends, _ := r.whole(n, 2)
	if v, ok := r.values[n.in(0)]; ok && v.known && len(v.dims) == 2 {
		return []value{r.reversed(n, v)}
	}
	if steps, ok := r.whole(n, 4); ok && slices.ContainsFunc(steps, func(s int64) bool { return s != 1 }) {
		r.fail("want steps of 1, found %v", steps)
	}
	axes, ok := r.whole(n, 3)
	if !ok {
		for i := range starts {
			axes = append(axes, int64(i))
		}
	}
	if len(starts) != len(ends) || len(starts) != len(axes) {
		r.fail("want as many starts as ends and axes, found %d, %d and %d", len(starts), len(ends), len(axes))
	}
	if r.isWhole(n, 0) {
		all, _ := r.whole(n, 0)
		for i := range starts {
			lo, hi := bound(starts[i], len(all)), bound(ends[i], len(all))
			all = all[lo:max(lo, hi)]
		}
		return []value{{whole: all, known: true}}
	}
	x := r.tensor(n, 0)
	hi := slices.Clone(r.b.Shape(x))
	lo := make([]int, len(hi))
	for i, a := range axes {
		at := r.axis(a, len(hi))
		size := r.b.Shape(x)[at]
		lo[at], hi[at] = bound(starts[i], size), bound(ends[i], size)
	}
	return []value{{v: r.b.Slice(x, lo, hi)}}
}

// reversed is the rows of whole numbers, the last first: how PyTorch turns its order of paddings.
func (r *run) reversed(n *node, v value) value {
	steps, _ := r.whole(n, 4)
	axes, _ := r.whole(n, 3)
	starts, _ := r.whole(n, 1)
	if !slices.Equal(steps, []int64{-1}) || !slices.Equal(axes, []int64{0}) || !slices.Equal(starts, []int64{-1}) {
		r.fail("of a table of whole numbers only all rows in reverse are read")
	}
	out := value{dims: v.dims, known: true}
	for i := v.dims[0] - 1; i >= 0; i-- {
		out.whole = append(out.whole, v.whole[i*v.dims[1]:(i+1)*v.dims[1]]...)
	}
	return out
}

// maxWhole bounds a list of whole numbers, which are no more than a shape or paddings.
const maxWhole = 1 << 10

func constantOfShape(r *run, n *node) []value {
	shape, _ := r.whole(n, 0)
	size := int64(1)
	for _, d := range shape {
		if d < 0 || d > maxWhole || size > maxWhole {
			r.fail("no shape %v", shape)
		}
		size *= d
	}
	t := n.attributes["value"].t
	if t == nil || !t.integer() || t.check() != nil || t.size() != 1 || size > maxWhole {
		r.fail("only a few whole numbers are read")
	}
	return []value{{whole: slices.Repeat(t.ints(), int(size)), known: true}}
}

func split(r *run, n *node) []value {
	x := r.tensor(n, 0)
	have := r.b.Shape(x)
	axis := r.axis(int64(n.whole("axis", 0)), len(have))
	sizes, ok := r.whole(n, 1)
	if parts := len(n.outputs); !ok {
		each := (have[axis] + parts - 1) / max(parts, 1)
		for i := range parts {
			sizes = append(sizes, int64(max(min(each, have[axis]-i*each), 0)))
		}
	}
	if len(sizes) < len(n.outputs) {
		r.fail("want a size for each of %d parts, found %d", len(n.outputs), len(sizes))
	}
	var out []value
	at := 0
	for _, size := range sizes[:len(n.outputs)] {
		if size < 0 || int64(at)+size > int64(have[axis]) {
			r.fail("parts of the sizes %v do not make up %d", sizes, have[axis])
		}
		lo, hi := make([]int, len(have)), slices.Clone(have)
		lo[axis], hi[axis] = at, at+int(size)
		out = append(out, value{v: r.b.Slice(x, lo, hi)})
		at += int(size)
	}
	return out
}

func shapeOf(r *run, n *node) []value {
	var shape []int
	if t := r.graph.constants[n.in(0)]; t != nil {
		shape = t.dims
	} else {
		shape = r.b.Shape(r.tensor(n, 0))
	}
	lo, hi := bound(int64(n.whole("start", 0)), len(shape)), len(shape)
	if a, ok := n.attributes["end"]; ok {
		hi = max(bound(a.i, len(shape)), lo)
	}
	var whole []int64
	for _, d := range shape[lo:hi] {
		whole = append(whole, int64(d))
	}
	return []value{{whole: whole, known: true}}
}

// gather picks whole numbers out of a shape.
func gather(r *run, n *node) []value {
	if !r.isWhole(n, 0) {
		r.fail("it picks elements of a value that is computed from the examples; only shapes are read so")
	}
	all, _ := r.whole(n, 0)
	at, _ := r.whole(n, 1)
	var out []int64
	for _, i := range at {
		out = append(out, all[r.axis(i, len(all))])
	}
	return []value{{whole: out, known: true}}
}

// constant is a number or a list that stands in the node; tensors have been taken out before.
func constant(r *run, n *node) []value {
	for name, a := range n.attributes {
		switch name {
		case "value_int":
			return []value{{whole: []int64{a.i}, known: true}}
		case "value_ints":
			return []value{{whole: a.ints, known: true}}
		case "value_float":
			return []value{{v: r.b.Const(float64(a.f))}}
		}
	}
	r.fail("want a tensor, whole numbers or a number")
	return nil
}

func (r *run) reduceMean(n *node) ir.Value {
	x := r.tensor(n, 0)
	have := r.b.Shape(x)
	axes, _ := r.axes(n, 1)
	var dims []int
	for _, a := range axes {
		dims = append(dims, r.axis(a, len(have)))
	}
	slices.Sort(dims)
	if dims = slices.Compact(dims); len(dims) == 0 || dims[0] == 0 {
		r.fail("want axes of an example to take the mean over, found %v", axes)
	}
	y := r.b.Mean(x, dims...)
	if n.whole("keepdims", 1) == 0 {
		return y
	}
	shape := slices.Clone(have)
	for _, d := range dims {
		shape[d] = 1
	}
	return r.b.Reshape(y, shape...)
}
