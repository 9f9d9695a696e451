package backends

import (
	"fmt"
	"runtime/debug"

	"bayesbench/backends/ir"
)

// What the interfaces ask of every backend alike, for adapters to call.

// CheckType is the error of Alloc for a type that no buffer can have.
func CheckType(t ir.Type) error {
	for _, n := range t.Shape {
		if n < 0 {
			return fmt.Errorf("alloc %s: negative dimension", t)
		}
	}
	return nil
}

// Fits reports host memory that is not of the type's element type and size.
func (d Data) Fits(t ir.Type) error {
	want := [2]int{t.Size(), 0}
	if t.DType == ir.U32 {
		want = [2]int{0, t.Size()}
	}
	if found := [2]int{len(d.F32), len(d.U32)}; found != want {
		return fmt.Errorf("%s: want %d f32 and %d u32 elements, found %d and %d", t, want[0], want[1], found[0], found[1])
	}
	return nil
}

// CheckRun reports arguments and results that do not fit the program, or share
// a buffer where Run forbids it. own says whether a buffer is the backend's.
func CheckRun(p *ir.Program, args, results []Buffer, own func(Buffer) bool) error {
	params := p.Params()
	if len(args) != len(params) || len(results) != len(p.Results) {
		return fmt.Errorf("program %s: want %d arguments and %d results, found %d and %d",
			p.Name, len(params), len(p.Results), len(args), len(results))
	}
	check := func(kind string, i int, name string, b Buffer, want ir.Type) error {
		if b == nil || !own(b) {
			return fmt.Errorf("program %s: %s %d, %q, is no buffer of this backend", p.Name, kind, i, name)
		}
		if !b.Type().Equal(want) {
			return fmt.Errorf("program %s: %s %d, %q: want %s, found %s", p.Name, kind, i, name, want, b.Type())
		}
		return nil
	}
	for i, v := range params {
		if err := check("argument", i, p.Instrs[v].Name, args[i], p.Type(v)); err != nil {
			return err
		}
	}
	for i, r := range p.Results {
		if err := check("result", i, r.Name, results[i], p.Type(r.Value)); err != nil {
			return err
		}
	}
	return checkSharing(p, args, results)
}

// ModuleVersion is the version of a module in this binary, for Info.
func ModuleVersion(path string) string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "(unknown version)"
}
