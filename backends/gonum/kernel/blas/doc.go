// Package blas gives the matrix product of package kernel to programs that
// speak BLAS: an Implementation for blas32.Use whose Sgemm runs on the SIMD
// tiles and whose other routines are gonum's own.
package blas
