package data

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/sbinet/npyio"

	"bayesbench/internal/npy"
)

// exported is what write writes, read again.
func exported(t *testing.T, write func(to io.Writer) error) (shape []int, of npy.Type, x []float64) {
	t.Helper()
	var file bytes.Buffer
	if err := write(&file); err != nil {
		t.Fatal(err)
	}
	a, err := npy.New("x.npy", bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if x, err = a.Float64s(); err != nil {
		t.Fatal(err)
	}
	return a.Shape, a.Type, x
}

// Exported inputs are, bit by bit, the rows that a network is fed, and stored ones the bytes of the
// set; another reader of npy finds the classes.
func TestExportedImages(t *testing.T) {
	set, err := Open(t.Context(), "blobs", Options{TestLimit: 300}) // more than are normalised at a time
	if err != nil {
		t.Fatal(err)
	}
	n := norm(t, Unit255, set)
	shape, of, x := exported(t, func(to io.Writer) error { return WriteInputs(t.Context(), to, set.Test, n) })
	if !slices.Equal(shape, []int{300, 1, 8, 8}) || of.String() != "float32" {
		t.Errorf("inputs are %s of shape %v", of, shape)
	}
	l := newLoader(t, set.Test, LoaderConfig{Batch: 300, Order: Sequential, Norm: n})
	b, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i, fed := range b.X {
		if x[i] != float64(fed) {
			t.Fatalf("number %d is %v, a network is fed %v", i, x[i], fed)
		}
	}
	shape, of, x = exported(t, func(to io.Writer) error { return WriteStored(t.Context(), to, set.Test) })
	if !slices.Equal(shape, []int{300, 1, 8, 8}) || of.String() != "uint8" {
		t.Errorf("stored inputs are %s of shape %v", of, shape)
	}
	for i, fed := range b.X {
		if float32(x[i]/255) != fed {
			t.Fatalf("byte %d is %v, a network is fed %v", i, x[i], fed)
		}
	}
	var file bytes.Buffer
	if err := WriteTargets(&file, set.Test); err != nil {
		t.Fatal(err)
	}
	var labels []int64
	if err := npyio.Read(&file, &labels); err != nil {
		t.Fatal(err)
	}
	for i, class := range Labels(set.Test) {
		if labels[i] != int64(class) {
			t.Fatalf("label %d is %d, want %d", i, labels[i], class)
		}
	}
}

// Numbers are exported standardised by the training rows, targets in the unit of their file.
func TestExportedNumbers(t *testing.T) {
	set := openLine(t, Options{Split: 1})
	n := norm(t, Standard, set)
	shape, of, x := exported(t, func(to io.Writer) error { return WriteInputs(t.Context(), to, set.Train, n) })
	if !slices.Equal(shape, []int{450, 4}) || of.String() != "float32" {
		t.Errorf("inputs are %s of shape %v", of, shape)
	}
	for j := range 4 {
		sum, squares := 0., 0.
		for i := range 450 {
			v := x[4*i+j]
			sum, squares = sum+v, squares+v*v
		}
		if mean, variance := sum/450, squares/450; mean*mean > 1e-10 || (variance-1)*(variance-1) > 1e-10 {
			t.Errorf("column %d has mean %v and variance %v", j, mean, variance)
		}
	}
	shape, of, y := exported(t, func(to io.Writer) error { return WriteTargets(to, set.Test) })
	if !slices.Equal(shape, []int{50, 1}) || of.String() != "float64" {
		t.Errorf("targets are %s of shape %v", of, shape)
	}
	_, _, stored := exported(t, func(to io.Writer) error { return WriteStored(t.Context(), to, set.Test) })
	want := make([]float64, 1)
	for i := range y {
		set.Test.Target(want, i)
		e, err := set.Test.Example(i)
		if err != nil {
			t.Fatal(err)
		}
		if y[i] != want[0] || !slices.Equal(stored[4*i:4*i+4], e.Numbers) {
			t.Fatalf("row %d is %v with target %v, want %v and %v", i, stored[4*i:4*i+4], y[i], e.Numbers, want)
		}
	}
}
