package gonum

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/backendtest"
)

func open(testing.TB) backends.Backend { return New(2) }

func TestConformance(t *testing.T) { backendtest.Run(t, open) }

func FuzzConformance(f *testing.F) { backendtest.Fuzz(f, open) }

func BenchmarkConformance(b *testing.B) { backendtest.Bench(b, open) }
