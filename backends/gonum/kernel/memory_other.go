//go:build !linux

package kernel

func adviseHuge(from, length uintptr) {}
