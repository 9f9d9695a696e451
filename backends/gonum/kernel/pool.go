package kernel

import (
	"runtime"
	"sync/atomic"
)

// Pool is a set of workers that wait, first spinning and then parked, for
// work, together with the scratch memory that kernels use while they run. The
// goroutine that calls Run is one of the workers. A Pool serves one caller at a
// time.
type Pool struct {
	workers int
	parked  []worker // all but the caller

	// state is epoch<<32 | open | number of workers inside the epoch. A worker
	// may enter only while open is set; the caller clears it when no task is
	// left and then waits for those inside. A worker that wakes late finds the
	// epoch closed and is not waited for.
	state  atomic.Uint64
	closed atomic.Bool

	task   func(task, worker int)
	shares []share // of each worker

	// scratch is for all workers, own for each: what a worker writes into the
	// latter from kernel to kernel stays its own, where in the former it takes
	// lines from the cache of the worker that had them before.
	scratch []float32
	own     [][]float32
	gemm    gemmRun
	conv    convRun
	window  windowRun
}

// share is the block of tasks that one worker begins with. It has a cache line
// of its own.
type share struct {
	next atomic.Int64
	end  int64
	_    [6]uint64
}

type worker struct {
	parked atomic.Bool
	wake   chan struct{}
}

const (
	poolOpen   = 1 << 31
	poolInside = poolOpen - 1
	// spins is how often a worker looks for work before it parks: about a
	// millisecond, longer than the gap between two steps. To wake one takes
	// tens of microseconds, on a virtual machine more.
	spins = 200000
)

// NewPool starts a pool of n workers; n = 0 means GOMAXPROCS.
func NewPool(n int) *Pool {
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	p := &Pool{workers: n, parked: make([]worker, n-1), shares: make([]share, n), own: make([][]float32, n)}
	p.gemm.init(p)
	p.conv.init(p)
	p.window.init(p)
	for i := range p.parked {
		p.parked[i].wake = make(chan struct{}, 1)
		go p.serve(&p.parked[i], i+1)
	}
	return p
}

// Workers returns the number of workers, the caller included.
func (p *Pool) Workers() int { return p.workers }

// Close ends the workers. The pool must be idle and must not be used again.
func (p *Pool) Close() {
	p.closed.Store(true)
	p.state.Add(1 << 32)
	p.wakeAll()
}

// Run calls task(t, w) once for every t < n and returns when all have
// returned; w < Workers() is the worker that runs it. Which worker runs which
// task is a matter of timing, so a task's result must not depend on w. Run
// does not allocate; a task func that is made once and kept does not either.
func (p *Pool) Run(n int, task func(task, worker int)) {
	for w := range p.shares {
		lo, hi := part(n, p.workers, w)
		p.shares[w].begin(lo, hi)
	}
	p.run(n, task)
}

// RunFrom is Run with the tasks of worker w, while it has any, those from
// first[w] to first[w+1], the last of which is n.
func (p *Pool) RunFrom(first []int, task func(task, worker int)) {
	for w := range p.shares {
		p.shares[w].begin(first[w], first[w+1])
	}
	p.run(first[p.workers], task)
}

func (s *share) begin(lo, hi int) {
	s.end = int64(hi)
	s.next.Store(int64(lo))
}

func (p *Pool) run(n int, task func(task, worker int)) {
	if n <= 1 || p.workers == 1 {
		for t := range n {
			task(t, 0)
		}
		return
	}
	p.task = task
	epoch := p.state.Load()>>32 + 1
	p.state.Store(epoch<<32 | poolOpen)
	p.wakeAll()
	p.work(0)
	p.state.And(^uint64(poolOpen))
	for spin := 0; p.state.Load()&poolInside != 0; spin++ {
		if spin&63 == 63 {
			runtime.Gosched()
		}
	}
	p.task = nil
}

// work does the worker's own share of the tasks, then what others have left of
// theirs.
func (p *Pool) work(w int) {
	for i := range p.shares {
		s := &p.shares[(w+i)%len(p.shares)]
		for {
			t := s.next.Add(1) - 1
			if t >= s.end {
				break
			}
			p.task(int(t), w)
		}
	}
}

func (p *Pool) wakeAll() {
	for i := range p.parked {
		w := &p.parked[i]
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
}

// serve is the life of one worker.
func (p *Pool) serve(w *worker, index int) {
	var seen uint64
	for {
		s := p.await(w, seen)
		if p.closed.Load() {
			return
		}
		for s&poolOpen != 0 && s>>32 != seen {
			if p.state.CompareAndSwap(s, s+1) {
				seen = s >> 32
				p.work(index)
				p.state.Add(^uint64(0))
				break
			}
			s = p.state.Load()
		}
		if s&poolOpen == 0 {
			seen = s >> 32
		}
	}
}

// await returns the first state whose epoch is not seen.
func (p *Pool) await(w *worker, seen uint64) uint64 {
	for {
		for spin := range spins {
			if s := p.state.Load(); s>>32 != seen {
				return s
			}
			if spin&63 == 63 {
				runtime.Gosched()
			}
		}
		w.parked.Store(true)
		if p.state.Load()>>32 == seen || !w.parked.CompareAndSwap(true, false) {
			<-w.wake
		}
	}
}

// Scratch is memory that a kernel needs while it runs, in floats: for all
// workers together, and for each.
type Scratch struct{ Shared, Own int }

// Max returns what is enough for either.
func (s Scratch) Max(t Scratch) Scratch { return Scratch{max(s.Shared, t.Shared), max(s.Own, t.Own)} }

// ReserveBoth is Reserve for both parts.
func (p *Pool) ReserveBoth(s Scratch) {
	p.Reserve(s.Shared)
	for w := range p.own {
		if s.Own > len(p.own[w]) {
			p.own[w] = Floats(s.Own)
		}
	}
}

// Reserve makes the scratch at least n floats long, so that no later call that
// needs no more than this allocates.
func (p *Pool) Reserve(n int) {
	if n > len(p.scratch) {
		p.scratch = Floats(n)
	}
}

// Scratch is what Reserve grows, for Bands: other kernels write over it.
func (p *Pool) Scratch() []float32 { return p.scratch }
