package kernel

import (
	"testing"
	"unsafe"
)

func TestFloats(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000, largeFloats - 1, largeFloats, largeFloats + 1, 3<<20 + 5} {
		x := Floats(n)
		if len(x) != n || cap(x)%LineFloats != 0 || cap(x)-n >= LineFloats {
			t.Errorf("%d floats have length %d and capacity %d", n, len(x), cap(x))
		}
		for i, v := range x[:cap(x)] {
			if v != 0 {
				t.Fatalf("element %d of %d is %v", i, n, v)
			}
		}
		if at := uintptr(unsafe.Pointer(unsafe.SliceData(x))); at%(4*LineFloats) != 0 {
			t.Errorf("%d floats begin at %#x", n, at)
		}
	}
}
