package ir

import (
	"errors"
	"fmt"
	"slices"
)

// infer gives the type of an instruction's result and checks its operands and
// attributes. Ops whose type is kept (see op.go) check in.Type instead.
func infer(in *Instr, args []Type) (Type, error) {
	info := ops[in.Op]
	if info.arity >= 0 && len(args) != info.arity {
		return Type{}, fmt.Errorf("takes %d operands, found %d", info.arity, len(args))
	}
	if info.arity < 0 && len(args) == 0 {
		return Type{}, errors.New("takes one or more operands, found none")
	}
	if err := checkShape(in.Type.Shape); err != nil {
		return Type{}, err
	}
	for i, a := range args {
		want := F32
		if in.Op == OneHot || in.Op == Uniform || in.Op == Normal || in.Op == Gather && i == 1 {
			want = U32
		}
		// Gather, Reshape and Slice move elements of either type.
		moves := in.Op == Gather && i == 0 || in.Op == Reshape || in.Op == Slice
		if a.DType != want && !moves {
			return Type{}, fmt.Errorf("operand %d: want %s, found %s", i, want, a)
		}
	}
	t, err := inferShape(in, args)
	if err != nil {
		return Type{}, err
	}
	return t, checkShape(t.Shape)
}

func inferShape(in *Instr, args []Type) (Type, error) {
	switch in.Op {
	case Param:
		if in.Name == "" {
			return Type{}, errors.New("want a name")
		}
		return in.Type, nil
	case Const:
		return in.Type, wantFloat(in.Type)
	case Uniform, Normal:
		if err := checkKey(in.Type, args[0]); err != nil {
			return Type{}, err
		}
		return in.Type, wantFloat(in.Type)
	case Select:
		if !slices.Equal(args[0].Shape, args[1].Shape) {
			return Type{}, fmt.Errorf("operands differ in shape: %s and %s", args[0], args[1])
		}
		return sameShape(args[1:])
	case Broadcast:
		return inferBroadcast(in, args[0])
	case Reshape:
		if in.Type.Size() != args[0].Size() || in.Type.DType != args[0].DType {
			return Type{}, fmt.Errorf("cannot make %s of %s", in.Type, args[0])
		}
		return in.Type, nil
	case Transpose:
		return inferTranspose(in, args[0])
	case Slice, Pad:
		return inferSlicePad(in, args[0])
	case Concat:
		return inferConcat(in, args)
	case Gather:
		if args[0].Rank() < 1 || args[1].Rank() != 1 {
			return Type{}, fmt.Errorf("want x[n …] and u32[m], found %s and %s", args[0], args[1])
		}
		return Type{args[0].DType, append([]int{args[1].Shape[0]}, args[0].Shape[1:]...)}, nil
	case OneHot:
		r := in.Type.Rank()
		if r != args[0].Rank()+1 || !slices.Equal(in.Type.Shape[:r-1], args[0].Shape) {
			return Type{}, fmt.Errorf("want f32%s with one more axis, found %s", intsString(args[0].Shape), in.Type)
		}
		return in.Type, wantFloat(in.Type)
	case ReduceSum, ReduceMax:
		return inferReduce(in, args[0])
	case MatMul:
		return inferMatMul(in, args[0], args[1])
	case Conv2D, Conv2DDX, Conv2DDW:
		return inferConv(in, args)
	case MaxPool, MaxPoolGrad, AvgPool, AvgPoolGrad:
		return inferPool(in, args)
	case LogSoftmax:
		if args[0].Rank() < 1 || args[0].Shape[args[0].Rank()-1] == 0 {
			return Type{}, fmt.Errorf("want a non-empty last axis, found %s", args[0])
		}
		return args[0], nil
	case Linear:
		m := Instr{Op: MatMul, Attrs: Attrs{TransB: true}}
		t, err := inferMatMul(&m, args[0], args[1])
		if err == nil && !slices.Equal(args[2].Shape, t.Shape[1:]) {
			err = fmt.Errorf("bias: want f32[%d], found %s", t.Shape[1], args[2])
		}
		return t, err
	default: // elementwise
		return sameShape(args)
	}
}

func wantFloat(t Type) error {
	if t.DType != F32 {
		return fmt.Errorf("want f32, found %s", t)
	}
	return nil
}

func sameShape(args []Type) (Type, error) {
	for _, a := range args[1:] {
		if !slices.Equal(a.Shape, args[0].Shape) {
			return Type{}, fmt.Errorf("operands differ in shape: %s and %s", args[0], a)
		}
	}
	return args[0], nil
}

func inferBroadcast(in *Instr, x Type) (Type, error) {
	if len(in.Dims) != x.Rank() {
		return Type{}, fmt.Errorf("dims %s do not fit %s", intsString(in.Dims), x)
	}
	last := -1
	for i, d := range in.Dims {
		if d <= last || d >= in.Type.Rank() {
			return Type{}, fmt.Errorf("dims %s: want rising axes of %s", intsString(in.Dims), in.Type)
		}
		if in.Type.Shape[d] != x.Shape[i] {
			return Type{}, fmt.Errorf("axis %d of %s does not fit axis %d of %s", i, x, d, in.Type)
		}
		last = d
	}
	return in.Type, wantFloat(in.Type)
}

func inferTranspose(in *Instr, x Type) (Type, error) {
	seen := make([]bool, x.Rank())
	shape := make([]int, 0, x.Rank())
	for _, d := range in.Dims {
		if d < 0 || d >= x.Rank() || seen[d] {
			return Type{}, fmt.Errorf("dims %s are no permutation of the axes of %s", intsString(in.Dims), x)
		}
		seen[d] = true
		shape = append(shape, x.Shape[d])
	}
	if len(shape) != x.Rank() {
		return Type{}, fmt.Errorf("dims %s are no permutation of the axes of %s", intsString(in.Dims), x)
	}
	return Type{x.DType, shape}, nil
}

func inferSlicePad(in *Instr, x Type) (Type, error) {
	if len(in.Lo) != x.Rank() || len(in.Hi) != x.Rank() {
		return Type{}, fmt.Errorf("lo %s and hi %s do not fit %s", intsString(in.Lo), intsString(in.Hi), x)
	}
	shape := make([]int, x.Rank())
	for i, n := range x.Shape {
		lo, hi := in.Lo[i], in.Hi[i]
		if in.Op == Pad {
			if lo < 0 || hi < 0 || lo > maxElements || hi > maxElements {
				return Type{}, fmt.Errorf("axis %d: cannot pad by %d and %d", i, lo, hi)
			}
			shape[i] = n + lo + hi
			continue
		}
		if lo < 0 || lo > hi || hi > n {
			return Type{}, fmt.Errorf("axis %d: [%d, %d) is not within %s", i, lo, hi, x)
		}
		shape[i] = hi - lo
	}
	return Type{x.DType, shape}, nil
}

func inferConcat(in *Instr, args []Type) (Type, error) {
	if in.Axis < 0 || in.Axis >= args[0].Rank() {
		return Type{}, fmt.Errorf("no axis %d in %s", in.Axis, args[0])
	}
	shape := append([]int(nil), args[0].Shape...)
	for _, a := range args[1:] {
		if a.Rank() != len(shape) {
			return Type{}, fmt.Errorf("cannot join %s to %s", a, args[0])
		}
		for i, d := range a.Shape {
			if i != in.Axis && d != shape[i] {
				return Type{}, fmt.Errorf("cannot join %s to %s along axis %d", a, args[0], in.Axis)
			}
		}
		shape[in.Axis] += a.Shape[in.Axis]
	}
	return Type{F32, shape}, nil
}

func inferReduce(in *Instr, x Type) (Type, error) {
	drop := make([]bool, x.Rank())
	last := -1
	for _, d := range in.Dims {
		if d <= last || d >= x.Rank() {
			return Type{}, fmt.Errorf("dims %s: want rising axes of %s", intsString(in.Dims), x)
		}
		drop[d], last = true, d
	}
	shape := []int{}
	for i, d := range x.Shape {
		if !drop[i] {
			shape = append(shape, d)
		}
	}
	return Type{F32, shape}, nil
}

func inferMatMul(in *Instr, a, b Type) (Type, error) {
	if a.Rank() != 2 || b.Rank() != 2 {
		return Type{}, fmt.Errorf("want two matrices, found %s and %s", a, b)
	}
	m, k := a.Shape[0], a.Shape[1]
	if in.TransA {
		m, k = k, m
	}
	k2, n := b.Shape[0], b.Shape[1]
	if in.TransB {
		k2, n = n, k2
	}
	if k != k2 {
		return Type{}, fmt.Errorf("inner dimensions differ: %s and %s%s", a, b, transString(in.TransA, in.TransB))
	}
	return Float(m, n), nil
}

func transString(a, b bool) string {
	s := ""
	if a {
		s += " transA"
	}
	if b {
		s += " transB"
	}
	return s
}

func checkWindow(w Window, conv bool) error {
	for i := range 2 {
		if w.Stride[i] < 1 || w.Pad[i] < 0 || w.Pad[i] > 1<<20 || w.Stride[i] > 1<<20 {
			return fmt.Errorf("stride %v pad %v: want strides of at least 1, no negative padding, and at most %d", w.Stride, w.Pad, 1<<20)
		}
		if w.Kernel[i] < 1 || w.Kernel[i] > 1<<20 {
			return fmt.Errorf("kernel %v: want at least 1 and at most %d", w.Kernel, 1<<20)
		}
		if !conv && w.Pad[i] >= w.Kernel[i] {
			return fmt.Errorf("pad %v: want less than the kernel %v", w.Pad, w.Kernel)
		}
	}
	if conv && (w.Groups < 1 || w.Groups > 1<<20) {
		return fmt.Errorf("groups %d: want at least 1 and at most %d", w.Groups, 1<<20)
	}
	if !conv && w.Groups != 0 {
		return fmt.Errorf("groups %d: a pool has none", w.Groups)
	}
	return nil
}

// inferConv checks the three types x, w, g of a convolution against each
// other, whichever of them is the result.
func inferConv(in *Instr, args []Type) (Type, error) {
	var x, w, g Type
	switch in.Op {
	case Conv2D:
		x, w = args[0], args[1]
	case Conv2DDX:
		x, g, w = in.Type, args[0], args[1]
	case Conv2DDW:
		x, g, w = args[0], args[1], in.Type
	}
	if in.Op != Conv2D {
		if err := wantFloat(in.Type); err != nil {
			return Type{}, err
		}
	}
	if x.Rank() != 4 || w.Rank() != 4 {
		return Type{}, fmt.Errorf("want x[n c h w] and w[o c kh kw], found %s and %s", x, w)
	}
	if in.Window.Kernel != [2]int{} {
		return Type{}, errors.New("a convolution takes its kernel from its weights")
	}
	win := in.Window
	win.Kernel = [2]int{w.Shape[2], w.Shape[3]}
	if err := checkWindow(win, true); err != nil {
		return Type{}, err
	}
	if w.Shape[1]*win.Groups != x.Shape[1] || w.Shape[0]%win.Groups != 0 {
		return Type{}, fmt.Errorf("weights %s do not fit %s in %d groups", w, x, win.Groups)
	}
	out, err := windowOut(win, x)
	if err != nil {
		return Type{}, err
	}
	t := Float(x.Shape[0], w.Shape[0], out[0], out[1])
	if in.Op == Conv2D {
		return t, nil
	}
	if !t.Equal(g) {
		return Type{}, fmt.Errorf("the output's gradient: want %s, found %s", t, g)
	}
	return in.Type, nil
}

func inferPool(in *Instr, args []Type) (Type, error) {
	x := args[0]
	if in.Op == AvgPoolGrad {
		x = in.Type
	}
	if x.Rank() != 4 {
		return Type{}, fmt.Errorf("want x[n c h w], found %s", x)
	}
	if err := checkWindow(in.Window, false); err != nil {
		return Type{}, err
	}
	out, err := windowOut(in.Window, x)
	if err != nil {
		return Type{}, err
	}
	t := Float(x.Shape[0], x.Shape[1], out[0], out[1])
	if in.Op == MaxPool || in.Op == AvgPool {
		return t, nil
	}
	if g := args[len(args)-1]; !t.Equal(g) {
		return Type{}, fmt.Errorf("the output's gradient: want %s, found %s", t, g)
	}
	return x, wantFloat(x)
}

func windowOut(w Window, x Type) (out [2]int, err error) {
	for i := range 2 {
		if x.Shape[2+i]+2*w.Pad[i] < w.Kernel[i] {
			return out, fmt.Errorf("a window of %v does not fit in %s padded by %v", w.Kernel, x, w.Pad)
		}
		out[i] = w.Out(i, x.Shape[2+i])
	}
	return out, nil
}
