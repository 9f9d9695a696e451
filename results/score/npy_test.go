package score

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
)

// npy is an array file of version 1 with the given dictionary.
func npy(header string, data ...any) []byte {
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	header += "\n"
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	for _, d := range data {
		binary.Write(&b, binary.LittleEndian, d)
	}
	return b.Bytes()
}

func read(file []byte) (*array, error) {
	return newArray("a.npy", bytes.NewReader(file), int64(len(file)))
}

func dict(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
}

func TestBadArrays(t *testing.T) {
	four := []float32{1, 2, 3, 4}
	for _, v := range []struct {
		file []byte
		want string
	}{
		{nil, "not a .npy file"},
		{[]byte("PK\x03\x04 an npz file is a zip archive"), "not a .npy file"},
		{[]byte(magic + "\x01\x00"), "cut short"},
		{[]byte(magic + "\x01\x00\xff\xff{'descr'"), "cut short"},
		{[]byte(magic + "\x02\x00\xff\xff\xff\x7f{'descr'"), "header of 2147483647 bytes, expected at most 65536"},
		{[]byte(magic + "\x09\x00\x00\x00\x00\x00"), "version 9.0"},
		{npy(""), "expected {"},
		{npy(dict("<f4", "(2, 2)"), four[:3]), "does not fit in the file"},
		{npy(dict("<f4", "(2, 2)"), four, four), "16 bytes left over"},
		{npy(dict("<f4", "(1099511627776, 2)"), four), "does not fit in the file"},
		{npy(dict("<f4", "(4294967296, 4294967296, 4)"), four), "does not fit in the file"},
		{npy(dict("<f4", "(9223372036854775807, 3)"), four), "does not fit in the file"},
		{npy(dict("<f4", "(99999999999999999999,)"), four), "expected a dimension below 2^63"},
		{npy(dict("<f4", "(-1, 4)"), four), "expected a dimension at"},
		{npy(dict("<f4", "(0, 4)")), "array is empty"},
		{npy(dict("<f4", "(4 4)"), four), "expected a comma or )"},
		{npy(dict("<f2", "(2, 4)"), four), `dtype "<f2", expected float32, float64 or an integer`},
		{npy(dict("<c8", "(2,)"), four), "dtype"},
		{npy(dict("", "(2,)"), four), "dtype"},
		{npy(dict("|O", "(2,)"), four), "Python objects"},
		{npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", four), "structured dtype"},
		{npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", four), "Fortran order"},
		{npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2), }", four), "expected False"},
		{npy("{'descr': '<f4', 'shape': (2, 2), }", four), `no "fortran_order"`},
		{npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", four), "stands twice"},
		{npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} 1", four), "after the end"},
		{npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}", four), `unknown key "x"`},
		{npy("{'descr': '<f4", four), "expected the end of a string"},
	} {
		_, err := read(v.file)
		if err == nil || !strings.Contains(err.Error(), v.want) || !strings.Contains(err.Error(), "a.npy") {
			t.Errorf("%.80q: %v, want %q", v.file, err, v.want)
		}
	}
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
		{"|i1", []int8{0, -1, 2}, "a.npy[1]: label -1, expected 0 to 2"},
		{"<i2", []int16{0, 1, -300}, "a.npy[2]: label -300, expected"},
		{"<i8", []int64{3, 1, 2}, "a.npy[0]: label 3, expected"},
		{"<i8", []int64{0, math.MinInt64, 2}, "a.npy[1]: label -9223372036854775808"},
		{"<u8", []uint64{0, 1, math.MaxUint64}, "a.npy[2]: label 18446744073709551615"},
		{"<f4", []float32{0, 1, 2}, "expected integer labels"},
	} {
		a, err := read(npy(dict(v.descr, "(3,)"), v.data))
		if err != nil {
			t.Fatal(err)
		}
		labels, err := a.labels(3)
		switch {
		case v.want == "" && err != nil:
			t.Errorf("%s %v: %v", v.descr, v.data, err)
		case v.want == "" && fmt.Sprint(labels) != "[0 1 2]":
			t.Errorf("%s %v read as %v", v.descr, v.data, labels)
		case v.want != "" && (err == nil || !strings.Contains(err.Error(), v.want)):
			t.Errorf("%s %v: %v, want %q", v.descr, v.data, err, v.want)
		}
	}
	a, err := read(npy(dict("<i4", "(3, 1)"), []int32{0, 1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.labels(3); err == nil || !strings.Contains(err.Error(), "expected [N] labels") {
		t.Errorf("labels of shape [3 1]: %v", err)
	}
}

// Whatever the bytes, reading ends with an error or with exactly the numbers
// the file holds, and scoring them never panics.
func FuzzArray(f *testing.F) {
	f.Add(npy(dict("<f4", "(2, 2)"), []float32{.5, .5, .25, .75}))
	f.Add(npy(dict(">f8", "(1, 2, 1)"), []float64{1, 1}))
	f.Add(npy(dict("|i1", "(3,)"), []int8{0, 1, 2}))
	f.Add(npy(dict("<f4", "(4294967296, 4294967296, 4)")))
	f.Add(npy(`{"shape": (2L, 2L), "descr": "<f4", "fortran_order": False}`, []float32{1, 2, 3, 4}))
	f.Add(npy(dict("|O", "(2,)"), []byte("\x80\x04cos\nsystem\n.")))
	f.Fuzz(func(t *testing.T, file []byte) {
		var a *array
		var err error
		alloctest.AtMost(t, 1<<20, func() { a, err = read(file) })
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		count := 1
		for _, d := range a.shape {
			count *= d
		}
		if count*a.width > len(file) {
			t.Fatalf("shape %v of %d bytes in a file of %d", a.shape, a.width, len(file))
		}
		alloctest.AtMost(t, 4<<20+1<<10*len(file), func() {
			if a.kind != 'f' {
				if labels, err := a.labels(10); err == nil && len(labels) != count {
					t.Fatalf("%d labels of shape %v", len(labels), a.shape)
				}
				return
			}
			p, err := newPredictions(a, 0)
			if err != nil {
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
