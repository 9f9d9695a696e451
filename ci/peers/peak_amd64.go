package main

import "golang.org/x/sys/cpu"

var (
	fmaLoop  func(n int)
	fmaFLOPs float64 // operations of one turn of fmaLoop
)

func init() {
	switch {
	case cpu.X86.HasAVX512F:
		fmaLoop, fmaFLOPs = fmaAVX512, 12*16*2
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		fmaLoop, fmaFLOPs = fmaAVX2, 12*8*2
	}
}

// fmaAVX2 runs n turns of twelve independent 8-lane multiply-adds.
//
//go:noescape
func fmaAVX2(n int)

// fmaAVX512 runs n turns of twelve independent 16-lane multiply-adds.
//
//go:noescape
func fmaAVX512(n int)
