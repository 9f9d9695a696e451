package nn

import (
	"cmp"

	"bayesbench/backends/ir"
)

// Layers builds layers into a program. Names are unique within a model and
// name the state slots of the layer's parameters: "fc1" gives "fc1.w", "fc1.b".
type Layers interface {
	Builder() *ir.Builder
	// Linear is x·wᵀ + b, x f32[n in], w [out in].
	Linear(name string, x ir.Value, out int) ir.Value
	// Conv is a two-dimensional convolution, x f32[n c h w], w [out c/groups kh kw].
	Conv(name string, x ir.Value, c Conv) ir.Value
	// Dropout marks a place where the literature puts dropout in this network;
	// rate is the published one, 0 where the method chooses. Layers that are
	// not of a dropout method return x.
	Dropout(name string, x ir.Value, rate float64) ir.Value
	// BatchNorm normalises the channels (axis 1) of x.
	BatchNorm(name string, x ir.Value, n Norm) ir.Value
	// ResponseNorm normalises every map of x f32[n c h w] by its own size.
	ResponseNorm(name string, x ir.Value) ir.Value
	// Start gives slots of layers that follow their first values, by the names that the layers give
	// them, in place of what the method would draw.
	Start(at map[string]*Values)
}

// Conv is the geometry of a convolution layer.
type Conv struct {
	Out, Kernel, Stride, Pad int // Stride 0 means 1
	// Width, where its Kernel is not 0, is the window along the width; those above are then along
	// the height alone.
	Width  Span
	Groups int  // 0 means 1
	NoBias bool // where batch normalisation follows
}

// Span is a window along one axis.
type Span struct{ Kernel, Stride, Pad int }

// width is the window along the width.
func (c Conv) width() Span {
	if c.Width.Kernel != 0 {
		return c.Width
	}
	return Span{c.Kernel, c.Stride, c.Pad}
}

// window is c as the ops take it.
func (c Conv) window() (stride, pad [2]int, groups int) {
	w := c.width()
	return [2]int{max(c.Stride, 1), max(w.Stride, 1)}, [2]int{c.Pad, w.Pad}, max(c.Groups, 1)
}

// shape is the shape of the weights for an input of the given channels.
func (c Conv) shape(channels int) []int {
	return []int{c.Out, channels / max(c.Groups, 1), c.Kernel, c.width().Kernel}
}

// Norm is the constants of batch normalisation; one that is 0 is PyTorch's.
type Norm struct {
	Eps float64 // ε, what is added to the variance; 1e-5
	// Momentum is how far the running statistics move towards each batch's; 0.1.
	Momentum float64
}

// withDefaults has a value for each constant.
func (n Norm) withDefaults() Norm { return Norm{cmp.Or(n.Eps, 1e-5), cmp.Or(n.Momentum, 0.1)} }
