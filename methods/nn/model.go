package nn

import "bayesbench/backends/ir"

// Model is a network written against whatever layers it is given.
type Model struct {
	Name        string
	Description string // one line for lists
	// Apply builds the logits f32[n classes] of x f32[n c h w].
	Apply func(l Layers, x ir.Value, classes int) ir.Value
}

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
}

// Conv is the geometry of a convolution layer.
type Conv struct {
	Out, Kernel, Stride, Pad int
	Groups                   int  // 0 means 1
	NoBias                   bool // where batch normalisation follows
}
