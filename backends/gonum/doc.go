// Package gonum is the gonum-SIMD backend: programs run on the CPU, on the
// kernels of the package below it. Compile simplifies the program, gathers
// elementwise ops into groups that run block by block in cache, orders the
// instructions, plans one arena by liveness and makes a flat list of
// instructions; Run calls them one after the other, each on all workers, and
// allocates nothing. Results are bit-equal at any number of workers.
//
//	backend.go   the driver, buffers
//	simplify.go  rewrites of the program that save work
//	norm.go      sums that batch normalisation makes known
//	layout.go    activations with a row for each neuron
//	plan.go      which values exist in memory, which instruction reads what
//	fuse.go      elementwise groups: which ops share one pass
//	keep.go      what groups keep from run to run
//	remat.go     what groups compute again rather than read
//	inplace.go   results that take the place of their state
//	strand.go    units that run together, band by band of rows
//	schedule.go  the order of instructions, and the arena
//	compile.go   from the plan to an executable
//	coder.go     the code of a group
//	group.go     the vector machine that runs it, block by block
//	contract.go  matrix products, convolutions, pooling, log-softmax
//	reduce.go    sums and maxima over axes
//	move.go      transpose, slice, concat, pad, gather, one-hot
//	profile.go   time by instruction
package gonum
