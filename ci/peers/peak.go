package main

import (
	"sync"
	"time"
)

// peak measures the float32 peak of so many threads, in floating-point
// operations a second: independent chains of fused multiply-adds in registers,
// of the widest vectors there are. It is 0 where no such loop is written for
// the processor.
func peak(threads int) float64 {
	if fmaLoop == nil {
		return 0
	}
	const calls = 1 << 18 // about a millisecond
	best := 0.0
	for range 5 {
		var wg sync.WaitGroup
		start := time.Now()
		for range threads {
			wg.Go(func() {
				for range 8 {
					fmaLoop(calls)
				}
			})
		}
		wg.Wait()
		best = max(best, float64(threads)*8*calls*fmaFLOPs/time.Since(start).Seconds())
	}
	return best
}
