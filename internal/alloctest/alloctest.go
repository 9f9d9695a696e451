package alloctest

import (
	"math"
	"runtime/metrics"
	"testing"
)

// AtMost fails the test if do allocates more than limit bytes of heap, what is freed meanwhile
// included. Small objects count when the runtime hands out their pages, so that a limit under 100
// KB means little. The heap is the whole process's, and the fuzzing engine, a server or the runtime
// may allocate beside do: what is over the limit is done again, twice at most, and the least
// counts. So do must come to the same each time.
func AtMost(t testing.TB, limit int, do func()) {
	t.Helper()
	least := uint64(math.MaxUint64)
	for range 3 {
		before := allocated()
		do()
		if least = min(least, allocated()-before); least <= uint64(limit) {
			return
		}
	}
	t.Errorf("allocated %d bytes, want at most %d", least, limit)
}

// Count is how many objects do allocates. It is testing.AllocsPerRun of one run, which counts what
// the runtime allocates beside it too: where it is not 0 it is asked again, twice at most, and the
// least counts.
func Count(do func()) float64 {
	least := math.Inf(1)
	for range 3 {
		if least = min(least, testing.AllocsPerRun(1, do)); least == 0 {
			break
		}
	}
	return least
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
