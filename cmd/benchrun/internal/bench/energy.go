package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// energyCounters are the machine's counters of energy in microjoules, one a
// processor package: Intel's and AMD's RAPL as Linux shows it. There are none
// on most virtual machines, and elsewhere only root may read them.
const energyCounters = "/sys/class/powercap/intel-rapl:[0-9]*/energy_uj"

// energy reads the counters, in order; nil where there are none to read.
func energy() []uint64 {
	paths, err := filepath.Glob(energyCounters)
	if err != nil {
		return nil
	}
	var out []uint64
	for _, p := range paths {
		if strings.Count(filepath.Base(filepath.Dir(p)), ":") > 1 {
			continue // a part of a package, counted in it
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return nil
		}
		n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// joules is what was spent between two readings; not known (false) where there
// are no counters or one has wrapped around.
func joules(before, after []uint64) (float64, bool) {
	if len(before) == 0 || len(before) != len(after) {
		return 0, false
	}
	total := 0.0
	for i := range before {
		if after[i] < before[i] {
			return 0, false
		}
		total += float64(after[i]-before[i]) / 1e6
	}
	return total, true
}
