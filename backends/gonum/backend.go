package gonum

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"bayesbench/backends"
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

func init() {
	backends.Register(backends.Driver{
		Name:        "gonum",
		Description: "this program's own CPU kernels, SIMD where the CPU has it; no cgo",
		Configs:     []string{"gonum"},
		Open:        func(string) (backends.Backend, error) { return New(runtime.GOMAXPROCS(0)), nil },
	})
}

// Backend is the gonum backend on a pool of workers.
type Backend struct {
	pool *kernel.Pool
	runs uint64
	// contents counts all that buffers have held.
	contents uint64
}

// New starts the backend with the given number of workers, the calling
// goroutine included.
func New(workers int) *Backend { return &Backend{pool: kernel.NewPool(workers)} }

// Info names the module's version and the instruction set of the kernels.
func (b *Backend) Info() backends.Info {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return backends.Info{
		Name:    "gonum",
		Version: version,
		Device:  fmt.Sprintf("cpu (%s)", kernel.Variant()),
		Threads: b.pool.Workers(),
		Kernels: kernels(),
	}
}

// kernels names the instruction set whose kernels run.
func kernels() string {
	if v := kernel.Variant(); v != kernel.Portable {
		return v
	}
	return backends.GoKernels()
}

// Alloc makes a zeroed buffer.
func (b *Backend) Alloc(t ir.Type) (backends.Buffer, error) {
	if err := backends.CheckType(t); err != nil {
		return nil, fmt.Errorf("gonum: %w", err)
	}
	buf := &buffer{be: b, typ: t}
	buf.renew()
	if t.DType == ir.U32 {
		buf.u32 = make([]uint32, t.Size())
	} else {
		buf.f32 = kernel.Floats(t.Size())
	}
	return buf, nil
}

// Close ends the workers.
func (b *Backend) Close() error {
	b.pool.Close()
	return nil
}

type buffer struct {
	be  *Backend
	typ ir.Type
	f32 []float32
	u32 []uint32
	// run is the last that had the buffer for an argument or result, and taken
	// says that it had it for two arguments or for a result: so a buffer given
	// twice is found without a table.
	run   uint64
	taken bool
	// contents is a number that nothing else has had that the buffer or another
	// has held.
	contents uint64
}

// renew says that the buffer holds something else.
func (b *buffer) renew() {
	b.be.contents++
	b.contents = b.be.contents
}

func (b *buffer) Type() ir.Type { return b.typ }

func (b *buffer) Write(src backends.Data) error {
	if err := src.Fits(b.typ); err != nil {
		return fmt.Errorf("gonum: write %w", err)
	}
	copy(b.f32, src.F32)
	copy(b.u32, src.U32)
	b.renew()
	return nil
}

func (b *buffer) Read(dst backends.Data) error {
	if err := dst.Fits(b.typ); err != nil {
		return fmt.Errorf("gonum: read %w", err)
	}
	copy(dst.F32, b.f32)
	copy(dst.U32, b.u32)
	return nil
}
