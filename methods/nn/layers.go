package nn

import "bayesbench/backends/ir"

// Layers builds layers into a program. Names are unique within a model and
// name the state slots of the layer's parameters: "fc1" gives "fc1.w", "fc1.b".
type Layers interface {
	Builder() *ir.Builder
	// Linear is x·wᵀ + b, x f32[n in], w [out in].
	Linear(name string, x ir.Value, out int) ir.Value
	// Conv is a two-dimensional convolution, x f32[n c h w], w [out c/groups k k].
	Conv(name string, x ir.Value, c Conv) ir.Value
	// Dropout marks a place where the literature puts dropout in this network;
	// rate is the published one, 0 where the method chooses. Layers that are
	// not of a dropout method return x.
	Dropout(name string, x ir.Value, rate float64) ir.Value
	// BatchNorm normalises the channels (axis 1) of x.
	BatchNorm(name string, x ir.Value) ir.Value
	// ResponseNorm normalises every map of x f32[n c h w] by its own size.
	ResponseNorm(name string, x ir.Value) ir.Value
}

// Conv is the geometry of a convolution layer.
type Conv struct {
	Out, Kernel, Stride, Pad int  // Stride 0 means 1
	Groups                   int  // 0 means 1
	NoBias                   bool // where batch normalisation follows
}

// window is c as the ops take it.
func (c Conv) window() (stride, pad [2]int, groups int) {
	s, g := max(c.Stride, 1), max(c.Groups, 1)
	return [2]int{s, s}, [2]int{c.Pad, c.Pad}, g
}

// shape is the shape of the weights for an input of the given channels.
func (c Conv) shape(channels int) []int {
	return []int{c.Out, channels / max(c.Groups, 1), c.Kernel, c.Kernel}
}
