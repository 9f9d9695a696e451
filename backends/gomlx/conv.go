package gomlx

import (
	mlx "github.com/gomlx/gomlx/backends"

	"bayesbench/backends/ir"
)

// All three convolutions are GoMLX's ConvGeneral with the axes named in
// another order: no array is transposed except the groups' weights and inputs.

var ones = []int{1, 1}

func conv2D(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	w := in.Window
	axes := mlx.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
		KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
	}
	pads := [][2]int{{w.Pad[0], w.Pad[0]}, {w.Pad[1], w.Pad[1]}}
	return e.do(e.b.ConvGeneral(x[0], x[1], axes, w.Stride[:], pads, ones, ones, w.Groups, 1))
}

// conv2DDX is
//
//	dx[n, c, h] = Σ_{o, k} g[n, o, (h+pad−k)/stride]·w[o, c, k],
//
// the convolution of g, spread out by the stride, with w turned round.
func conv2DDX(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	g, w, win := x[0], x[1], in.Window
	dw := e.dims(w) // [o c/groups kh kw]
	if n := win.Groups; n > 1 {
		// To [o/groups c kh kw]: each group's inputs are the o's of the group.
		w = e.reshape(w, n, dw[0]/n, dw[1], dw[2], dw[3])
		w = e.reshape(e.transpose(w, 1, 0, 2, 3, 4), dw[0]/n, n*dw[1], dw[2], dw[3])
	}
	w = e.reverse(e.reverse(w, 2), 3)
	axes := mlx.ConvolveAxesConfig{
		InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
		KernelInputChannels: 0, KernelOutputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
	}
	pads := make([][2]int, 2)
	lo, hi := make([]int, 4), append([]int(nil), in.Type.Shape...)
	for i := range pads {
		k, pad, size := dw[2+i], win.Pad[i], in.Type.Shape[2+i]
		// Padding beyond the kernel's reach is more rows to compute, cut off after.
		extra := max(0, pad-(k-1))
		spread := (e.dims(g)[2+i]-1)*win.Stride[i] + 1
		pads[i][0] = k - 1 - (pad - extra)
		pads[i][1] = size + 2*extra + k - 1 - spread - pads[i][0]
		if k == 2 && win.Stride[i] == 2 && pads[i] == [2]int{} {
			// XLA takes a window of just these numbers for the mark of a grouped
			// convolution when it swaps the operands, and aborts. One more row
			// is not of these numbers.
			pads[i][1] = 1
		}
		lo[2+i], hi[2+i] = extra, extra+size
	}
	dx := e.do(e.b.ConvGeneral(g, w, axes, ones, pads, win.Stride[:], ones, win.Groups, 1))
	return e.cut(dx, lo, hi)
}

// cut is a slice, where there is anything to cut off.
func (e *emitter) cut(x mlx.Op, lo, hi []int) mlx.Op {
	for i, n := range e.dims(x) {
		if lo[i] != 0 || hi[i] != n {
			return e.slice(x, lo, hi, nil)
		}
	}
	return x
}

// conv2DDW is
//
//	dw[o, c, k] = Σ_{n, h} x[n, c, h·stride+k−pad]·g[n, o, h],
//
// the convolution of x with g as its kernel, spread out by the stride, with
// the batch in the place of the channels.
func conv2DDW(e *emitter, in *ir.Instr, x []mlx.Op) mlx.Op {
	a, g, win := x[0], x[1], in.Window
	pads := make([][2]int, 2)
	hi := append([]int(nil), e.dims(a)...)
	for i := range pads {
		reach := (e.dims(g)[2+i]-1)*win.Stride[i] + in.Type.Shape[2+i] // of the windows
		after := reach - hi[2+i] - win.Pad[i]
		pads[i] = [2]int{win.Pad[i], max(0, after)}
		hi[2+i] += min(0, after) // rows that no window covers
	}
	a = e.cut(a, make([]int, 4), hi)
	if n := win.Groups; n > 1 {
		// From [n c h w] to [groups·n c/groups h w]: the groups are of channels.
		d := e.dims(a)
		a = e.reshape(a, d[0], n, d[1]/n, d[2], d[3])
		a = e.reshape(e.transpose(a, 1, 0, 2, 3, 4), n*d[0], d[1]/n, d[2], d[3])
	}
	axes := mlx.ConvolveAxesConfig{
		InputBatch: 1, InputChannels: 0, InputSpatial: []int{2, 3},
		KernelInputChannels: 0, KernelOutputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 1, OutputChannels: 0, OutputSpatial: []int{2, 3},
	}
	return e.do(e.b.ConvGeneral(a, g, axes, ones, pads, ones, win.Stride[:], win.Groups, 1))
}
