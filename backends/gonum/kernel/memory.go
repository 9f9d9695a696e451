package kernel

import "unsafe"

// LineFloats is a cache line in floats.
const LineFloats = 16

const (
	hugePage = 2 << 20 // bytes
	// largeFloats is from how many floats on memory asks for huge pages.
	largeFloats = 64 << 10
)

// Floats makes n zeroed floats that begin on a cache line and own the whole of
// their last. Where the system lets it, what is long lies in huge pages: arrays
// of megabytes that a step goes through in turn need more 4 KB pages than the
// core keeps the addresses of.
func Floats(n int) []float32 {
	lines := (n + LineFloats - 1) / LineFloats * LineFloats
	raw := make([]float32, lines+LineFloats)
	at := uintptr(unsafe.Pointer(&raw[0]))
	if lines >= largeFloats {
		// Huge pages begin where they like, so those that the array shares
		// with its neighbours are asked for too. It must be now: a page that
		// has been touched stays as it is.
		first := at &^ (hugePage - 1)
		adviseHuge(first, (at+uintptr(4*len(raw))+hugePage-1)&^(hugePage-1)-first)
	}
	skip := 0
	if r := at % (4 * LineFloats); r != 0 {
		skip = LineFloats - int(r/4)
	}
	return raw[skip : skip+n : skip+lines]
}
