package gorgonia

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	_ "go4.org/unsafe/assume-no-moving-gc" // of a version that knows this Go; Gorgonia's own panics at start
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"bayesbench/backends"
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/gonum/kernel/blas"
	"bayesbench/backends/ir"
)

const name = "gorgonia"

func init() {
	backends.Register(backends.Driver{
		Name:        name,
		Description: "Gorgonia's TapeMachine on the CPU",
		Configs:     []string{name},
		Open:        func(string) (backends.Backend, error) { return open(), nil },
	})
}

type backend struct{ threads int }

// useBLAS gives Gorgonia our matrix product and says on how many threads it
// runs. Gorgonia has one BLAS for the process, so it is set once and stays.
var useBLAS = sync.OnceValue(func() (threads int) {
	pool := kernel.NewPool(runtime.GOMAXPROCS(0))
	gorgonia.Use(blas.New(pool))
	return pool.Workers()
})

func open() *backend { return &backend{useBLAS()} }

func (b *backend) Info() backends.Info {
	return backends.Info{
		Name:    name,
		Version: backends.ModuleVersion("gorgonia.org/gorgonia"),
		Device:  "cpu",
		Threads: b.threads,
		Kernels: kernels(),
	}
}

// kernels names the instruction set of our matrix product, by which Gorgonia's own assembly goes
// too.
func kernels() string {
	if v := kernel.Variant(); v != kernel.Portable {
		return v
	}
	return backends.GoKernels()
}

func (b *backend) Close() error { return nil }

// buffer is a tensor; nil where there are no elements.
type buffer struct {
	t ir.Type
	v *tensor.Dense
}

func (b *backend) Alloc(t ir.Type) (backends.Buffer, error) {
	if err := backends.CheckType(t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if t.Size() == 0 {
		return &buffer{t: t}, nil
	}
	return &buffer{t, newTensor(t)}, nil
}

func (b *buffer) Type() ir.Type { return b.t }

// data is the buffer's memory.
func (b *buffer) data() backends.Data {
	if b.v == nil {
		return backends.Data{}
	}
	a := arrayOf(b.v)
	return backends.Data{F32: a.f, U32: a.u}
}

func (b *buffer) Write(src backends.Data) error {
	if err := src.Fits(b.t); err != nil {
		return fmt.Errorf("%s: write %w", name, err)
	}
	own := b.data()
	copy(own.F32, src.F32)
	copy(own.U32, src.U32)
	return nil
}

func (b *buffer) Read(dst backends.Data) error {
	if err := dst.Fits(b.t); err != nil {
		return fmt.Errorf("%s: read %w", name, err)
	}
	own := b.data()
	copy(dst.F32, own.F32)
	copy(dst.U32, own.U32)
	return nil
}

type executable struct {
	p      *ir.Program
	graph  *graph // nil where no result has elements
	closed bool
}

func (e *executable) Close() error {
	e.closed = true
	if e.graph == nil {
		return nil
	}
	return e.graph.machine.Close()
}

func (e *executable) Run(args, results []backends.Buffer) error {
	if err := e.run(args, results); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (e *executable) run(args, results []backends.Buffer) error {
	if e.closed {
		return errors.New("run of a closed executable")
	}
	err := backends.CheckRun(e.p, args, results, func(x backends.Buffer) bool {
		b, ok := x.(*buffer)
		return ok && b != nil
	})
	if err != nil {
		return err
	}
	if e.graph == nil {
		return nil
	}
	if err := e.graph.run(args, results); err != nil {
		return fmt.Errorf("program %s: %w", e.p.Name, err)
	}
	return nil
}
