package nn

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// Init says how a value starts.
type Init struct {
	Dist   Dist
	A, B   float64 // Constant: A. Uniform: [A, B). Normal: mean A, standard deviation B
	Values *Values // Given
}

// Values are numbers that a value starts with, row by row.
type Values struct {
	Data []float32
	sum  string
}

// NewValues keeps data, which must not change any more.
func NewValues(data []float32) *Values {
	h := sha256.New()
	var bytes [4]byte
	for _, x := range data {
		binary.LittleEndian.PutUint32(bytes[:], math.Float32bits(x))
		h.Write(bytes[:])
	}
	return &Values{data, hex.EncodeToString(h.Sum(nil)[:6])}
}

// Sum is a hash of the numbers.
func (v *Values) Sum() string { return v.sum }

// Dist names the distribution of an Init.
type Dist uint8

const (
	Constant Dist = iota
	Uniform
	Normal
	Given // by Values
)

// MarshalText writes "constant 0", "uniform -0.1 0.1", "normal 0 0.1", or "given" and a hash.
func (i Init) MarshalText() ([]byte, error) {
	switch i.Dist {
	case Uniform:
		return fmt.Appendf(nil, "uniform %v %v", i.A, i.B), nil
	case Normal:
		return fmt.Appendf(nil, "normal %v %v", i.A, i.B), nil
	case Given:
		return fmt.Appendf(nil, "given %s", i.Values.Sum()), nil
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
		return Init{Dist: Normal, B: math.Sqrt(2 / float64(fanIn))}
	case Torch:
		a := 1 / math.Sqrt(float64(fanIn))
		return Init{Dist: Uniform, A: -a, B: a}
	default:
		a := math.Sqrt(6 / float64(fanIn+fanOut))
		return Init{Dist: Uniform, A: -a, B: a}
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
