package nn

import (
	"fmt"
	"math"
)

// Init says how a value starts.
type Init struct {
	Dist Dist
	A, B float64 // Constant: A. Uniform: [A, B). Normal: mean A, standard deviation B
}

// Dist names the distribution of an Init.
type Dist uint8

const (
	Constant Dist = iota
	Uniform
	Normal
)

// MarshalText writes "constant 0", "uniform -0.1 0.1" or "normal 0 0.1".
func (i Init) MarshalText() ([]byte, error) {
	switch i.Dist {
	case Uniform:
		return fmt.Appendf(nil, "uniform %v %v", i.A, i.B), nil
	case Normal:
		return fmt.Appendf(nil, "normal %v %v", i.A, i.B), nil
	}
	return fmt.Appendf(nil, "constant %v", i.A), nil
}

// Initializer names the initial distribution of weight tensors. Biases start
// at 0 under each.
type Initializer string

const (
	// Glorot is U(−a, a), a = √(6/(fanIn + fanOut)). Glorot and Bengio,
	// "Understanding the difficulty of training deep feedforward neural
	// networks", AISTATS 2010, eq. 16.
	Glorot Initializer = "glorot"
	// He is N(0, 2/fanIn). He et al., "Delving deep into rectifiers", ICCV
	// 2015, eq. 10.
	He Initializer = "he"
	// Torch is U(−a, a), a = 1/√fanIn, what PyTorch's Linear and Conv2d start
	// their weights with.
	Torch Initializer = "torch"
)

// Init is the distribution for a tensor with so many inputs to each output,
// and outputs from each input.
func (f Initializer) Init(fanIn, fanOut int) Init {
	switch f {
	case He:
		return Init{Normal, 0, math.Sqrt(2 / float64(fanIn))}
	case Torch:
		a := 1 / math.Sqrt(float64(fanIn))
		return Init{Uniform, -a, a}
	default:
		a := math.Sqrt(6 / float64(fanIn+fanOut))
		return Init{Uniform, -a, a}
	}
}

// UnmarshalText reads a name and refuses an unknown one.
func (f *Initializer) UnmarshalText(text []byte) error {
	switch v := Initializer(text); v {
	case Glorot, He, Torch:
		*f = v
		return nil
	}
	return fmt.Errorf("init = %q: want \"glorot\", \"he\" or \"torch\"", text)
}
