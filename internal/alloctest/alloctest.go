// Package alloctest states in tests how much memory something may take.
package alloctest

import (
	"runtime/metrics"
	"testing"
)

// AtMost fails the test if do allocates more than limit bytes of heap, what is freed meanwhile included. Small objects
// count when the runtime hands out their pages, so that a limit under 100 KB means little.
func AtMost(t testing.TB, limit int, do func()) {
	t.Helper()
	before := allocated()
	do()
	if n := allocated() - before; n > uint64(limit) {
		t.Errorf("allocated %d bytes, want at most %d", n, limit)
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
