package gorgonia

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/backendtest"
)

func opened(testing.TB) backends.Backend { return open() }

func TestConformance(t *testing.T)      { backendtest.Run(t, opened) }
func BenchmarkConformance(b *testing.B) { backendtest.Bench(b, opened) }
