package backendtest

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// randomPrograms is how many programs of the generator Run tries.
const randomPrograms = 100

// Run holds a backend to everything this package asks. open starts it afresh,
// and stops the test where it cannot. Under -short it tries a quarter of the
// random programs and a third of the large cases, and with several threads only
// what is no training.
func Run(t *testing.T, open func(t testing.TB) backends.Backend) {
	t.Run("case", func(t *testing.T) {
		be := opened(t, open)
		for i, c := range Cases() {
			if testing.Short() && i%3 != 0 && strings.HasPrefix(c.Name, "size/") {
				continue
			}
			t.Run(c.Name, func(t *testing.T) {
				if err := safely(be, c.check); err != nil {
					t.Errorf("%v%s", err, excerpt(c.Program))
				}
			})
		}
	})
	t.Run("random", func(t *testing.T) {
		be := opened(t, open)
		programs := uint32(randomPrograms)
		if testing.Short() {
			programs /= 4
		}
		for seed := range programs {
			c := RandomCase(seed)
			if err := safely(be, c.check); err != nil {
				t.Errorf("%s: %v%s", c.Name, err, excerpt(c.Program))
			}
		}
	})
	t.Run("trajectory", func(t *testing.T) {
		be := opened(t, open)
		for _, tr := range trajectories() {
			t.Run(tr.name, func(t *testing.T) {
				if err := safely(be, tr.check); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Run("rule", func(t *testing.T) {
		be := opened(t, open)
		for _, r := range rules {
			t.Run(r.name, func(t *testing.T) {
				if err := safely(be, r.check); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Run("workers", func(t *testing.T) { workers(t, open) })
}

// Fuzz tries random programs, with the generator's seed for input:
//
//	func FuzzPrograms(f *testing.F) { backendtest.Fuzz(f, open) }
func Fuzz(f *testing.F, open func(t testing.TB) backends.Backend) {
	be := opened(f, open)
	f.Add(uint32(randomPrograms))
	f.Fuzz(func(t *testing.T, seed uint32) {
		c := RandomCase(seed)
		if err := safely(be, c.check); err != nil {
			t.Errorf("%s: %v%s", c.Name, err, excerpt(c.Program))
		}
	})
}

// safely makes a panic an error, so that the cases after it run still.
func safely(be backends.Backend, check func(backends.Backend) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return check(be)
}

// opened is the backend, open for the length of a test.
func opened(t testing.TB, open func(t testing.TB) backends.Backend) backends.Backend {
	t.Helper()
	be := open(t)
	t.Cleanup(func() {
		if err := be.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return be
}

// workers runs what is large enough to be shared among threads with several
// settings of GOMAXPROCS: the bits must not depend on it.
func workers(t *testing.T, open func(t testing.TB) backends.Backend) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	type outcome map[string][]backends.Data
	run := func(t *testing.T, procs int) outcome {
		runtime.GOMAXPROCS(procs)
		be := open(t)
		defer be.Close()
		out := outcome{}
		for _, c := range sizeCases() {
			s, err := start(be, c.Program, c.Args)
			if err != nil {
				t.Fatal(err)
			}
			if out[c.Name], err = s.run(0); err != nil {
				t.Fatal(err)
			}
			if err := s.close(); err != nil {
				t.Error(err)
			}
		}
		if testing.Short() {
			return out
		}
		for _, tr := range trajectories() {
			var err error
			if out[tr.name], err = tr.train(be); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	alone := run(t, 1)
	settings := []int{2, 5}
	if testing.Short() {
		settings = []int{5}
	}
	for _, procs := range settings {
		several := run(t, procs)
		for name, results := range alone {
			for i := range results {
				if !sameBits(results[i], several[name][i]) {
					t.Errorf("%s: result %d with GOMAXPROCS=%d differs from GOMAXPROCS=1", name, i, procs)
				}
			}
		}
	}
}

// Bench times the cases: bytes of arguments and results a second and, where
// the program multiplies matrices or convolves, GFLOP/s as ir counts them. The
// time includes no transfer; one Read at the end waits for the device.
func Bench(b *testing.B, open func(t testing.TB) backends.Backend) {
	be := opened(b, open)
	for _, c := range Cases() {
		b.Run(c.Name, func(b *testing.B) {
			s, err := start(be, c.Program, c.Args)
			if err != nil {
				b.Fatal(err)
			}
			defer s.close()
			if err := s.exe.Run(s.args, s.results); err != nil { // warm
				b.Fatal(err)
			}
			last := s.results[len(s.results)-1]
			if _, err := read(last); err != nil {
				b.Fatal(err)
			}
			dst := hostData(last.Type())
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if err := s.exe.Run(s.args, s.results); err != nil {
					b.Fatal(err)
				}
			}
			if err := last.Read(dst); err != nil {
				b.Fatal(err)
			}
			bytes, contracts := 0, false
			for i := range c.Program.Instrs {
				in := &c.Program.Instrs[i]
				contracts = contracts || in.Op.Class() == ir.Contraction || in.Op == ir.Linear
				if in.Op == ir.Param {
					bytes += 4 * in.Type.Size()
				}
			}
			for _, r := range c.Program.Results {
				bytes += 4 * c.Program.Type(r.Value).Size()
			}
			b.SetBytes(int64(bytes))
			if contracts {
				b.ReportMetric(c.Program.FLOPs()*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
		})
	}
}

// excerpt shows a program that is short enough to read.
func excerpt(p *ir.Program) string {
	if len(p.Instrs) > 60 {
		return ""
	}
	return "\n" + p.String()
}
