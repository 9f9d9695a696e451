package npy

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"bayesbench/internal/alloctest"
	"bayesbench/internal/npy/npytest"
)

func read(file []byte) (*Array, error) {
	return New("a.npy", bytes.NewReader(file), int64(len(file)))
}

func TestBadArrays(t *testing.T) {
	four := []float32{1, 2, 3, 4}
	for _, v := range []struct {
		file []byte
		want string
	}{
		{nil, "not a .npy file"},
		{[]byte(magic + "\x01\x00"), "cut short"},
		{[]byte(magic + "\x01\x00\xff\xff{'descr'"), "cut short"},
		{[]byte(magic + "\x02\x00\xff\xff\xff\x7f{'descr'"), "header of 2147483647 bytes, want at most 65536"},
		{[]byte(magic + "\x09\x00\x00\x00\x00\x00"), "version 9.0"},
		{npytest.File(""), "want {"},
		{npytest.File(npytest.Dict("<f4", "(2, 2)"), four[:3]), "does not fit in the file"},
		{npytest.File(npytest.Dict("<f4", "(2, 2)"), four, four), "16 bytes left over"},
		{npytest.File(npytest.Dict("<f4", "(1099511627776, 2)"), four), "does not fit in the file"},
		{npytest.File(npytest.Dict("<f4", "(4294967296, 4294967296, 4)"), four), "does not fit in the file"},
		{npytest.File(npytest.Dict("<f4", "(9223372036854775807, 3)"), four), "does not fit in the file"},
		{npytest.File(npytest.Dict("<f4", "(99999999999999999999,)"), four), "want a dimension below 2^63"},
		{npytest.File(npytest.Dict("<f4", "(-1, 4)"), four), "want a dimension at"},
		{npytest.File(npytest.Dict("<f4", "(0, 4)")), "array is empty"},
		{npytest.File(npytest.Dict("<f4", "(4 4)"), four), "want a comma or )"},
		{[]byte("PK\x03\x04 an npz file is a zip archive"), "a zip archive (.npz, .pt), want one array"},
		{npytest.File(npytest.Dict("<f16", "(2, 1)"), four), `dtype "<f16", want float16, bfloat16, float32, float64, an integer or bool: save a.astype("float32")`},
		{npytest.File(npytest.Dict("<V1", "(16,)"), four), `dtype "<V1", want float16`},
		{npytest.File(npytest.Dict("<U1", "(4,)"), four), "text (dtype \"<U1\"), want numbers: number the classes from 0"},
		{npytest.File(npytest.Dict("<c8", "(2,)"), four), "dtype"},
		{npytest.File(npytest.Dict("", "(2,)"), four), "dtype"},
		{npytest.File(npytest.Dict("|O", "(2,)"), four), "Python objects"},
		{npytest.File("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", four), "structured dtype"},
		{npytest.File("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2), }", four), "want False"},
		{npytest.File("{'descr': '<f4', 'shape': (2, 2), }", four), `no "fortran_order"`},
		{npytest.File("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", four), "stands twice"},
		{npytest.File("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} 1", four), "after the end"},
		{npytest.File("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}", four), `unknown key "x"`},
		{npytest.File("{'descr': '<f4", four), "want the end of a string"},
	} {
		_, err := read(v.file)
		if err == nil || !strings.Contains(err.Error(), v.want) || !strings.Contains(err.Error(), "a.npy") {
			t.Errorf("%.80q: %v, want %q", v.file, err, v.want)
		}
	}
}

// Whatever the bytes, reading ends with an error or with exactly the numbers the file holds.
func FuzzArray(f *testing.F) {
	f.Add(npytest.File(npytest.Dict("<f4", "(2, 2)"), []float32{.5, .5, .25, .75}))
	f.Add(npytest.File(npytest.Dict("|u1", "(3,)"), []uint8{0, 1, 2}))
	f.Add(npytest.File(npytest.Dict("<f4", "(4294967296, 4294967296, 4)")))
	f.Add(npytest.File(npytest.Dict("|O", "(2,)"), []byte("\x80\x04cos\nsystem\n.")))
	f.Add(npytest.File(npytest.Fortran("|u1", "(2, 2, 2)"), []byte{0, 4, 2, 6, 1, 5, 3, 7}))
	f.Add(npytest.File(npytest.Dict(">i2", "()"), []byte{1, 2}))
	f.Fuzz(func(t *testing.T, file []byte) {
		checkReading(t, len(file), func() (*Array, error) { return read(file) })
	})
}

// checkReading reads an array whole, twice, in memory that its size bounds.
func checkReading(t *testing.T, size int, open func() (*Array, error)) {
	t.Helper()
	var a *Array
	var err error
	alloctest.AtMost(t, 1<<20, func() { a, err = open() })
	if err != nil {
		if len(err.Error()) > 2000 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		return
	}
	defer a.Close()
	if a.Len()*a.Type.Width > size {
		t.Fatalf("shape %v of %s in a file of %d bytes", a.Shape, a.Type, size)
	}
	var x []float64
	alloctest.AtMost(t, 1<<20+16*size, func() {
		if err = a.Rewind(); err == nil {
			x, err = a.Float64s()
		}
	})
	if err != nil {
		return
	}
	if len(x) != a.Len() {
		t.Fatalf("%d numbers of shape %v", len(x), a.Shape)
	}
	if a.Type != Uint8 {
		return
	}
	if err := a.Rewind(); err != nil {
		t.Fatal(err)
	}
	bytes, err := a.Uint8s()
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bytes {
		if float64(b) != x[i] {
			t.Fatalf("number %d is %d as a byte and %v", i, b, x[i])
		}
	}
}

// An array in Fortran order is the same array. Bytes by
//
//	np.asfortranarray(np.arange(24).reshape(3, 4, 2).astype('u1')).tobytes('F').hex()
func TestWholeInFortranOrder(t *testing.T) {
	numbers, err := hex.DecodeString("000810020a12040c14060e16010911030b13050d15070f17")
	if err != nil {
		t.Fatal(err)
	}
	file := npytest.File(npytest.Fortran("|u1", "(3, 4, 2)"), numbers)
	a, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := a.Uint8s()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Rewind(); err != nil {
		t.Fatal(err)
	}
	x, err := a.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		if bytes[i] != uint8(i) || x[i] != float64(i) {
			t.Fatalf("number %d is %d as a byte and %v", i, bytes[i], x[i])
		}
	}
}

// What was added behind an array after it was opened is told.
func TestGrownArray(t *testing.T) {
	file := npytest.File(npytest.Dict("<f4", "(2,)"), []float32{1, 2})
	a, err := New("a.npy", bytes.NewReader(append(file, 0)), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Float64s(); err == nil || !strings.Contains(err.Error(), "a.npy: goes on behind the array") {
		t.Errorf("found %v", err)
	}
}
