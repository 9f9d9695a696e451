package gonum

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/backendtest"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, func(testing.TB) backends.Backend { return New(2) })
}
