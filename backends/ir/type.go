package ir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DType is the type of one element.
type DType uint8

const (
	F32 DType = iota // IEEE binary32
	U32              // keys, labels and row indices; no arithmetic is defined on it
)

func (d DType) String() string {
	if d == U32 {
		return "u32"
	}
	return "f32"
}

// Type is an element type and a static shape, row-major. A scalar has an empty
// shape; a dimension may be zero.
type Type struct {
	DType DType
	Shape []int
}

// Float is the f32 type of the given shape.
func Float(shape ...int) Type { return Type{F32, shape} }

// Uint is the u32 type of the given shape.
func Uint(shape ...int) Type { return Type{U32, shape} }

// Size is the number of elements.
func (t Type) Size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Rank is the number of axes.
func (t Type) Rank() int { return len(t.Shape) }

// Equal reports whether both element type and shape agree.
func (t Type) Equal(u Type) bool { return t.DType == u.DType && slices.Equal(t.Shape, u.Shape) }

// String writes the type as the text form does: f32[128 512].
func (t Type) String() string { return t.DType.String() + intsString(t.Shape) }

// MarshalText writes what String does.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// parseType reads what String writes.
func parseType(s string) (Type, error) {
	var t Type
	rest, ok := strings.CutPrefix(s, "f32")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "u32"); !ok {
			return t, fmt.Errorf("type %q: want f32[…] or u32[…]", s)
		}
		t.DType = U32
	}
	shape, err := parseInts(rest)
	if err != nil {
		return t, fmt.Errorf("type %q: %v", s, err)
	}
	t.Shape = shape
	return t, checkShape(shape)
}

// maxElements bounds every value and every dimension, so that a hostile program
// text cannot ask for more memory than a machine has, nor for a size that
// overflows.
const maxElements = 1 << 34

func checkShape(shape []int) error {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return fmt.Errorf("negative dimension in shape %s", intsString(shape))
		}
		if d > maxElements || d > 0 && n > maxElements/d {
			return fmt.Errorf("shape %s has more than %d elements", intsString(shape), maxElements)
		}
		n *= d
	}
	return nil
}

func intsString(v []int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range v {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(d))
	}
	b.WriteByte(']')
	return b.String()
}

func parseInts(s string) ([]int, error) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil, fmt.Errorf("want [n n …], found %q", s)
	}
	var out []int
	for f := range strings.FieldsSeq(s[1 : len(s)-1]) {
		n, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("want an integer, found %q", f)
		}
		out = append(out, n)
	}
	return out, nil
}
