package backendtest

import (
	"fmt"
	"math"
	"strings"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
)

// Case is a program, the arguments to run it on, and how closely a backend's
// results must agree with those of ref.
type Case struct {
	Name    string // "matmul/17x33x29"
	Program *ir.Program
	Args    []backends.Data // one for each parameter
	Tol     Tolerance
}

// Tolerance admits |found − want| ≤ Abs + Rel·|want|, where want is the float64
// result rounded once to float32. Infinities and NaN must agree exactly.
type Tolerance struct {
	Abs, Rel float64
	Why      string // where the difference comes from
}

// ulp is the unit roundoff of float32: one operation errs by this share at most.
const ulp = 0x1p-24

var exact = Tolerance{0, 0, "moves, compares or rounds once"}

// sumOf is the tolerance of a sum of n products of standard normals. Partial
// sums grow as √n and each addition errs by half an ulp of one, so the errors
// walk to about n·ulp; the constant covers the few large ones of small n.
// TF32 or bfloat16 products err by 2⁻¹¹ and more, and exceed it.
func sumOf(n int) Tolerance {
	return Tolerance{(16 + 4*float64(n)) * ulp, 4 * ulp, fmt.Sprintf("sums of %d products in any order", n)}
}

// Cases lists all cases. The arguments are the same at every call.
func Cases() []Case {
	var all []Case
	for _, list := range [][]Case{
		elementwiseCases(), shapeCases(), reductionCases(), matMulCases(), convCases(), poolCases(),
		noiseCases(), compositeCases(), networkCases(), sizeCases(),
	} {
		all = append(all, list...)
	}
	return all
}

// maker builds a case: a program together with its arguments.
type maker struct {
	*ir.Builder
	args []backends.Data
}

// newCase makes a case with a builder. It panics if the program is not valid:
// then this package is wrong.
func newCase(name string, tol Tolerance, build func(m *maker)) Case {
	m := &maker{}
	p, err := ir.Build(strings.ReplaceAll(name, " ", "_"), func(b *ir.Builder) {
		m.Builder = b
		build(m)
	})
	if err != nil {
		panic(err)
	}
	return Case{name, p, m.args, tol}
}

// param declares the next parameter with its argument.
func (m *maker) param(t ir.Type, d backends.Data) ir.Value {
	m.args = append(m.args, d)
	return m.Param(fmt.Sprintf("p%d", len(m.args)-1), t)
}

// float declares an f32 parameter.
func (m *maker) float(v []float32, shape ...int) ir.Value {
	return m.param(ir.Float(shape...), backends.Data{F32: v})
}

// uint declares a u32 parameter.
func (m *maker) uint(v []uint32, shape ...int) ir.Value {
	return m.param(ir.Uint(shape...), backends.Data{U32: v})
}

// normal declares an f32 parameter of standard normals.
func (m *maker) normal(shape ...int) ir.Value {
	return m.float(normals(uint32(len(m.args)), shape), shape...)
}

// between declares an f32 parameter uniform in [lo, hi).
func (m *maker) between(lo, hi float64, shape ...int) ir.Value {
	return m.float(uniforms(uint32(len(m.args)), lo, hi, shape), shape...)
}

// integers declares an f32 parameter of whole numbers from lo to hi, so that
// elements tie.
func (m *maker) integers(lo, hi int, shape ...int) ir.Value {
	v := uniforms(uint32(len(m.args)), float64(lo), float64(hi+1), shape)
	for i := range v {
		v[i] = float32(math.Floor(float64(v[i])))
	}
	return m.float(v, shape...)
}

// indices declares a u32 parameter of numbers below n.
func (m *maker) indices(n int, shape ...int) ir.Value {
	v := make([]uint32, size(shape))
	for i, x := range uniforms(uint32(len(m.args)), 0, float64(n), shape) {
		v[i] = uint32(x)
	}
	return m.uint(v, shape...)
}

// result names v by what it shows.
func (m *maker) result(v ir.Value, format string, a ...any) {
	m.Result(fmt.Sprintf(format, a...), v)
}

// direct builds a case instruction by instruction, for what a builder has no
// method for: the gradients of convolutions and pools, which Grad emits.
type direct struct {
	p    ir.Program
	args []backends.Data
}

func directCase(name string, tol Tolerance, build func(d *direct)) Case {
	d := &direct{p: ir.Program{Name: name}}
	build(d)
	if err := d.p.Validate(); err != nil {
		panic(err)
	}
	return Case{name, &d.p, d.args, tol}
}

func (d *direct) emit(in ir.Instr) ir.Value {
	d.p.Instrs = append(d.p.Instrs, in)
	return ir.Value(len(d.p.Instrs) - 1)
}

// float declares an f32 parameter.
func (d *direct) float(v []float32, shape ...int) ir.Value {
	d.args = append(d.args, backends.Data{F32: v})
	name := fmt.Sprintf("p%d", len(d.args)-1)
	return d.emit(ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: name}, Type: ir.Float(shape...)})
}

// normal declares an f32 parameter of standard normals.
func (d *direct) normal(shape ...int) ir.Value {
	return d.float(normals(uint32(len(d.args)), shape), shape...)
}

// result names the value of an instruction by what it shows.
func (d *direct) result(in ir.Instr, format string, a ...any) {
	d.p.Results = append(d.p.Results, ir.Result{Name: fmt.Sprintf(format, a...), Value: d.emit(in)})
}

// want computes the results by ref.
func want(p *ir.Program, args []backends.Data) ([]ref.Value, error) {
	values := make([]ref.Value, len(args))
	for i, v := range p.Params() {
		values[i] = widened(p.Type(v), args[i])
	}
	return ref.Eval(p, values...)
}

// compare reports the element of found that is farthest out of tolerance.
func compare(p *ir.Program, found []backends.Data, want []ref.Value, tol Tolerance) error {
	for r, w := range want {
		name := p.Results[r].Name
		for i := range w.U {
			if found[r].U32[i] != w.U[i] {
				return fmt.Errorf("result %q, element %d of %s: found %d, want %d", name, i, w.Type, found[r].U32[i], w.U[i])
			}
		}
		worst, excess, count := 0, 0.0, 0
		for i := range w.F {
			if e := tol.excess(found[r].F32[i], float32(w.F[i])); e > 0 {
				count++
				if e > excess {
					worst, excess = i, e
				}
			}
		}
		if count > 0 {
			return fmt.Errorf("result %q, element %d of %s: found %v, want %v (%d of %d elements are off; tolerance %.2g + %.2g·|want|: %s)",
				name, worst, w.Type, found[r].F32[worst], float32(w.F[worst]), count, len(w.F), tol.Abs, tol.Rel, tol.Why)
		}
	}
	return nil
}

// excess is 0 where found is within tolerance, else by how much it is not.
func (tol Tolerance) excess(found, want float32) float64 {
	f, w := float64(found), float64(want)
	switch {
	case f == w || f != f && w != w:
		return 0
	case math.IsInf(f, 0) || math.IsInf(w, 0) || f != f || w != w:
		return math.Inf(1)
	}
	return max(0, math.Abs(f-w)-tol.Abs-tol.Rel*math.Abs(w))
}
