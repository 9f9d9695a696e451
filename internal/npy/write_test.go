package npy

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
)

// The header is the one that numpy.save writes, byte by byte.
func TestHeaderIsNumpys(t *testing.T) {
	for _, v := range []struct {
		write func(b *bytes.Buffer) error
		want  string
	}{
		{func(b *bytes.Buffer) error { return Write(b, make([]uint8, 24), 2, 3, 4) }, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }"},
		{func(b *bytes.Buffer) error { return Write(b, make([]int64, 3), 3) }, "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"},
		{func(b *bytes.Buffer) error { return Write(b, make([]float32, 1)) }, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"},
		{func(b *bytes.Buffer) error { return Write(b, []float64{}, 0, 5) }, "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }"},
	} {
		var b bytes.Buffer
		if err := v.write(&b); err != nil {
			t.Fatal(err)
		}
		want := "\x93NUMPY\x01\x00v\x00" + v.want + strings.Repeat(" ", 117-len(v.want)) + "\n"
		if got := b.String()[:128]; got != want {
			t.Errorf("header %q, want %q", got, want)
		}
	}
}

// Another reader finds the numbers that were written, and so does this one.
func TestWritten(t *testing.T) {
	roundTrip(t, []uint8{0, 1, 255, 7, 8, 9})
	roundTrip(t, []int64{math.MinInt64, -1, 0, 1, 2, math.MaxInt64})
	roundTrip(t, []float32{-math.MaxFloat32, -0.1, 0, 1, math.SmallestNonzeroFloat32, float32(math.Inf(1))})
	roundTrip(t, []float64{-math.MaxFloat64, -0.1, 0, 1, math.SmallestNonzeroFloat64, math.Inf(-1)})
}

func roundTrip[T Number](t *testing.T, x []T) {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter[T](&file, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]T{x[:1], x[1:5], x[5:]} {
		if err := w.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var theirs []T
	if err := npyio.Read(bytes.NewReader(file.Bytes()), &theirs); err != nil {
		t.Fatal(err)
	}
	a, err := read(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := a.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range x {
		if theirs[i] != want || ours[i] != float64(want) {
			t.Errorf("%T %d: read as %v and %v, want %v", want, i, theirs[i], ours[i], want)
		}
	}
}

func TestWriterCounts(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter[float32](&file, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(make([]float32, 5)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "1 numbers fewer than the shape [2 3] has") {
		t.Errorf("found %v", err)
	}
	if err := w.Write(make([]float32, 2)); err == nil || !strings.Contains(err.Error(), "1 numbers more than the shape [2 3] has") {
		t.Errorf("found %v", err)
	}
	if _, err := NewWriter[float32](&file, -1); err == nil {
		t.Error("a dimension of -1 is accepted")
	}
}
