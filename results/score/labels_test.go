package score

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
	"bayesbench/internal/npy"
	"bayesbench/internal/npy/npytest"
)

func read(file []byte) (*npy.Array, error) {
	return npy.New("a.npy", bytes.NewReader(file), int64(len(file)))
}

func TestLabels(t *testing.T) {
	for _, v := range []struct {
		descr string
		data  any
		want  string // "" is right
	}{
		{"|i1", []int8{0, 1, 2}, ""},
		{"|u1", []uint8{0, 1, 2}, ""},
		{"<i2", []int16{0, 1, 2}, ""},
		{"<i8", []int64{0, 1, 2}, ""},
		{"<u8", []uint64{0, 1, 2}, ""},
		{">i4", []uint32{0, 1 << 24, 2 << 24}, ""},
		{"|i1", []int8{0, -1, 2}, "a.npy[1]: label -1, want 0 to 2"},
		{"<i2", []int16{0, 1, -300}, "a.npy[2]: label -300, want"},
		{"<i8", []int64{3, 1, 2}, "a.npy[0]: label 3, want"},
		{"<i8", []int64{0, math.MinInt64, 2}, "a.npy[1]: label -9223372036854775808"},
		{"<u8", []uint64{0, 1, math.MaxUint64}, "a.npy[2]: label 18446744073709551615"},
		{"<f4", []float32{0, 1, 2}, ""},
		{">f8", []uint64{0, 0xf03f, 0x40}, ""}, // 1 and 2, byte by byte
		{"<f2", []uint16{0, 0x3c00, 0x4000}, ""},
		{"<V2", []uint16{0, 0x3f80, 0x4000}, ""},
		{"<f8", []float64{0, 1.5, 2}, "a.npy[1]: label 1.5, want 0 to 2 in whole numbers"},
		{"<f8", []float64{0, 1, math.NaN()}, "a.npy[2]: label NaN, want 0 to 2"},
		{"<f8", []float64{0, 1, math.Inf(1)}, "a.npy[2]: label +Inf, want 0 to 2"},
		{"<f8", []float64{0, 1, 1e300}, "a.npy[2]: label 1e+300, want 0 to 2"},
		{"<i8", []int64{1, 2, 3}, "a.npy[2]: label 3, want 0 to 2 (classes count from 0)"},
		{"<i8", []int64{1, -1, 1}, "a.npy[1]: label -1, want 0 to 2 (of -1 and 1 make 0 and 1 by (y+1)//2)"},
	} {
		a, err := read(npytest.File(npytest.Dict(v.descr, "(3,)"), v.data))
		if err != nil {
			t.Fatal(err)
		}
		labels, err := readLabels(a, 3)
		switch {
		case v.want == "" && err != nil:
			t.Errorf("%s %v: %v", v.descr, v.data, err)
		case v.want == "" && fmt.Sprint(labels) != "[0 1 2]":
			t.Errorf("%s %v read as %v", v.descr, v.data, labels)
		case v.want != "" && (err == nil || !strings.Contains(err.Error(), v.want)):
			t.Errorf("%s %v: %v, want %q", v.descr, v.data, err, v.want)
		}
	}
}

// One class a row, however the row is written.
func TestShapesOfLabels(t *testing.T) {
	for _, v := range []struct {
		file []byte
		want string // "[2 0 1 1]" or an error
	}{
		{npytest.File(npytest.Dict("<i4", "(4, 1)"), []int32{2, 0, 1, 1}), "[2 0 1 1]"},
		{npytest.File(npytest.Fortran("<i4", "(4, 1)"), []int32{2, 0, 1, 1}), "[2 0 1 1]"},
		{npytest.File(npytest.Dict("|b1", "(4, 3)"), []byte{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0}), "[2 0 1 1]"},
		{npytest.File(npytest.Fortran("|u1", "(4, 3)"), []byte{0, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0}), "[2 0 1 1]"},
		{npytest.File(npytest.Dict("<f4", "(4, 3)"), []float32{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0}), "[2 0 1 1]"},
		{npytest.File(npytest.Dict("|b1", "(4,)"), []byte{0, 1, 1, 0}), "[0 1 1 0]"},
		{npytest.File(npytest.Dict("<f4", "(4, 3)"), []float32{0, 0, 1, 1, 0, 0, 0, .9, .1, 0, 1, 0}), "a.npy[2,1]: 0.8999999761581421, want one-hot labels"},
		{npytest.File(npytest.Dict("|u1", "(4, 3)"), []byte{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0}), "a.npy[2]: no 1 in the row"},
		{npytest.File(npytest.Dict("|u1", "(4, 3)"), []byte{0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0}), "a.npy[3]: a 1 at classes 0 and 1"},
		{npytest.File(npytest.Dict("|u1", "(4, 2)"), []byte{0, 1, 1, 0, 0, 1, 0, 1}), "a.npy: shape [4 2], want class numbers [N] or [N 1], or one-hot [N 3]"},
		{npytest.File(npytest.Dict("|u1", "(1, 4)"), []byte{0, 0, 1, 1}), "a.npy: shape [1 4], want class numbers"},
		{npytest.File(npytest.Dict("|u1", "()"), []byte{0}), "a.npy: shape [], want class numbers"},
		{npytest.File(npytest.Dict("|u1", "(5,)"), []byte{0, 0, 1, 1, 2}), "a.npy: 5 labels, p.npy has predictions for 4 inputs (shape [4 3])"},
	} {
		a, err := read(v.file)
		if err != nil {
			t.Fatal(err)
		}
		p := &predictions{stack: stack{Array: &npy.Array{Path: "p.npy", Shape: []int{4, 3}}, k: 1, n: 4}, c: 3}
		var labels []int
		if err = checkLabels(a, p); err == nil {
			labels, err = readLabels(a, 3)
		}
		got := fmt.Sprint(labels)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, v.want) {
			t.Errorf("%s, want %s", got, v.want)
		}
	}
}

// Whatever the bytes, reading ends with an error or with exactly the numbers
// the file holds, and scoring them never panics.
func FuzzArray(f *testing.F) {
	f.Add(npytest.File(npytest.Dict("<f4", "(2, 2)"), []float32{.5, .5, .25, .75}))
	f.Add(npytest.File(npytest.Dict(">f8", "(1, 2, 1)"), []float64{1, 1}))
	f.Add(npytest.File(npytest.Dict("|i1", "(3,)"), []int8{0, 1, 2}))
	f.Add(npytest.File(npytest.Dict("<f4", "(4294967296, 4294967296, 4)")))
	f.Add(npytest.File(`{"shape": (2L, 2L), "descr": "<f4", "fortran_order": False}`, []float32{1, 2, 3, 4}))
	f.Add(npytest.File(npytest.Dict("|O", "(2,)"), []byte("\x80\x04cos\nsystem\n.")))
	f.Add(npytest.File(npytest.Dict("<f2", "(2, 2)"), []uint16{0x3800, 0x3800, 0x3400, 0x3a00}))
	f.Add(npytest.File(npytest.Dict("<V2", "(3,)"), []uint16{0x3f00, 0x3f80, 0}))
	f.Add(npytest.File("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2, 2), }", []float32{.5, .25, .5, .25, .5, .75, .5, .75}))
	f.Add(npytest.File(npytest.Dict("|b1", "(2, 2)"), []byte{0, 1, 1, 0}))
	f.Fuzz(func(t *testing.T, file []byte) {
		var a *npy.Array
		var err error
		alloctest.AtMost(t, 1<<20, func() { a, err = read(file) })
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		count := 1
		for _, d := range a.Shape {
			count *= d
		}
		if count*a.Type.Width > len(file) {
			t.Fatalf("shape %v of %d bytes in a file of %d", a.Shape, a.Type.Width, len(file))
		}
		alloctest.AtMost(t, 4<<20+1<<10*len(file), func() {
			p, err := newPredictions(a, 0, false)
			if err != nil {
				in := &predictions{stack: stack{Array: a, n: count}, c: 10}
				if len(a.Shape) > 0 {
					in.n = a.Shape[0]
				}
				if checkLabels(a, in) == nil {
					if labels, err := readLabels(a, 10); err == nil && len(labels) != in.n {
						t.Fatalf("%d labels of shape %v", len(labels), a.Shape)
					}
				}
				return
			}
			if _, _, err := score(p, make([]int, p.n), nil); err != nil {
				return
			}
			if p.sum.Members() != p.k {
				t.Fatalf("%d of %d samples scored", p.sum.Members(), p.k)
			}
		})
	})
}
