package gomlx

import (
	"errors"
	"fmt"

	mlx "github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

type backend struct {
	engine mlx.Backend
	info   backends.Info
	free   func()
}

// buffer holds its value on the device. A nil device buffer stands for zeros,
// and for what has no elements.
type buffer struct {
	engine mlx.Backend
	t      ir.Type
	dev    mlx.Buffer
}

type executable struct {
	backend *backend
	p       *ir.Program    // as the caller gave it: for types and names
	exe     mlx.Executable // nil where no result has elements
	inputs  []int          // which of the arguments exe takes
	closed  bool
}

func (b *backend) Info() backends.Info { return b.info }

func (b *backend) Close() error {
	b.free()
	return nil
}

func (b *backend) Alloc(t ir.Type) (backends.Buffer, error) {
	if err := backends.CheckType(t); err != nil {
		return nil, fmt.Errorf("%s: %w", b.info.Name, err)
	}
	return &buffer{engine: b.engine, t: t}, nil
}

// shapeOf is the type in GoMLX's terms.
func shapeOf(t ir.Type) shapes.Shape {
	if t.DType == ir.U32 {
		return shapes.Make(dtypes.Uint32, t.Shape...)
	}
	return shapes.Make(dtypes.Float32, t.Shape...)
}

func (b *buffer) Type() ir.Type { return b.t }

func flat(d backends.Data) any {
	if d.U32 != nil {
		return d.U32
	}
	return d.F32
}

func (b *buffer) Write(src backends.Data) error {
	if err := src.Fits(b.t); err != nil {
		return fmt.Errorf("gomlx: write %w", err)
	}
	if b.t.Size() == 0 {
		return nil
	}
	dev, err := b.engine.BufferFromFlatData(0, flat(src), shapeOf(b.t))
	if err != nil {
		return fmt.Errorf("gomlx: write %s: %w", b.t, err)
	}
	return b.replace(dev)
}

func (b *buffer) Read(dst backends.Data) error {
	if err := dst.Fits(b.t); err != nil {
		return fmt.Errorf("gomlx: read %w", err)
	}
	if b.dev == nil {
		clear(dst.F32)
		clear(dst.U32)
		return nil
	}
	if err := b.engine.BufferToFlatData(b.dev, flat(dst)); err != nil {
		return fmt.Errorf("gomlx: read %s: %w", b.t, err)
	}
	return nil
}

// replace frees what the buffer held.
func (b *buffer) replace(dev mlx.Buffer) error {
	old := b.dev
	b.dev = dev
	if old == nil {
		return nil
	}
	return b.engine.BufferFinalize(old)
}

// device is the value on the device, zeros if nothing was written.
func (b *buffer) device() (mlx.Buffer, error) {
	if b.dev == nil {
		zeros := backends.Data{F32: make([]float32, b.t.Size())}
		if b.t.DType == ir.U32 {
			zeros = backends.Data{U32: make([]uint32, b.t.Size())}
		}
		if err := b.Write(zeros); err != nil {
			return nil, err
		}
	}
	return b.dev, nil
}

func (e *executable) Close() error {
	if e.exe != nil {
		e.exe.Finalize()
	}
	e.exe, e.closed = nil, true
	return nil
}

func (e *executable) Run(args, results []backends.Buffer) error {
	if err := e.run(args, results); err != nil {
		return fmt.Errorf("%s: %w", e.backend.info.Name, err)
	}
	return nil
}

func (e *executable) run(args, results []backends.Buffer) error {
	if e.closed {
		return errors.New("run of a closed executable")
	}
	err := backends.CheckRun(e.p, args, results, func(x backends.Buffer) bool {
		b, ok := x.(*buffer)
		return ok && b != nil && b.engine == e.backend.engine
	})
	if err != nil {
		return err
	}
	if e.exe == nil {
		return nil
	}
	inputs := make([]mlx.Buffer, len(e.inputs))
	for i, arg := range e.inputs {
		if inputs[i], err = args[arg].(*buffer).device(); err != nil {
			return err
		}
	}
	outputs, err := e.exe.Execute(inputs, nil, 0)
	if err != nil {
		return fmt.Errorf("program %s: %w", e.p.Name, err)
	}
	for _, r := range results {
		b := r.(*buffer)
		if b.t.Size() == 0 {
			continue
		}
		if err := b.replace(outputs[0]); err != nil {
			return err
		}
		outputs = outputs[1:]
	}
	return nil
}
