package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/augment"
	"bayesbench/suites/data/draw"
	"bayesbench/suites/data/pixel"
)

func norm(t testing.TB, scheme Scheme, set *Set) Normalisation {
	t.Helper()
	n, err := NewNormalisation(scheme, set)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newLoader(t testing.TB, split Split, cfg LoaderConfig) *Loader {
	t.Helper()
	if cfg.Norm.inputs == nil {
		info := Info{Examples: split.Examples(), Targets: split.Targets()}
		cfg.Norm = norm(t, Normalisations(info)[0], &Set{Info: info, Train: split})
	}
	l, err := NewLoader(t.Context(), split, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// keep copies what a loader lends.
func keep(b *Batch) Batch {
	c := *b
	c.X, c.Y, c.Index = slices.Clone(b.X), slices.Clone(b.Y), slices.Clone(b.Index)
	return c
}

func sameBatch(a, b Batch) bool {
	return a.Epoch == b.Epoch && a.Step == b.Step && a.Valid == b.Valid &&
		slices.Equal(a.X, b.X) && slices.Equal(a.Y, b.Y) && slices.Equal(a.Index, b.Index)
}

func take(t testing.TB, l *Loader, n int) []Batch {
	t.Helper()
	var all []Batch
	for range n {
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keep(b))
	}
	return all
}

// noisy is a transform that uses the stream, so that tests see whether it is keyed rightly.
type noisy struct{}

func (noisy) String() string { return "noisy" }
func (noisy) Apply(dst *pixel.Image, src pixel.Image, s *draw.Stream) {
	dst.CopyFrom(src)
	for i := range dst.Pix {
		dst.Pix[i] ^= uint8(s.Uint32() & 7)
	}
}

func TestBatchesDoNotDependOnWorkers(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 333})
	cfg := LoaderConfig{Batch: 50, Key: rng.Key{9, 0}, Augment: []augment.Transform{noisy{}, noisy{}}, Mixup: 0.4}
	var want []Batch
	for _, workers := range []int{1, 2, 7} {
		cfg.Workers = workers
		got := take(t, newLoader(t, set.Train, cfg), 2*7+3)
		if want == nil {
			want = got
		}
		for i := range want {
			if !sameBatch(want[i], got[i]) {
				t.Fatalf("workers %d: batch %d differs", workers, i)
			}
		}
	}
}

func TestSeekGivesTheSameBatches(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 210})
	cfg := LoaderConfig{Batch: 50, Key: rng.Key{1, 0}, Augment: []augment.Transform{noisy{}}, DropLast: true, Mixup: 1, Workers: 3}
	l := newLoader(t, set.Train, cfg)
	if l.Steps() != 4 {
		t.Fatalf("%d steps, want 4", l.Steps())
	}
	want := take(t, l, 12)
	for _, n := range []int{5, 0, 11, 11, 4, 3} {
		if err := l.Seek(n/4, n%4); err != nil {
			t.Fatal(err)
		}
		for i, b := range take(t, l, 12-n) {
			if !sameBatch(b, want[n+i]) {
				t.Fatalf("after Seek(%d, %d), batch %d differs", n/4, n%4, n+i)
			}
			if b.Epoch != (n+i)/4 || b.Step != (n+i)%4 {
				t.Fatalf("batch %d says epoch %d, step %d", n+i, b.Epoch, b.Step)
			}
		}
	}
	for _, bad := range [][2]int{{0, 4}, {-1, 0}, {0, -1}} {
		if l.Seek(bad[0], bad[1]) == nil {
			t.Errorf("Seek%v: no error", bad)
		}
	}
}

// A full-batch training asks for the stored order, and what it draws for an epoch is a function of
// the epoch all the same.
func TestSeekInStoredOrderGivesTheSameBatches(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 90})
	for name, cfg := range map[string]LoaderConfig{
		"plain":        {},
		"augmentation": {Augment: []augment.Transform{noisy{}}},
		"mixup":        {Mixup: 1},
		"both":         {Augment: []augment.Transform{noisy{}}, Mixup: 1},
	} {
		for _, batch := range []int{30, 90} {
			cfg.Batch, cfg.Order, cfg.Key = batch, Sequential, rng.Key{1, 0}
			steps := 90 / batch
			want := take(t, newLoader(t, set.Train, cfg), 4*steps)
			drawn := name != "plain"
			if same := slices.Equal(want[0].X, want[steps].X); same == drawn {
				t.Fatalf("%s, batch %d: epochs 0 and 1 are the same: %v", name, batch, same)
			}
			for n := range want {
				l := newLoader(t, set.Train, cfg)
				if err := l.Seek(n/steps, n%steps); err != nil {
					t.Fatal(err)
				}
				for i, b := range take(t, l, len(want)-n) {
					if !sameBatch(b, want[n+i]) {
						t.Fatalf("%s, batch %d: after Seek(%d, %d), batch %d differs", name, batch, n/steps, n%steps, n+i)
					}
				}
			}
		}
	}
}

// Each epoch visits every example once, in an order of its own, and X and Y are that example's.
func TestEpochIsAPermutation(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 130})
	l := newLoader(t, set.Train, LoaderConfig{Batch: 50, Key: rng.Key{4, 0}, Norm: norm(t, Standard, set)})
	var orders [][]int32
	for epoch := range 3 {
		var order []int32
		for b, err := range l.Epoch(epoch) {
			if err != nil {
				t.Fatal(err)
			}
			for row := range 50 {
				x, y := b.X[row*64:(row+1)*64], b.Y[row*4:(row+1)*4]
				if row >= b.Valid {
					if slices.ContainsFunc(x, nonzero) || slices.ContainsFunc(y, nonzero) {
						t.Fatalf("row %d of %d is not zero", row, b.Valid)
					}
					continue
				}
				i := int(b.Index[row])
				for j, p := range read(t, set.Train, i) {
					if want := float32((float64(p)/255 - 0.5) / 0.25); x[j] != want {
						t.Fatalf("pixel %d of example %d is %v, want %v", j, i, x[j], want)
					}
				}
				for c, p := range y {
					if (p == 1) != (c == label(set.Train, i)) || p != 0 && p != 1 {
						t.Fatalf("targets %v of label %d", y, label(set.Train, i))
					}
				}
			}
			order = append(order, b.Index...)
		}
		orders = append(orders, order)
		sorted := slices.Sorted(slices.Values(order))
		for i, v := range sorted {
			if int(v) != i {
				t.Fatalf("epoch %d visits %v", epoch, sorted)
			}
		}
	}
	if len(orders[0]) != 130 || slices.Equal(orders[0], orders[1]) || slices.Equal(orders[1], orders[2]) {
		t.Error("epochs must have orders of their own")
	}
}

func nonzero(x float32) bool { return x != 0 }

func TestSequentialIsTheStoredOrder(t *testing.T) {
	set := openBlobs(t, Options{TestLimit: 70})
	l := newLoader(t, set.Test, LoaderConfig{Batch: 32, Order: Sequential})
	for range 3 {
		seen := 0
		for b, err := range l.Epoch(0) {
			if err != nil {
				t.Fatal(err)
			}
			if want := min(32, 70-seen); b.Valid != want || b.Epoch != 0 || b.Step != seen/32 {
				t.Fatalf("batch of %d rows at %d.%d, want %d rows", b.Valid, b.Epoch, b.Step, want)
			}
			for _, i := range b.Index {
				if int(i) != seen {
					t.Fatalf("example %d in place %d", i, seen)
				}
				seen++
			}
		}
		if seen != 70 {
			t.Fatalf("%d examples, want 70", seen)
		}
	}
}

// Rows r and Valid-1-r hold λa+(1-λ)b and λb+(1-λ)a: their sum is that of the unmixed rows, targets
// sum to 1, and λ is the same in inputs and targets.
func TestMixup(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 101})
	cfg := LoaderConfig{Batch: 101, Key: rng.Key{5, 0}}
	plain := take(t, newLoader(t, set.Train, cfg), 20)
	cfg.Mixup = 0.5
	mixed := take(t, newLoader(t, set.Train, cfg), 20)
	lambdas := map[float32]bool{}
	for n := range plain {
		p, m := plain[n], mixed[n]
		for r := range 50 {
			q := 100 - r
			a, b := label(set.Train, int(p.Index[r])), label(set.Train, int(p.Index[q]))
			if a == b {
				continue
			}
			lambda := m.Y[4*r+a]
			lambdas[lambda] = true
			if got := m.Y[4*r+b]; math.Abs(float64(got+lambda-1)) > 1e-6 {
				t.Fatalf("targets %v and %v do not sum to 1", lambda, got)
			}
			for k := range 64 {
				want := lambda*p.X[64*r+k] + (1-lambda)*p.X[64*q+k]
				if math.Abs(float64(m.X[64*r+k]-want)) > 1e-6 {
					t.Fatalf("input %v, want %v", m.X[64*r+k], want)
				}
			}
		}
	}
	if len(lambdas) != 20 {
		t.Errorf("%d values of λ in 20 batches", len(lambdas))
	}
}

func TestNormalisationSchemes(t *testing.T) {
	examples := Examples{Pixels, []int{2, 1, 1}}
	info := Info{Name: "x", Examples: examples, Mean: []float64{0.25, 0.5}, Std: []float64{0.5, 2}}
	set := memorySet(info, nil, &memory{shape: info.image()})
	m := pixel.Image{C: 2, H: 1, W: 1, Pix: []uint8{255, 51}}
	for scheme, want := range map[Scheme][]float32{
		Unit255:  {1, 0.2},
		Unit256:  {255.0 / 256, 51.0 / 256},
		Standard: {1.5, -0.15},
	} {
		got := make([]float32, 2)
		norm(t, scheme, set).inputs.(pixelInputs).image(got, m)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", scheme, got, want)
		}
	}
	if _, err := NewNormalisation("unit25", set); err == nil {
		t.Error("unknown scheme: no error")
	}
	if _, err := NewNormalisation(Standard, &Set{Info: Info{Examples: examples}}); err == nil {
		t.Error("standard without published constants: no error")
	}
}

// faulty fails on one example.
type faulty struct {
	Split
	at int
}

var errFaulty = errors.New("cannot be decoded")

func (f faulty) Example(i int) (Example, error) {
	if i == f.at {
		return Example{}, errFaulty
	}
	return f.Split.Example(i)
}

func TestReadErrorsReachTheCaller(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 100})
	l := newLoader(t, faulty{set.Train, 57}, LoaderConfig{Batch: 20, Order: Sequential, Workers: 3})
	take(t, l, 2)
	if _, err := l.Next(); !errors.Is(err, errFaulty) {
		t.Errorf("got %v", err)
	}
	if err := l.Seek(0, 3); err != nil { // the caller may go on behind it
		t.Fatal(err)
	}
	take(t, l, 2)
}

// slow counts its reads and takes its time.
type slow struct {
	Split
	reads *atomic.Int64
}

func (s slow) Example(i int) (Example, error) {
	s.reads.Add(1)
	time.Sleep(time.Millisecond)
	return s.Split.Example(i)
}

func TestCloseAndCancelEndTheLoader(t *testing.T) { synctest.Test(t, testCloseAndCancel) }

func testCloseAndCancel(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 1000})
	var reads atomic.Int64
	ctx, cancel := context.WithCancelCause(t.Context())
	l, err := NewLoader(ctx, slow{set.Train, &reads}, LoaderConfig{Batch: 500, Norm: norm(t, Unit255, set), Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(cause) })
	if _, err := l.Next(); !errors.Is(err, cause) { // 500 rows take 250 ms, so this is a wait that is cut short
		t.Errorf("got %v, want the cause", err)
	}
	l.Close()
	l.Close() // twice does no harm
	after := reads.Load()
	time.Sleep(time.Second)
	if now := reads.Load(); now != after {
		t.Errorf("%d reads after Close", now-after)
	}
	if _, err := l.Next(); err == nil {
		t.Error("Next after Close: no error")
	}
}

// The clock is the test's: a second passes only when every worker waits.
func TestPrefetchIsBounded(t *testing.T) { synctest.Test(t, testPrefetchIsBounded) }

func testPrefetchIsBounded(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 1000})
	var reads atomic.Int64
	l := newLoader(t, slow{set.Train, &reads}, LoaderConfig{Batch: 10, Workers: 4})
	take(t, l, 1)
	// One batch is lent and two are ahead. However long they take, no more follow.
	time.Sleep(time.Second)
	if n := reads.Load(); n != 30 {
		t.Errorf("%d examples read, want 30", n)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	set := openBlobs(t, Options{})
	l := newLoader(t, set.Train, LoaderConfig{Batch: 20, Augment: []augment.Transform{noisy{}}, Mixup: 0.2, Workers: 2})
	take(t, l, 5)
	if n := testing.AllocsPerRun(50, func() {
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
	}); n >= 1 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestLoaderRefusesNonsense(t *testing.T) {
	set := openBlobs(t, Options{TrainLimit: 10})
	good := norm(t, Unit255, set)
	for _, cfg := range []LoaderConfig{
		{Batch: 0, Norm: good},
		{Batch: 11, DropLast: true, Norm: good},
		{Batch: 5},
		{Batch: 5, Norm: good, Mixup: -1},
		{Batch: 5, Norm: good, Workers: -1},
		{Batch: 5, Norm: good, Order: 7},
	} {
		if l, err := NewLoader(t.Context(), set.Train, cfg); err == nil {
			l.Close()
			t.Errorf("%+v: no error", cfg)
		}
	}
	if _, err := NewLoader(t.Context(), set.Validation, LoaderConfig{Batch: 5, Norm: good}); err == nil {
		t.Error("empty split: no error")
	}
}

// The cost of the loader itself: copying and normalising 28x28 images.
func BenchmarkLoader(b *testing.B) {
	images := &memory{pix: make([]uint8, 10000*784), labels: make([]uint8, 10000), classes: 10, shape: [3]int{1, 28, 28}}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			l := newLoader(b, images, LoaderConfig{Batch: 100, Workers: workers, DropLast: true})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Next(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
