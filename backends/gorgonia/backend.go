package gorgonia

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
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
		Version: moduleVersion("gorgonia.org/gorgonia"),
		Device:  "cpu",
		Threads: b.threads,
	}
}

func (b *backend) Close() error { return nil }

// moduleVersion is the version of a module in this binary.
func moduleVersion(path string) string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "(unknown version)"
}

// buffer is a tensor; nil where there are no elements.
type buffer struct {
	t ir.Type
	v *tensor.Dense
}

func (b *backend) Alloc(t ir.Type) (backends.Buffer, error) {
	for _, n := range t.Shape {
		if n < 0 {
			return nil, fmt.Errorf("%s: alloc %s: negative dimension", name, t)
		}
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

func (b *buffer) fits(d backends.Data) error {
	own := b.data()
	if len(d.F32) != len(own.F32) || len(d.U32) != len(own.U32) {
		return fmt.Errorf("%s: want %d f32 and %d u32 elements, found %d and %d",
			b.t, len(own.F32), len(own.U32), len(d.F32), len(d.U32))
	}
	return nil
}

func (b *buffer) Write(src backends.Data) error {
	if err := b.fits(src); err != nil {
		return fmt.Errorf("%s: write %w", name, err)
	}
	own := b.data()
	copy(own.F32, src.F32)
	copy(own.U32, src.U32)
	return nil
}

func (b *buffer) Read(dst backends.Data) error {
	if err := b.fits(dst); err != nil {
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

// own checks the buffers against the types they stand for.
func (e *executable) own(kind string, bs []backends.Buffer, about func(i int) (string, ir.Type)) ([]*buffer, error) {
	out := make([]*buffer, len(bs))
	for i, x := range bs {
		b, ok := x.(*buffer)
		label, want := about(i)
		if !ok || b == nil {
			return nil, fmt.Errorf("program %s: %s %d, %q, is no buffer of this backend", e.p.Name, kind, i, label)
		}
		if !b.t.Equal(want) {
			return nil, fmt.Errorf("program %s: %s %d, %q: want %s, found %s", e.p.Name, kind, i, label, want, b.t)
		}
		out[i] = b
	}
	return out, nil
}

func (e *executable) run(args, results []backends.Buffer) error {
	if e.closed {
		return errors.New("run of a closed executable")
	}
	params := e.p.Params()
	if len(args) != len(params) || len(results) != len(e.p.Results) {
		return fmt.Errorf("program %s: want %d arguments and %d results, found %d and %d",
			e.p.Name, len(params), len(e.p.Results), len(args), len(results))
	}
	in, err := e.own("argument", args, func(i int) (string, ir.Type) {
		return e.p.Instrs[params[i]].Name, e.p.Type(params[i])
	})
	if err != nil {
		return err
	}
	out, err := e.own("result", results, func(i int) (string, ir.Type) {
		return e.p.Results[i].Name, e.p.Type(e.p.Results[i].Value)
	})
	if err != nil {
		return err
	}
	if err := backends.CheckSharing(e.p, args, results); err != nil {
		return err
	}
	if e.graph == nil {
		return nil
	}
	if err := e.graph.run(in, out); err != nil {
		return fmt.Errorf("program %s: %w", e.p.Name, err)
	}
	return nil
}
