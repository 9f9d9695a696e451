// Package gorgonia runs programs on Gorgonia's TapeMachine, on the CPU. One
// program is one expression graph and one tape; gradients are in the program
// already, none of Gorgonia's is used.
//
// So that its speed is labelled fairly, this is what runs on Gorgonia's own
// kernels (v0.9.18, tensor v0.9.24):
//
//	add sub mul                    Add, Sub, HadamardProd
//	neg abs sign floor log log1p sqrt tanh
//	                               its elementwise functions
//	less lessequal equal           its comparisons, as numbers
//	matmul                         Mul. The product within is BLAS, as everywhere in
//	                               Gorgonia, and is given the one of backends/gonum by
//	                               gorgonia.Use. A transposed operand is copied first
//	conv2d                         Conv2d (im2col and one product); a grouped one is a
//	                               convolution for each group
//	reduce_sum                     Sum, a long one in parts, since it adds in order
//
// and this on custom ops of ours (custom.go), plain loops of one thread:
//
//	broadcast transpose slice concat pad gather onehot reshape select
//	                 Gorgonia's need other shapes, make views, or have no integers;
//	                 its Where multiplies by the mask, and Inf·0 is NaN
//	div exp sin cos max min reduce_max
//	                 its −1/0 is +Inf, its exp(3e38) is 0 and exp(−73) 20 ulp off, its
//	                 sines are off by 3e-6, its maxima and minima lose NaN
//	conv2d_dx conv2d_dw
//	                 the products are Gorgonia's Mul, im2col and col2im around them ours
//	maxpool avgpool and their gradients
//	                 its average is wrong where windows overlap, its maximum of a
//	                 window of −Inf is −3.4e38
//	uniform normal   package rng on the host: Gorgonia's random nodes of one shape are
//	                 one node, and do not follow the stream
//
// A scalar is a vector of one element to Gorgonia, since its scalars are of
// another type than its tensors. Arrays of no elements never reach it.
//
// Read compile.go for the walk over a program, lower.go for the lowerings.
package gorgonia
