package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"bayesbench/methods/nn"
)

// The types of elements that are read, by ONNX's numbers.
const (
	float32Type = 1
	int32Type   = 6
	int64Type   = 7
	float64Type = 11
)

// tensor is a value that stands in the file.
type tensor struct {
	name     string
	dims     []int
	dtype    int64
	raw      []byte  // little endian
	whole    []int64 // of those that are not raw
	external map[string]string

	of    *tensor    // of which this is the transpose; its elements stand there
	start *nn.Values // the elements as the slot has them, nil until they are asked for
}

func readTensor(b []byte) (*tensor, error) {
	t := &tensor{}
	var dims []int64
	var single []byte // of numbers that are not packed
	external := false
	err := message(b, func(num protowire.Number, v wireValue) (err error) {
		switch num {
		case 1:
			dims, err = v.varints(dims)
		case 2:
			t.dtype = int64(v.number)
		case 4, 10: // float_data, double_data
			if v.typ == protowire.BytesType {
				t.raw = v.bytes // packed little endian, as raw_data is
			} else {
				single = binary.LittleEndian.AppendUint32(single, uint32(v.number))
			}
		case 5, 7: // int32_data, int64_data
			t.whole, err = v.varints(t.whole)
		case 8:
			t.name = string(v.bytes)
		case 9:
			t.raw = v.bytes
		case 13: // external_data
			key, value := "", ""
			err = message(v.bytes, func(num protowire.Number, v wireValue) error {
				switch num {
				case 1:
					key = string(v.bytes)
				case 2:
					value = string(v.bytes)
				}
				return nil
			})
			if t.external == nil {
				t.external = map[string]string{}
			}
			t.external[key] = value
		case 14: // data_location
			external = v.number == 1
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if single != nil {
		t.raw = single
	}
	if !external {
		t.external = nil
	}
	if t.dims, err = sizes(dims); err != nil {
		return nil, fmt.Errorf("tensor %q: %w", t.name, err)
	}
	return t, nil
}

// maxElements bounds the size of a tensor, so that no product overflows.
const maxElements = 1 << 33

func sizes(dims []int64) ([]int, error) {
	out := make([]int, len(dims))
	n := int64(1)
	for i, d := range dims {
		if d < 0 || d > maxElements || d > 0 && n > maxElements/d {
			return nil, fmt.Errorf("shape %v", dims)
		}
		n *= d
		out[i] = int(d)
	}
	return out, nil
}

// size is the number of elements.
func (t *tensor) size() int {
	n := 1
	for _, d := range t.dims {
		n *= d
	}
	return n
}

// float reports whether the elements are of the kind of weights.
func (t *tensor) float() bool { return t.dtype == float32Type || t.dtype == float64Type }

// integer reports whether the elements are of the kind of shapes.
func (t *tensor) integer() bool { return t.dtype == int32Type || t.dtype == int64Type }

// width is the bytes of an element, 0 of a type that is not read.
func (t *tensor) width() int {
	switch t.dtype {
	case float32Type, int32Type:
		return 4
	case float64Type, int64Type:
		return 8
	}
	return 0
}

// check refuses a tensor whose bytes are not those of its shape. One of another type, such as a
// truth value, is refused where an op wants its elements.
func (t *tensor) check() error {
	switch have := len(t.raw); {
	case t.width() == 0:
		return nil // no number that an op would take
	case t.whole != nil && len(t.whole) != t.size():
		return fmt.Errorf("tensor %q of shape %v has %d numbers", t.name, t.dims, len(t.whole))
	case t.whole == nil && have != t.size()*t.width():
		return fmt.Errorf("tensor %q of shape %v has %d bytes; want %d", t.name, t.dims, have, t.size()*t.width())
	}
	return nil
}

// floats are the elements of a tensor of numbers.
func (t *tensor) floats() []float32 {
	if t.of != nil { // of one element, where an op asks
		return t.of.floats()
	}
	out := make([]float32, t.size())
	for i := range out {
		if t.dtype == float64Type {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.raw[8*i:])))
		} else {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
		}
	}
	return out
}

// ints are the elements of a tensor of whole numbers.
func (t *tensor) ints() []int64 {
	if t.whole != nil {
		return t.whole
	}
	out := make([]int64, t.size())
	for i := range out {
		if t.dtype == int32Type {
			out[i] = int64(int32(binary.LittleEndian.Uint32(t.raw[4*i:])))
		} else {
			out[i] = int64(binary.LittleEndian.Uint64(t.raw[8*i:]))
		}
	}
	return out
}
