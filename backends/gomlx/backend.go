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
	for _, n := range t.Shape {
		if n < 0 {
			return nil, fmt.Errorf("%s: alloc %s: negative dimension", b.info.Name, t)
		}
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

func (b *buffer) fits(d backends.Data) error {
	want := [2]int{b.t.Size(), 0}
	if b.t.DType == ir.U32 {
		want = [2]int{0, b.t.Size()}
	}
	if found := [2]int{len(d.F32), len(d.U32)}; found != want {
		return fmt.Errorf("%s: want %d f32 and %d u32 elements, found %d and %d", b.t, want[0], want[1], found[0], found[1])
	}
	return nil
}

func flat(d backends.Data) any {
	if d.U32 != nil {
		return d.U32
	}
	return d.F32
}

func (b *buffer) Write(src backends.Data) error {
	if err := b.fits(src); err != nil {
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
	if err := b.fits(dst); err != nil {
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

// own checks the buffers against the types they stand for.
func (e *executable) own(kind string, bs []backends.Buffer, names func(i int) (string, ir.Type)) ([]*buffer, error) {
	out := make([]*buffer, len(bs))
	for i, x := range bs {
		b, ok := x.(*buffer)
		name, want := names(i)
		if !ok || b == nil || b.engine != e.backend.engine {
			return nil, fmt.Errorf("program %s: %s %d, %q, is no buffer of this backend", e.p.Name, kind, i, name)
		}
		if !b.t.Equal(want) {
			return nil, fmt.Errorf("program %s: %s %d, %q: want %s, found %s", e.p.Name, kind, i, name, want, b.t)
		}
		out[i] = b
	}
	return out, nil
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
	if e.exe == nil {
		return nil
	}
	inputs := make([]mlx.Buffer, len(e.inputs))
	for i, arg := range e.inputs {
		if inputs[i], err = in[arg].device(); err != nil {
			return err
		}
	}
	outputs, err := e.exe.Execute(inputs, nil, 0)
	if err != nil {
		return fmt.Errorf("program %s: %w", e.p.Name, err)
	}
	for _, b := range out {
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
