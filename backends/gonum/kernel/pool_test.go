package kernel

import (
	"sync/atomic"
	"testing"
	"time"
)

// Every task runs exactly once, whatever the pauses between runs: short ones
// find the workers spinning, long ones parked.
func TestPoolRunsEveryTaskOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 8} {
		p := NewPool(workers)
		var counts [100]atomic.Int32
		var outside atomic.Int32
		task := func(task, worker int) {
			counts[task].Add(1)
			if worker < 0 || worker >= workers {
				outside.Add(1)
			}
		}
		for round := range 600 {
			n := round % len(counts)
			p.Run(n, task)
			for i := range counts {
				want := int32(0)
				if i < n {
					want = 1
				}
				if got := counts[i].Swap(0); got != want {
					t.Fatalf("%d workers, round %d: task %d of %d ran %d times", workers, round, i, n, got)
				}
			}
			if round%150 == 0 {
				time.Sleep(2 * time.Millisecond)
			}
		}
		if outside.Load() != 0 {
			t.Errorf("%d workers: a task saw a worker out of range", workers)
		}
		if a := testing.AllocsPerRun(100, func() { p.Run(10, task) }); a != 0 {
			t.Errorf("%d workers: %v allocations a run", workers, a)
		}
		p.Close()
	}
}

func BenchmarkPoolRun(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	for b.Loop() {
		p.Run(4, func(int, int) {})
	}
}
