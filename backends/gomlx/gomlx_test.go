package gomlx

import (
	"errors"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/backendtest"
)

// opener opens a configuration, and skips where its plugin is not here.
func opener(name string) func(t testing.TB) backends.Backend {
	return func(t testing.TB) backends.Backend {
		t.Helper()
		b, err := backends.Open(name)
		if m := missing(""); errors.As(err, &m) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestConformanceGo(t *testing.T)   { backendtest.Run(t, opener(goName)) }
func TestConformanceCPU(t *testing.T)  { backendtest.Run(t, opener(cpuName)) }
func TestConformanceCUDA(t *testing.T) { backendtest.Run(t, opener(cudaName)) }

func BenchmarkGo(b *testing.B)   { backendtest.Bench(b, opener(goName)) }
func BenchmarkCPU(b *testing.B)  { backendtest.Bench(b, opener(cpuName)) }
func BenchmarkCUDA(b *testing.B) { backendtest.Bench(b, opener(cudaName)) }
