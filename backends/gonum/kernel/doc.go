// Package kernel holds the inner loops of the gonum-SIMD backend: what the
// executor calls once the planner has decided everything. All data are
// float32 slices, row-major; a misused kernel panics.
//
//	unary.go    UnaryOp.Apply: negation … softplus on a block
//	binary.go   BinaryOp.Apply, ApplyScalar, ScalarApply; FMA, weighted sums, Select
//	move.go     Fill, RepeatEach, TileRow, Transpose, Prefetch
//	noise.go    Uniform, Normal: blocks of the stream of package rng
//	reduce.go   Sum, Dot, MaxOf; SumCols, MaxCols
//	softmax.go  LogSoftmax of rows
//	gemm.go     Pool.Gemm: C = op(A)·op(B), with fused prologue and epilogue
//	bands.go    Bands: products by bands of rows, for others to be done with them
//	conv.go     Pool.Conv, ConvGradInput, ConvGradWeights; convlanes.go holds
//	            the first two, with images in lanes, convweights.go the third;
//	            convrows.go the first from few channels, convpixels.go the third
//	winograd.go when convolutions of 3×3 and 5×5 go by tiles, and the transforms;
//	            winogradlanes.go and winogradweights.go as their namesakes
//	window.go   MaxPool, AvgPool and their gradients
//	memory.go   Floats: memory by cache lines and, where it is long, huge pages
//	pool.go     Pool: parked workers, and the scratch that kernels share
//
// The elementwise kernels, noise and reductions run on the calling goroutine,
// for blocks that fit the cache; dst may be the same slice as an operand, but
// must not overlap one otherwise. Methods of Pool run on all its workers.
//
// Results are bit-equal for any number of workers and for any cut of an
// elementwise call into blocks: every element of a product is one chain of
// fused multiply-adds in the order of k, cut where its length alone says; lane
// order in reductions depends on their length only. They may differ between
// instruction sets by the tolerances that variants_test.go states. No call
// allocates once the pool's scratch has grown to what the call needs; Reserve
// grows it beforehand, and GemmScratch, ConvScratch and WindowScratch say by how
// much.
//
// Each instruction set is a set of kernels (variants.go) laid over the
// portable Go twins; the tag noasm leaves only the twins. The assembly is
// written by the program in gen (go generate). Package blas below this one
// offers Gemm to programs that speak BLAS.
package kernel
