package gonum

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// startProfile begins to time every instruction of the runs that follow.
func (e *executable) startProfile() { e.spent = make([]time.Duration, len(e.steps)) }

// runTimed keeps the shortest time of each instruction over all runs, which
// other work on the machine disturbs least.
func (e *executable) runTimed() {
	for i, in := range e.steps {
		start := time.Now()
		in.run(e)
		if d := time.Since(start); e.spent[i] == 0 || d < e.spent[i] {
			e.spent[i] = d
		}
	}
}

// writeProfile prints the shortest time of each instruction over the runs
// since startProfile, the longest first, and the share of each kind.
func (e *executable) writeProfile(w io.Writer) {
	order := make([]int, len(e.steps))
	var total time.Duration
	kinds := map[string]time.Duration{}
	var names []string
	for i, in := range e.steps {
		order[i] = i
		total += e.spent[i]
		k := strings.TrimPrefix(fmt.Sprintf("%T", in), "*gonum.")
		if _, ok := kinds[k]; !ok {
			names = append(names, k)
		}
		kinds[k] += e.spent[i]
	}
	share := func(d time.Duration) float64 { return 100 * float64(d) / float64(total) }
	slices.SortStableFunc(order, func(a, b int) int { return int(e.spent[b] - e.spent[a]) })
	fmt.Fprintf(w, "%s: %v, %d instructions, arena %.1f MB\n", e.p.Name, total, len(e.steps), float64(e.arena)*4e-6)
	for _, k := range names {
		fmt.Fprintf(w, "  %-12s %5.1f %%\n", k, share(kinds[k]))
	}
	for _, i := range order[:min(len(order), 24)] {
		fmt.Fprintf(w, "%4d %10v %5.1f %%  %v\n", i, e.spent[i], share(e.spent[i]), e.steps[i])
	}
}

// writeCode prints the code of the groups of the step that took longest of those
// that have any.
func (e *executable) writeCode(w io.Writer) {
	var longest []*group
	best := time.Duration(-1)
	for i, in := range e.steps {
		var groups []*group
		for _, in := range instrs(in) {
			if g, ok := in.(*group); ok {
				groups = append(groups, g)
			}
		}
		if groups != nil && e.spent[i] > best {
			longest, best = groups, e.spent[i]
		}
	}
	for _, g := range longest {
		fmt.Fprintf(w, "%v, %d registers, blocks of %d\n", g, g.regs, g.block)
		for i := range g.code {
			fmt.Fprintf(w, "  %s\n", g.code[i].text(e))
		}
	}
}

func (m *micro) text(e *executable) string {
	name := func(o operand) string {
		switch o.in {
		case inRow:
			return fmt.Sprintf("row%d", o.at)
		case inArray:
			if in := &e.p.Instrs[o.at]; in.Name != "" {
				return in.Name
			}
			return fmt.Sprintf("%%%d", o.at)
		}
		return fmt.Sprintf("r%d", o.at)
	}
	num := func(s number) string {
		sign := ""
		if s.negate {
			sign = "-"
		}
		if s.each > 0 {
			return fmt.Sprintf("%s[%%%d each %d]", sign, s.value, s.each)
		}
		if s.value >= 0 {
			return fmt.Sprintf("%s[%%%d]", sign, s.value)
		}
		return fmt.Sprintf("%s%g", sign, s.x)
	}
	dst, a, b, c := name(m.dst), name(m.a), name(m.b), name(m.c)
	switch m.do {
	case unary:
		return fmt.Sprintf("%s = %v %s", dst, m.un, a)
	case binary:
		return fmt.Sprintf("%s = %v %s %s", dst, m.bin, a, b)
	case withScalar:
		return fmt.Sprintf("%s = %v %s %s", dst, m.bin, a, num(m.s))
	case scalarWith:
		return fmt.Sprintf("%s = %v %s %s", dst, m.bin, num(m.s), b)
	case fma:
		return fmt.Sprintf("%s = %s*%s + %s", dst, a, b, c)
	case fnma:
		return fmt.Sprintf("%s = %s - %s*%s", dst, c, a, b)
	case fmaScalar:
		return fmt.Sprintf("%s = %s*%s + %s", dst, a, num(m.s), c)
	case weighted:
		return fmt.Sprintf("%s = %s*%s + %s*%s", dst, a, num(m.s), b, num(m.t))
	case weightedProduct:
		return fmt.Sprintf("%s = %s*%s + %s*%s*%s", dst, a, num(m.s), b, c, num(m.t))
	case overRoot:
		return fmt.Sprintf("%s = %s / (sqrt %s + %s)", dst, a, b, num(m.s))
	case adam:
		return fmt.Sprintf("%s, %s, %s = adam of %s, %s, %s by %s", dst, name(m.adam.m1), name(m.adam.v1), name(m.adam.w), b, c, a)
	case choose:
		return fmt.Sprintf("%s = select %s %s %s", dst, a, b, c)
	case fill:
		return fmt.Sprintf("%s = fill %s", dst, num(m.s))
	case load:
		return fmt.Sprintf("%s = load %%%d each %d of %d", dst, m.access.value, m.access.each, m.access.length)
	case uniform, normal:
		return fmt.Sprintf("%s = noise stream %d", dst, m.stream)
	case dot:
		return fmt.Sprintf("sum %d += %s·%s", m.sum, a, b)
	}
	return fmt.Sprintf("sum %d += %s", m.sum, a)
}
