package gonum

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// StartProfile begins to time every instruction of the runs that follow.
func (e *executable) startProfile() { e.spent = make([]time.Duration, len(e.instr)) }

func (e *executable) runTimed() {
	for i, in := range e.instr {
		start := time.Now()
		in.run(e)
		e.spent[i] += time.Since(start)
	}
}

// writeProfile prints the time of each instruction over the runs since
// startProfile, the longest first, and the share of each kind.
func (e *executable) writeProfile(w io.Writer, runs int) {
	order := make([]int, len(e.instr))
	var total time.Duration
	kinds := map[string]time.Duration{}
	var names []string
	for i, in := range e.instr {
		order[i] = i
		total += e.spent[i]
		k := fmt.Sprintf("%T", in)
		if _, ok := kinds[k]; !ok {
			names = append(names, k)
		}
		kinds[k] += e.spent[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(e.spent[b] - e.spent[a]) })
	fmt.Fprintf(w, "%s: %v a run, %d instructions, arena %.1f MB\n", e.p.Name, total/time.Duration(runs), len(e.instr), float64(e.arena)*4e-6)
	for _, k := range names {
		fmt.Fprintf(w, "  %-20s %5.1f %%\n", k, 100*float64(kinds[k])/float64(total))
	}
	for _, i := range order[:min(len(order), 24)] {
		fmt.Fprintf(w, "%4d %10v %5.1f %%  %v\n", i, e.spent[i]/time.Duration(runs), 100*float64(e.spent[i])/float64(total), e.instr[i])
	}
}
