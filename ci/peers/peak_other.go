//go:build !amd64

package main

var (
	fmaLoop  func(n int)
	fmaFLOPs float64
)
