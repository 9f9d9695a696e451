package ref

import (
	"errors"
	"fmt"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

func init() {
	backends.Register(backends.Driver{
		Name:        "ref",
		Description: "slow float64 interpreter, the definition of every op",
		Configs:     []string{"ref"},
		Open:        func(string) (backends.Backend, error) { return New(), nil },
	})
}

// New is the backend "ref". Its buffers keep float64 from one Run to the next;
// Read rounds to float32.
func New() backends.Backend { return backend{} }

type backend struct{}

type buffer struct{ v Value }

type executable struct{ p *ir.Program } // nil after Close

func (backend) Info() backends.Info {
	return backends.Info{Name: "ref", Version: "1", Device: "cpu (float64)", Threads: 1, Kernels: backends.GoKernels()}
}

func (backend) Close() error { return nil }

func (backend) Alloc(t ir.Type) (backends.Buffer, error) {
	if err := backends.CheckType(t); err != nil {
		return nil, fmt.Errorf("ref: %w", err)
	}
	return &buffer{Zeros(t)}, nil
}

func (backend) Compile(p *ir.Program) (backends.Executable, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("ref: program %s: %w", p.Name, err)
	}
	return &executable{p}, nil
}

func (b *buffer) Type() ir.Type { return b.v.Type }

func (b *buffer) Write(src backends.Data) error {
	if err := src.Fits(b.v.Type); err != nil {
		return fmt.Errorf("ref: write %w", err)
	}
	// A fresh value: the old one may be shared with what Run made of it.
	b.v = Zeros(b.v.Type)
	copy(b.v.U, src.U32)
	for i, x := range src.F32 {
		b.v.F[i] = float64(x)
	}
	return nil
}

func (b *buffer) Read(dst backends.Data) error {
	if err := dst.Fits(b.v.Type); err != nil {
		return fmt.Errorf("ref: read %w", err)
	}
	copy(dst.U32, b.v.U)
	for i, x := range b.v.F {
		dst.F32[i] = float32(x)
	}
	return nil
}

func (e *executable) Close() error {
	e.p = nil
	return nil
}

func (e *executable) Run(args, results []backends.Buffer) error {
	if e.p == nil {
		return errors.New("ref: run of a closed executable")
	}
	err := backends.CheckRun(e.p, args, results, func(x backends.Buffer) bool {
		b, ok := x.(*buffer)
		return ok && b != nil
	})
	if err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	values := make([]Value, len(args))
	for i, a := range args {
		values[i] = a.(*buffer).v
	}
	out, err := Eval(e.p, values...)
	if err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	for i, r := range results {
		r.(*buffer).v = out[i]
	}
	return nil
}
