package backendtest

import (
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ref"
)

func openRef(testing.TB) backends.Backend { return ref.New() }

func TestRefConforms(t *testing.T) { Run(t, openRef) }
