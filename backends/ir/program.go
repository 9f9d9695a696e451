package ir

import (
	"fmt"
	"strings"
)

// Value names the result of one instruction: its index in Program.Instrs.
type Value int

// None stands where an operand has no gradient.
const None Value = -1

// Instr is one instruction. Its operands come before it in the program.
type Instr struct {
	Op   Op
	Args []Value
	Attrs
	Type Type
}

// Attrs are the parameters of an op that are not values. Which of them an op
// uses stands in the table of op.go; the others are zero.
type Attrs struct {
	Name           string  // Param
	Value          float64 // Const
	Dims           []int   // Broadcast, Transpose, ReduceSum, ReduceMax
	Lo, Hi         []int   // Slice, Pad
	Axis           int     // Concat
	TransA, TransB bool    // MatMul
	Window         Window  // Conv2D…, pools
	Stream         uint32  // Uniform, Normal
}

// Window is the geometry of a convolution or pool, height before width.
// Convolutions take Kernel from their weights and leave it zero here; pools
// leave Groups zero.
type Window struct {
	Kernel, Stride, Pad [2]int
	Groups              int
}

// Out is the output length along axis i (0 height, 1 width) for an input of
// length n: ⌊(n + 2·pad − kernel)/stride⌋ + 1.
func (w Window) Out(i, n int) int { return (n+2*w.Pad[i]-w.Kernel[i])/w.Stride[i] + 1 }

// Result is a named output of a program.
type Result struct {
	Name  string
	Value Value
}

// Program is a straight line of instructions in SSA form.
type Program struct {
	Name    string
	Instrs  []Instr
	Results []Result
}

// Type is the type of v.
func (p *Program) Type(v Value) Type { return p.Instrs[v].Type }

// Params lists the inputs in order; a backend's Run takes its arguments so.
func (p *Program) Params() []Value {
	var out []Value
	for i := range p.Instrs {
		if p.Instrs[i].Op == Param {
			out = append(out, Value(i))
		}
	}
	return out
}

// Param finds an input by name.
func (p *Program) Param(name string) (Value, bool) {
	for i := range p.Instrs {
		if p.Instrs[i].Op == Param && p.Instrs[i].Name == name {
			return Value(i), true
		}
	}
	return None, false
}

// Validate reports the first instruction that is malformed: an operand that
// does not come before its use, a wrong count, shape or type. Builder and Parse
// return only valid programs.
func (p *Program) Validate() error {
	if p.Name == "" || p.Name != strings.TrimSpace(p.Name) || strings.Contains(p.Name, "\n") {
		return fmt.Errorf("name: want one line without blanks around it, found %q", p.Name)
	}
	params := map[string]bool{}
	for i := range p.Instrs {
		in := &p.Instrs[i]
		if err := p.check(i); err != nil {
			return fmt.Errorf("%%%d = %s: %w", i, in.Op, err)
		}
		if in.Op == Param {
			if params[in.Name] {
				return fmt.Errorf("%%%d = param: name %q is taken", i, in.Name)
			}
			params[in.Name] = true
		}
	}
	return p.checkResults()
}

func (p *Program) checkResults() error {
	results := map[string]bool{}
	for _, r := range p.Results {
		if r.Value < 0 || int(r.Value) >= len(p.Instrs) {
			return fmt.Errorf("return %q: no value %%%d", r.Name, r.Value)
		}
		if results[r.Name] {
			return fmt.Errorf("return %q: name is taken", r.Name)
		}
		results[r.Name] = true
	}
	return nil
}

func (p *Program) check(i int) error {
	in := &p.Instrs[i]
	if in.Op == Invalid || in.Op >= numOps {
		return fmt.Errorf("unknown op %d", in.Op)
	}
	args := make([]Type, len(in.Args))
	for j, a := range in.Args {
		if a < 0 || int(a) >= i {
			return fmt.Errorf("operand %%%d does not come before %%%d", a, i)
		}
		args[j] = p.Instrs[a].Type
	}
	t, err := infer(in, args)
	if err != nil {
		return err
	}
	if !t.Equal(in.Type) {
		return fmt.Errorf("type is %s, found %s", t, in.Type)
	}
	return nil
}
