package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of a file, as far as a network takes them.

type modelProto struct {
	graph  *graphProto
	opsets map[string]int64 // version by domain
}

type graphProto struct {
	nodes        []*node
	initialisers []*tensor
	inputs       []valueInfo
	outputs      []valueInfo
}

// node is one operation.
type node struct {
	number          int // in the file, from 1
	inputs, outputs []string
	name, op        string
	domain          string
	attributes      map[string]attribute
}

// attribute has the field that its type says.
type attribute struct {
	f      float32
	i      int64
	s      string
	t      *tensor
	floats []float32
	ints   []int64
	graph  bool // whether it holds a graph, as those of If and Loop
}

// valueInfo is an input or output of the graph.
type valueInfo struct {
	name  string
	dtype int64
	shape []int64 // −1 where a dimension has no number
	known bool    // whether there is a shape
}

// maxParts bounds the nodes, tensors and names of a file, each of which takes more memory than it
// has bytes.
const maxParts = 1 << 17

// message calls f for each field of a message. A field that f does not know has no meaning for a
// network.
func message(b []byte, f func(num protowire.Number, v wireValue) error) error {
	for parts := 0; len(b) > 0; parts++ {
		if parts > maxParts {
			return fmt.Errorf("a message of more than %d fields", maxParts)
		}
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		v := wireValue{typ: typ}
		switch typ {
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(b)
			v.number = uint64(x)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := f(num, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// wireValue is a field's value: bytes of a text, a message or packed numbers, or a number.
type wireValue struct {
	typ    protowire.Type
	number uint64
	bytes  []byte
}

func (v wireValue) float() float32 { return math.Float32frombits(uint32(v.number)) }

// varints appends one number, or the packed ones.
func (v wireValue) varints(to []int64) ([]int64, error) {
	if v.typ != protowire.BytesType {
		return append(to, int64(v.number)), nil
	}
	for b := v.bytes; len(b) > 0; {
		x, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return to, protowire.ParseError(n)
		}
		to, b = append(to, int64(x)), b[n:]
	}
	return to, nil
}

// floats appends one number, or the packed ones.
func (v wireValue) floats(to []float32) ([]float32, error) {
	if v.typ != protowire.BytesType {
		return append(to, v.float()), nil
	}
	for b := v.bytes; len(b) > 0; {
		x, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return to, protowire.ParseError(n)
		}
		to, b = append(to, math.Float32frombits(x)), b[n:]
	}
	return to, nil
}

func readModel(b []byte) (*modelProto, error) {
	m := &modelProto{opsets: map[string]int64{}}
	err := message(b, func(num protowire.Number, v wireValue) error {
		switch num {
		case 7: // graph
			if m.graph != nil {
				return fmt.Errorf("two graphs")
			}
			var err error
			m.graph, err = readGraph(v.bytes)
			return err
		case 8: // opset_import
			domain, version := "", int64(0)
			err := message(v.bytes, func(num protowire.Number, v wireValue) error {
				switch num {
				case 1:
					domain = string(v.bytes)
				case 2:
					version = int64(v.number)
				}
				return nil
			})
			m.opsets[domain] = version
			return err
		case 25: // functions
			return fmt.Errorf("the file has functions of its own; want a graph of ONNX's ops alone")
		}
		return nil
	})
	if err == nil && m.graph == nil {
		err = fmt.Errorf("no graph")
	}
	return m, err
}

func readGraph(b []byte) (*graphProto, error) {
	g := &graphProto{}
	err := message(b, func(num protowire.Number, v wireValue) (err error) {
		switch num {
		case 1: // node
			n, err := readNode(v.bytes)
			if err != nil {
				return err
			}
			g.nodes = append(g.nodes, n)
			n.number = len(g.nodes)
		case 5: // initializer
			t, err := readTensor(v.bytes)
			if err != nil {
				return err
			}
			g.initialisers = append(g.initialisers, t)
		case 11: // input
			info, err := readValueInfo(v.bytes)
			if err != nil {
				return err
			}
			g.inputs = append(g.inputs, info)
		case 12: // output
			info, err := readValueInfo(v.bytes)
			if err != nil {
				return err
			}
			g.outputs = append(g.outputs, info)
		case 15:
			return fmt.Errorf("the file has sparse initialisers, which are not read")
		}
		return nil
	})
	return g, err
}

func readNode(b []byte) (*node, error) {
	n := &node{attributes: map[string]attribute{}}
	err := message(b, func(num protowire.Number, v wireValue) error {
		switch num {
		case 1:
			n.inputs = append(n.inputs, string(v.bytes))
		case 2:
			n.outputs = append(n.outputs, string(v.bytes))
		case 3:
			n.name = string(v.bytes)
		case 4:
			n.op = string(v.bytes)
		case 5:
			name, a, err := readAttribute(v.bytes)
			if err != nil {
				return err
			}
			n.attributes[name] = a
		case 7:
			n.domain = string(v.bytes)
		}
		return nil
	})
	return n, err
}

func readAttribute(b []byte) (name string, a attribute, err error) {
	err = message(b, func(num protowire.Number, v wireValue) (err error) {
		switch num {
		case 1:
			name = string(v.bytes)
		case 2:
			a.f = v.float()
		case 3:
			a.i = int64(v.number)
		case 4:
			a.s = string(v.bytes)
		case 5:
			a.t, err = readTensor(v.bytes)
		case 6, 11:
			a.graph = true
		case 7:
			a.floats, err = v.floats(a.floats)
		case 8:
			a.ints, err = v.varints(a.ints)
		}
		return err
	})
	return name, a, err
}

func readValueInfo(b []byte) (valueInfo, error) {
	var info valueInfo
	shape := func(num protowire.Number, v wireValue) error {
		if num != 1 { // dim
			return nil
		}
		n := int64(-1)
		err := message(v.bytes, func(num protowire.Number, v wireValue) error {
			if num == 1 { // dim_value
				n = int64(v.number)
			}
			return nil
		})
		info.shape = append(info.shape, n)
		return err
	}
	tensorType := func(num protowire.Number, v wireValue) error {
		switch num {
		case 1:
			info.dtype = int64(v.number)
		case 2:
			info.known = true
			return message(v.bytes, shape)
		}
		return nil
	}
	err := message(b, func(num protowire.Number, v wireValue) error {
		switch num {
		case 1:
			info.name = string(v.bytes)
		case 2: // type
			return message(v.bytes, func(num protowire.Number, v wireValue) error {
				if num == 1 { // tensor_type
					return message(v.bytes, tensorType)
				}
				return nil
			})
		}
		return nil
	})
	return info, err
}
