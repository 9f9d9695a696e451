// Package rng is the one source of randomness: Threefry2x32-20 counters under
// a key, in host form. Every backend makes the same bits from the same key and
// stream number, so a result depends neither on the backend, nor on the number
// of threads, nor on where a run was interrupted. The functions here are the
// definition that vector kernels are compared with; they are also what the
// host itself draws from (initial values, data order, augmentation).
package rng
