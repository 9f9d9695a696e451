// Package gomlx runs programs on GoMLX, in three configurations:
//
//	gomlx:go        GoMLX's engine in pure Go. Slow; it proves the adapter on small shapes.
//	gomlx:xla:cpu   XLA on the processor
//	gomlx:xla:cuda  XLA on an NVIDIA GPU
//
// All three share one lowering, written against GoMLX's backends.Builder: the
// program's core ops one by one, the composites by ir.Expand, noise as integer
// ops on the device. Gradients are in the program already; none of GoMLX's is
// used. Buffers are device buffers, a Run is one launch, and only Write and
// Read move data. (go-xla v0.1.4 waits for the end of a launch before Execute
// returns, so a Run is done when it returns.)
//
// # Building with XLA
//
// go-xla needs cgo, so XLA is behind a build tag and the default build is pure
// Go:
//
//	CGO_ENABLED=1 go build -tags xla ./cmd/benchrun     (Linux, and a C compiler)
//
// # The PJRT plugin
//
// XLA itself is a shared library, the PJRT plugin, found when the backend
// opens and never downloaded. It is the first of its kind (cpu or cuda) in
//
//  1. PJRT_PLUGIN_LIBRARY_PATH: files and directories, separated by colons
//  2. the site-packages of Python: of $VIRTUAL_ENV, of $CONDA_PREFIX, of the
//     python3 on the PATH, of the user and the system
//  3. ~/.local/lib/go-xla and /usr/local/lib/go-xla
//
// and must be an ELF library for this processor that exports GetPjrtApi, and
// speak PJRT C API 0.81 to 0.115. Known to work with go-xla v0.1.4 (which was
// made for 0.83) through the whole conformance suite:
//
//	pip install xla-cpu-pjrt==0.0.1            PJRT 0.81, the one to use; 61 MB, no dependencies
//	pip install lammps-jax-pjrt-cpu==0.11.2    PJRT 0.115
//
// Both reach the same results to rounding; the bits of a result are those of
// one plugin on one number of cores.
//
// For CUDA:
//
//	pip install 'jax-cuda13-plugin[with-cuda]==0.8.1'    PJRT 0.81, with NVIDIA's libraries; needs no JAX
//	pip install 'jax-cuda12-plugin[with-cuda]==0.8.1'    the same, for drivers of CUDA 12
//
// That configuration is built, and loads as far as the search for a device on a
// machine without a GPU, but has not been run on one by us. (The wheel
// xla-cuda13-pjrt==0.0.1, the sibling of the first, has no CUDA platform
// linked into it, and is refused with a line that says so.) The backend asks
// for full float32 (NVIDIA_TF32_OVERRIDE=0, and no Triton products) and for
// deterministic kernels, by variables that it sets before the plugin loads
// and that the user's own settings override.
//
// # What is lowered otherwise than by GoMLX's own op
//
// The Go engine has no shifts, so a word is rotated by multiplication and
// division by powers of two, which XLA turns back into shifts. It has no Pad
// and no Reverse: those become concatenations there. BatchGroupCount is wrong
// in it, so the weight gradient of a grouped convolution uses channel groups.
// The gradient of a max pool is a chain of comparisons of strided slices
// rather than SelectAndScatter, which passes over a NaN and on a GPU adds in no
// fixed order. The sine and cosine of normal noise are series, since XLA's are
// calls of libm on a CPU. XLA's window of kernel 2, stride 2 and no padding in a
// convolution's gradient is avoided (conv.go says why). On a CPU XLA is told
// that the maximum of NaN and 1 is NaN. Arrays of no elements and parameters
// that nothing uses never reach GoMLX.
//
// Read compile.go for the walk over a program, lower.go, conv.go, pool.go and
// noise.go for the ops, plugin.go for the search.
package gomlx
