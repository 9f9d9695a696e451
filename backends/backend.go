package backends

import "bayesbench/backends/ir"

// Backend compiles and runs programs on one device. Its methods may be called
// from one goroutine at a time.
type Backend interface {
	Info() Info
	// Alloc makes a zeroed buffer.
	Alloc(ir.Type) (Buffer, error)
	// Compile prepares a valid program. The program must not change after.
	Compile(*ir.Program) (Executable, error)
	Close() error
}

// Buffer is a value that the backend holds.
type Buffer interface {
	Type() ir.Type
	// Write copies src into the buffer; src must have the buffer's element
	// type and size, and may change after.
	Write(src Data) error
	// Read waits for the device and copies the buffer into dst.
	Read(dst Data) error
}

// Executable is a compiled program.
type Executable interface {
	// Run reads one argument for each parameter of the program and writes one
	// buffer for each result, both in the program's order. A result may be the
	// argument whose name and type it has, its state, if that stands for no
	// other parameter: Run then replaces the state by its new value. No result
	// may be any other argument or another result. All other arguments are left
	// as they are. Run may return before the device is done; a Buffer's Read
	// waits. After an error a state may be lost.
	Run(args, results []Buffer) error
	Close() error
}

// Data is host memory for one buffer, row-major: F32 or U32 is set, as the
// buffer's element type says.
type Data struct {
	F32 []float32
	U32 []uint32
}

// Info says what a backend is, for the record that stands beside every number.
type Info struct {
	Name    string // as in a suite: "gonum", "gomlx:xla:cpu"
	Version string // of the library that computes
	Device  string // "cpu (avx2 fma)", "NVIDIA H200"
	Threads int    // 0 where it does not apply
	// Kernels names what decides the bits of a result beside the program and Version: the
	// instruction set whose kernels run ("avx512"), or the processor where the library chooses by
	// that. Two backends of one Name, Version and Kernels give equal bits.
	Kernels string
}
