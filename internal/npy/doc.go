// Package npy reads and writes numpy's arrays: .npy files, and the .npz archives that hold several
// of them.
//
// An [Array] is read from the header on as a stream, or whole in C order. The files come from
// outside: nothing is believed of a header that the size of the file does not bear out, and no
// memory is taken before. A [Writer] writes an array of known shape as its numbers come. array.go
// has the header, numbers.go the numbers, npz.go the archives, write.go the writer.
package npy
