package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
	"bayesbench/suites/data/draw"
)

// Order is the order in which a loader visits the examples.
type Order int

const (
	Shuffled   Order = iota // a new permutation each epoch: rng.Perm under Key.Fold(epoch)
	Sequential              // as stored; every epoch is the same unless Augment or Mixup draws for it
)

// LoaderConfig says how a split becomes batches.
type LoaderConfig struct {
	Batch int // rows of every batch
	Order Order
	Key   rng.Key // of order, augmentation and Mixup
	Norm  Normalisation

	Augment []augment.Transform // applied in this order to pixels, before Norm
	// Mixup, if positive, mixes each row with its mirror row of the batch by λ ~ Beta(Mixup,
	// Mixup), one λ a batch, inputs and targets alike (Zhang et al. 2018, "mixup: beyond empirical
	// risk minimization").
	Mixup float64

	// DropLast leaves out the rows that do not fill a batch. Otherwise they come as a last batch
	// with Valid < Batch, whose other rows are zero in X and Y: they add nothing to a cross-entropy
	// summed over rows.
	DropLast bool

	Workers int // 0 means GOMAXPROCS
}

// prefetch is how many batches are made ahead.
const prefetch = 2

// Batch is one step's input. It is the loader's memory: valid until the next call of Next, Seek or
// Close.
type Batch struct {
	Epoch, Step int       // Epoch is 0 where every epoch is the same
	X           []float32 // [Batch Shape…] normalised examples
	Y           []float32 // [Batch Columns] target probabilities, or normalised numbers
	Index       []int32   // [Valid] places in the split
	Valid       int       // rows that are examples; less than Batch only in a last batch
}

// Loader makes batches ahead of the trainer. Any (epoch, step) can be sought, and a batch has the
// same bits at any number of workers. A Loader is for one goroutine.
type Loader struct {
	split   Split
	size    int // of an example in X
	columns int // of a target in Y
	cfg     LoaderConfig
	steps   int
	chunk   int // rows that a worker takes at once
	stop    func() bool
	workers sync.WaitGroup

	mu     sync.Mutex
	wake   sync.Cond // something that a worker or the caller may wait for has changed
	slots  []slot    // batch number n is made in slots[n%len(slots)]
	making int       // the batch whose rows are being handed out to workers
	row    int       // the first row of it not yet handed out
	next   int       // the batch that Next returns next
	lent   bool      // the caller holds batch next-1
	active int       // workers at work on rows
	paused bool      // Seek is waiting for active to become 0
	closed error     // why the loader has ended; nil while it runs

	order      []int32 // of orderEpoch
	orderEpoch int
}

type slot struct {
	Batch
	left int // rows not yet made
	done bool
	err  error
	bad  int // the row of err, so that the first one is reported at any number of workers
}

// Streams under Key.Fold(epoch) and, below that, under Fold(example) and Fold(step). Transform t of
// the chain has stream t.
const (
	streamOrder uint32 = 1
	streamMixup uint32 = 1 << 20
)

var errClosed = errors.New("loader is closed")

// NewLoader starts a loader on split. It ends when ctx does, or by Close, which the caller owes it.
func NewLoader(ctx context.Context, split Split, cfg LoaderConfig) (*Loader, error) {
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	n, examples, targets := split.Len(), split.Examples(), split.Targets()
	switch {
	case cfg.Batch < 1 || cfg.Workers < 1:
		return nil, fmt.Errorf("loader: want positive numbers, found batch %d and workers %d", cfg.Batch, cfg.Workers)
	case n == 0:
		return nil, errors.New("loader: the split is empty")
	case cfg.DropLast && n < cfg.Batch:
		return nil, fmt.Errorf("loader: batch %d of a split of %d examples, and incomplete batches are dropped: nothing is left", cfg.Batch, n)
	case feeders[examples.Kind] == nil:
		return nil, fmt.Errorf("loader: examples are %s: only %s are fed", examples, fed())
	case len(cfg.Augment) > 0 && !examples.images():
		return nil, fmt.Errorf("loader: augmentation %s: only images are augmented, and examples are %s", cfg.Augment[0], examples)
	case cfg.Norm.inputs == nil:
		return nil, fmt.Errorf("loader: want a normalisation of examples that are %s, found none", examples)
	case !cfg.Norm.inputs.fit(examples):
		return nil, fmt.Errorf("loader: normalisation of %s, examples are %s", cfg.Norm.inputs, examples)
	case len(cfg.Norm.targets) != targets.Width:
		return nil, fmt.Errorf("loader: normalisation of %d targets, the target is %s", len(cfg.Norm.targets), targets)
	case cfg.Mixup < 0:
		return nil, fmt.Errorf("loader: mixup: want a positive number, or 0 for none, found %v", cfg.Mixup)
	case cfg.Order != Shuffled && cfg.Order != Sequential:
		return nil, fmt.Errorf("loader: order: want Shuffled or Sequential, found %d", cfg.Order)
	}
	l := &Loader{
		split: split, size: examples.Size(), columns: targets.Columns(),
		cfg: cfg, steps: n / cfg.Batch, orderEpoch: -1,
	}
	if n%cfg.Batch != 0 && !cfg.DropLast {
		l.steps++
	}
	// Small enough that workers share a batch of slow images evenly, large enough that taking one
	// costs nothing.
	l.chunk = max(1, cfg.Batch/(4*cfg.Workers))
	l.wake.L = &l.mu
	l.slots = make([]slot, prefetch+1)
	for i := range l.slots {
		l.slots[i].X = make([]float32, cfg.Batch*l.size)
		l.slots[i].Y = make([]float32, cfg.Batch*l.columns)
		l.slots[i].Index = make([]int32, 0, cfg.Batch)
	}
	l.stop = context.AfterFunc(ctx, func() { l.end(context.Cause(ctx)) })
	for range cfg.Workers {
		l.workers.Go(l.work)
	}
	return l, nil
}

// Steps is the number of batches in an epoch.
func (l *Loader) Steps() int { return l.steps }

// Next returns the next batch; after an epoch's last comes the next epoch's first. It waits only if
// the workers cannot keep up. An error names the example that could not be read.
func (l *Loader) Next() (*Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent = false
	l.wake.Broadcast()
	s := &l.slots[l.next%len(l.slots)]
	for l.closed == nil && !(s.done && l.next < l.making) {
		l.wake.Wait()
	}
	if l.closed != nil {
		return nil, l.closed
	}
	if s.err != nil {
		return nil, s.err
	}
	l.next++
	l.lent = true
	return &s.Batch, nil
}

// sameEpochs tells whether every epoch has the same batches: nothing in them is drawn by Key.
func (cfg *LoaderConfig) sameEpochs() bool {
	return cfg.Order == Sequential && len(cfg.Augment) == 0 && cfg.Mixup == 0
}

// Seek makes (epoch, step) what Next returns next. Seeking where the loader already is keeps the
// batches made ahead.
func (l *Loader) Seek(epoch, step int) error {
	if epoch < 0 || step < 0 || step >= l.steps {
		return fmt.Errorf("loader: epoch %d, step %d: an epoch has steps 0 to %d", epoch, step, l.steps-1)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	target := epoch*l.steps + step
	if target == l.next || l.cfg.sameEpochs() && target%l.steps == l.next%l.steps {
		return nil
	}
	l.paused = true
	for l.active > 0 {
		l.wake.Wait()
	}
	l.paused = false
	l.making, l.row, l.next, l.lent = target, 0, target, false
	l.wake.Broadcast()
	return nil
}

// Epoch visits the batches of one epoch from its first step. It stops after an error.
func (l *Loader) Epoch(epoch int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if err := l.Seek(epoch, 0); err != nil {
			yield(nil, err)
			return
		}
		for range l.steps {
			b, err := l.Next()
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the workers and waits for them. Batches are not valid after it.
func (l *Loader) Close() {
	l.stop()
	l.end(errClosed)
	l.workers.Wait()
}

func (l *Loader) end(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.closed = why
	}
	l.wake.Broadcast()
}

// free tells whether batch making has a slot that nobody needs any more.
func (l *Loader) free() bool {
	oldest := l.next
	if l.lent {
		oldest--
	}
	return l.making-oldest < len(l.slots)
}

// work is one worker: it takes the next rows in order, and fills them without the lock.
func (l *Loader) work() {
	w := worker{writer: l.cfg.Norm.inputs.writer(l), target: make([]float64, l.columns)}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for l.closed == nil && (l.paused || !l.free()) {
			l.wake.Wait()
		}
		if l.closed != nil {
			return
		}
		number := l.making
		s := &l.slots[number%len(l.slots)]
		if l.row == 0 {
			l.begin(s, number)
		}
		from, to := l.row, min(l.row+l.chunk, s.Valid)
		if l.row = to; to == s.Valid {
			l.making++
			l.row = 0
		}
		l.active++
		l.mu.Unlock()

		bad, err := w.fill(l, s, number, from, to)

		l.mu.Lock()
		if err != nil && (s.err == nil || bad < s.bad) {
			s.err, s.bad = err, bad
		}
		if s.left -= to - from; s.left == 0 {
			if l.cfg.Mixup > 0 {
				l.mu.Unlock()
				l.mix(s, number)
				l.mu.Lock()
			}
			s.done = true
		}
		l.active--
		l.wake.Broadcast()
	}
}

// begin lays out batch number in s: which examples, and zeros where there are none.
func (l *Loader) begin(s *slot, number int) {
	epoch, step := number/l.steps, number%l.steps
	first := step * l.cfg.Batch
	s.Valid = min(l.cfg.Batch, l.split.Len()-first)
	s.left, s.done, s.err = s.Valid, false, nil
	s.Epoch, s.Step = epoch, step
	s.Index = s.Index[:s.Valid]
	if l.cfg.sameEpochs() {
		s.Epoch = 0
	}
	if l.cfg.Order == Sequential {
		for i := range s.Index {
			s.Index[i] = int32(first + i)
		}
	} else {
		if l.orderEpoch != epoch {
			l.order = rng.Perm(l.split.Len(), l.cfg.Key.Fold(uint32(epoch)), streamOrder)
			l.orderEpoch = epoch
		}
		copy(s.Index, l.order[first:])
	}
	clear(s.X[s.Valid*l.size:])
	clear(s.Y[s.Valid*l.columns:])
}

// worker is the memory of one goroutine.
type worker struct {
	writer
	target []float64
}

// fill makes rows from … to-1 of batch number in s. On an error it says at which row.
func (w *worker) fill(l *Loader, s *slot, number, from, to int) (bad int, err error) {
	epoch := l.cfg.Key.Fold(uint32(number / l.steps))
	for row := from; row < to; row++ {
		i := int(s.Index[row])
		if err := w.example(l, s.X[row*l.size:(row+1)*l.size], i, epoch); err != nil {
			return row, fmt.Errorf("example %d: %w", i, err)
		}
		l.split.Target(w.target, i)
		l.cfg.Norm.target(s.Y[row*l.columns:(row+1)*l.columns], w.target)
	}
	return 0, nil
}

// example writes example i to dst, augmented and normalised.
func (w *worker) example(l *Loader, dst []float32, i int, epoch rng.Key) error {
	e, err := l.split.Example(i)
	if err != nil {
		return err
	}
	return w.write(dst, e, i, epoch)
}

// mix applies Mixup to the rows of s: row i with row Valid-1-i, both from their unmixed values. The
// order of a shuffled batch is random, so the mirror row is a random partner.
func (l *Loader) mix(s *slot, number int) {
	stream := draw.New(l.cfg.Key.Fold(uint32(number/l.steps)).Fold(uint32(number%l.steps)), streamMixup)
	lambda := float32(stream.Beta(l.cfg.Mixup))
	for _, v := range [][]float32{s.X, s.Y} {
		size := len(v) / l.cfg.Batch
		for i, j := 0, s.Valid-1; i < j; i, j = i+1, j-1 {
			mixPair(v[i*size:(i+1)*size], v[j*size:(j+1)*size], lambda)
		}
	}
}

func mixPair(a, b []float32, lambda float32) {
	for k, x := range a {
		y := b[k]
		a[k] = lambda*x + (1-lambda)*y
		b[k] = lambda*y + (1-lambda)*x
	}
}
