package kernel

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// The flag "hg" of the mappings that hold a long array says that huge pages were
// asked for.
func TestHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("the kernel has no transparent huge pages: ", err)
	}
	x := Floats(5 << 20)
	first := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	end := first + uintptr(4*len(x))
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	in, found := false, 0
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			in = from < end && first < to
		} else if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && in {
			found++
			if !strings.Contains(flags+" ", " hg ") {
				t.Errorf("a mapping of the array has the flags%s", flags)
			}
		}
	}
	if found == 0 {
		t.Errorf("no mapping at %#x", first)
	}
	x[0] = 1
}
