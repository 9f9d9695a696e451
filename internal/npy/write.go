package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Number is what a Writer writes.
type Number interface {
	uint8 | int64 | float32 | float64
}

// Writer writes an array in C order, little-endian, as its numbers come. They start at a multiple
// of 64 bytes, so that the file can be mapped to memory.
type Writer[T Number] struct {
	w     io.Writer
	left  int // numbers to come
	shape []int
	bytes []byte
}

// NewWriter writes the header of an array of that shape.
func NewWriter[T Number](w io.Writer, shape ...int) (*Writer[T], error) {
	n := 1
	var dims strings.Builder
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("npy: shape %v, want no dimension below 0", shape)
		}
		n *= d
		fmt.Fprintf(&dims, "%d, ", d)
	}
	tuple := strings.TrimSuffix(dims.String(), " ")
	if len(shape) > 1 {
		tuple = strings.TrimSuffix(tuple, ",")
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr[T](), tuple)
	const lead = len(magic) + 2 + 2 // the version and the length of the header
	pad := 63 - (lead+len(header))%64
	header += strings.Repeat(" ", pad) + "\n"
	start := append([]byte(magic), 1, 0)
	start = binary.LittleEndian.AppendUint16(start, uint16(len(header)))
	_, err := w.Write(append(start, header...))
	return &Writer[T]{w: w, left: n, shape: shape}, err
}

// descr is numpy's name of the type.
func descr[T Number]() string {
	var x T
	switch any(x).(type) {
	case uint8:
		return "|u1"
	case int64:
		return "<i8"
	case float32:
		return "<f4"
	}
	return "<f8"
}

// Write writes the next numbers.
func (w *Writer[T]) Write(x []T) error {
	if w.left -= len(x); w.left < 0 {
		return fmt.Errorf("npy: %d numbers more than the shape %v has", -w.left, w.shape)
	}
	for len(x) > 0 {
		part := x[:min(len(x), chunk)]
		x = x[len(part):]
		var err error
		if w.bytes, err = binary.Append(w.bytes[:0], binary.LittleEndian, part); err != nil {
			return err
		}
		if _, err := w.w.Write(w.bytes); err != nil {
			return err
		}
	}
	return nil
}

// Close tells whether all numbers have been written. It leaves what they were written to open.
func (w *Writer[T]) Close() error {
	if w.left > 0 {
		return fmt.Errorf("npy: %d numbers fewer than the shape %v has", w.left, w.shape)
	}
	return nil
}

// Write writes a whole array.
func Write[T Number](to io.Writer, x []T, shape ...int) error {
	w, err := NewWriter[T](to, shape...)
	if err != nil {
		return err
	}
	if err := w.Write(x); err != nil {
		return err
	}
	return w.Close()
}
