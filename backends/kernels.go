package backends

import (
	"os"
	"runtime"
	"strings"
)

// GoKernels is the Info.Kernels of a backend that computes in Go alone: compilers for some
// processors fuse products and sums, for others not.
func GoKernels() string { return "go-" + runtime.GOARCH }

// Processor is the processor's model as Linux names it, or its architecture: the Info.Kernels of a
// backend whose library compiles for the processor that it finds.
func Processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		key, value, ok := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); ok && strings.TrimSpace(key) == "model name" && value != "" {
			return value
		}
	}
	return runtime.GOARCH
}
