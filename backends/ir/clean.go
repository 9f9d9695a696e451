package ir

import "strings"

// Clean drops instructions that no result needs and computes equal ones once.
// Parameters stay, so the arguments of Run do. Noise of one key, stream and
// shape is one value by definition and is merged like any other.
func Clean(p *Program) *Program {
	out := &Program{Name: p.Name}
	live := make([]bool, len(p.Instrs))
	for _, r := range p.Results {
		live[r.Value] = true
	}
	for i := len(p.Instrs) - 1; i >= 0; i-- {
		live[i] = live[i] || p.Instrs[i].Op == Param
		if live[i] {
			for _, a := range p.Instrs[i].Args {
				live[a] = true
			}
		}
	}
	at := make([]Value, len(p.Instrs))
	seen := map[string]Value{}
	for i, in := range p.Instrs {
		if !live[i] {
			continue
		}
		args := make([]Value, len(in.Args))
		for j, a := range in.Args {
			args[j] = at[a]
		}
		in.Args = args
		var key strings.Builder
		writeInstr(&key, &in)
		if v, ok := seen[key.String()]; ok {
			at[i] = v
			continue
		}
		out.Instrs = append(out.Instrs, in)
		at[i] = Value(len(out.Instrs) - 1)
		seen[key.String()] = at[i]
	}
	for _, r := range p.Results {
		out.Results = append(out.Results, Result{r.Name, at[r.Value]})
	}
	return out
}

// Needed says which instructions have elements and lead to a result that has.
func Needed(p *Program) []bool {
	needed := make([]bool, len(p.Instrs))
	for _, r := range p.Results {
		needed[r.Value] = true
	}
	for i := len(needed) - 1; i >= 0; i-- {
		needed[i] = needed[i] && p.Instrs[i].Type.Size() > 0
		for _, a := range p.Instrs[i].Args {
			needed[a] = needed[a] || needed[i]
		}
	}
	return needed
}
