package backends

import (
	"fmt"
	"slices"

	"bayesbench/backends/ir"
)

// States gives for each result of a program the index of the parameter whose
// name and type it has, or −1: what it is the next value of.
func States(p *ir.Program) []int {
	at := map[string]int{}
	for i, v := range p.Params() {
		at[p.Instrs[v].Name] = i
	}
	params := p.Params()
	out := make([]int, len(p.Results))
	for i, r := range p.Results {
		at, ok := at[r.Name]
		if !ok || !p.Type(params[at]).Equal(p.Type(r.Value)) {
			at = -1
		}
		out[i] = at
	}
	return out
}

// checkSharing reports a result that is an argument other than its state, or
// another result, for backends to refuse.
func checkSharing(p *ir.Program, args, results []Buffer) error {
	for i, at := range States(p) {
		for j, a := range args {
			if a == results[i] && j != at {
				return fmt.Errorf("program %s: result %d, %q, is argument %d, which is not its state", p.Name, i, p.Results[i].Name, j)
			}
		}
		if slices.Contains(results[:i], results[i]) {
			return fmt.Errorf("program %s: result %d, %q, is another result", p.Name, i, p.Results[i].Name)
		}
	}
	return nil
}
