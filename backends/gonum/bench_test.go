package gonum

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

var profile = flag.Bool("profile", false, "print the time of each instruction after a benchmark of a step")

// BenchmarkStep times training steps, which update their state in place.
func BenchmarkStep(b *testing.B) {
	nets := []struct {
		name  string
		net   func(*step, ir.Value) ir.Value
		shape []int
		kinds string
	}{
		{"lenet-300-100", lenet300, []int{100, 784}, "deterministic dropout ffg sparsevd"},
		{"lenet-5-caffe", lenet5, []int{100, 1, 28, 28}, "deterministic dropout ffg sparsevd"},
		{"vgg-0.25", vgg, []int{100, 3, 32, 32}, "deterministic sparsevd"},
	}
	for _, n := range nets {
		for kind := range strings.FieldsSeq(n.kinds) {
			b.Run("model="+n.name+"/method="+kind, func(b *testing.B) {
				benchmark(b, newStep(kind, n.net, n.shape...), n.shape[0])
			})
		}
	}
}

// BenchmarkPredict times one posterior sample's prediction for a batch; a
// predictive of K samples takes K of them, and so its images a second are a
// K-th of these samples a second.
func BenchmarkPredict(b *testing.B) {
	b.Run("model=lenet-300-100/method=ffg", func(b *testing.B) {
		benchmark(b, newPredict("ffg", lenet300, 100, 784), 100)
	})
	b.Run("model=lenet-5-caffe/method=ffg", func(b *testing.B) {
		benchmark(b, newPredict("ffg", lenet5, 100, 1, 28, 28), 100)
	})
}

func benchmark(b *testing.B, p *ir.Program, batch int) {
	be := New(runtime.GOMAXPROCS(0))
	defer be.Close()
	e, err := be.compile(p)
	if err != nil {
		b.Fatal(err)
	}
	args, results := bind(b, be, p, arguments(p))
	for i, state := range backends.States(p) {
		if state >= 0 {
			results[i] = args[state]
		}
	}
	run := func() {
		if err := e.Run(args, results); err != nil {
			b.Fatal(err)
		}
	}
	run()
	if *profile {
		e.startProfile()
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		run()
		n++
	}
	b.ReportMetric(float64(batch)*float64(n)/b.Elapsed().Seconds(), "samples/s")
	if *profile {
		e.writeProfile(os.Stdout)
		e.writeCode(os.Stdout)
	}
}
