package gonum

import (
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/gonum/kernel"
	"bayesbench/backends/ir"
)

// A result may be given the buffer of the parameter of its name, its state. So
// it is written into its buffer at once only where everything else has read
// the state by then; otherwise it is copied there at the end.

// inPlace finds the results that cannot be written at once, and orders the
// units that read the state of the others.
func (pl *plan) inPlace() {
	pl.then = make([][]int, len(pl.members))
	for v := range ir.Value(len(pl.p.Instrs)) {
		i, isResult := pl.result[v]
		if !isResult || pl.state[i] == ir.None || pl.readsBefore(v, pl.state[i]) {
			continue
		}
		delete(pl.result, v)
		pl.copies = append(pl.copies, i)
	}
	slices.Sort(pl.copies)
}

// readsBefore makes the unit of v wait for all others that read the parameter,
// and reports whether that can be.
func (pl *plan) readsBefore(v, param ir.Value) bool {
	unit := pl.of[v]
	var others []int
	for _, user := range pl.users[param] {
		switch u := pl.of[user]; {
		case u != unit:
			others = append(others, u)
		case !pl.fusible(user) || pl.extent(user) != pl.size(v) || !pl.readsDirectly(user, param):
			return false
		}
	}
	if pl.leads(unit, others) {
		return false
	}
	for _, u := range others {
		pl.then[u] = append(pl.then[u], unit)
	}
	return true
}

// readsDirectly reports whether v, of a group, reads all of the parameter
// element by element.
func (pl *plan) readsDirectly(v, param ir.Value) bool {
	for _, a := range pl.p.Instrs[v].Args {
		if acc := pl.access(a); acc.value == param && acc.kind != direct && acc.kind != constant {
			return false
		}
	}
	return true
}

// leads reports whether one of the units must come after unit u.
func (pl *plan) leads(u int, units []int) bool {
	seen := map[int]bool{u: true}
	todo := []int{u}
	for len(todo) > 0 {
		u := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if slices.Contains(units, u) {
			return true
		}
		visit := func(next int) {
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
		for _, m := range pl.members[u] {
			for _, user := range pl.users[m] {
				visit(pl.of[user])
			}
		}
		for _, next := range pl.then[u] {
			visit(next)
		}
	}
	return false
}

// takePlaces gives values of groups that run alone, and gradients of maximum
// pools, the places of values of the same size that are read there for the last
// time: a line that is there already need not be fetched to be written.
func (pl *plan) takePlaces(strands [][]int) {
	pl.over = map[ir.Value]ir.Value{}
	at := make([]int, len(pl.members))
	for i, units := range strands {
		for _, u := range units {
			at[u] = i
		}
	}
	for _, units := range strands {
		u := units[0]
		if len(units) > 1 || pl.keeps(u) {
			continue
		}
		var free []ir.Value
		for _, a := range pl.mayWriteOver(u) {
			if pl.inArena(a) && !pl.isCopied(a) && !pl.keeps(pl.of[a]) && pl.isLast(u, a, at) {
				free = append(free, a)
			}
		}
		// The last first: what it takes the place of has been read by then.
		for _, m := range slices.Backward(pl.members[u]) {
			if !pl.inArena(m) || !pl.stored(m) || pl.isCopied(m) {
				continue
			}
			i := slices.IndexFunc(free, func(a ir.Value) bool { return pl.size(a) == pl.size(m) })
			if i >= 0 {
				pl.over[m] = free[i]
				free = slices.Delete(free, i, i+1)
			}
		}
	}
}

// mayWriteOver lists the values that unit u reads element by element as it writes.
func (pl *plan) mayWriteOver(u int) []ir.Value {
	v := pl.members[u][0]
	if pl.p.Instrs[v].Op == ir.MaxPoolGrad {
		if w := pl.window(v); w.GradInPlace() {
			return []ir.Value{pl.canon[pl.p.Instrs[v].Args[0]]}
		}
	}
	if !pl.fusible(v) {
		return nil
	}
	return slices.DeleteFunc(pl.unitReads(u), func(a ir.Value) bool {
		return slices.ContainsFunc(pl.users[a], func(user ir.Value) bool {
			return pl.of[user] == u && (pl.extent(user) != pl.size(a) || !pl.readsDirectly(user, a))
		})
	})
}

// isLast reports whether unit u is the last that reads a.
func (pl *plan) isLast(u int, a ir.Value, at []int) bool {
	return !slices.ContainsFunc(pl.users[a], func(user ir.Value) bool { return at[pl.of[user]] > at[u] })
}

// overwritten reports whether the run may write over parameter v before it
// makes result i, which is the parameter.
func (pl *plan) overwritten(v ir.Value, i int) bool {
	return pl.p.Instrs[v].Op == ir.Param && pl.state[i] != v && slices.Contains(pl.state, v)
}

// saveParam keeps a parameter that the run may write over, for a result that
// is a copy of it.
type saveParam struct {
	from ir.Value
	to   backends.Data
}

func (e *executable) newSaveParam(v ir.Value) *saveParam {
	s := &saveParam{from: v}
	if t := e.p.Type(v); t.DType == ir.U32 {
		s.to.U32 = make([]uint32, t.Size())
	} else {
		s.to.F32 = kernel.Floats(t.Size())
	}
	return s
}

func (s *saveParam) run(e *executable) {
	copy(s.to.F32, e.f32[s.from])
	copy(s.to.U32, e.u32[s.from])
}

func (s *saveParam) reserve(*executable) int { return 0 }

func (s *saveParam) String() string { return "save" }

// copyResult writes a result whose value lives elsewhere: in the arena, in
// another result, in a parameter, or in what was saved of one.
type copyResult struct {
	from  ir.Value
	saved *saveParam // or nil
	to    int
}

func (c *copyResult) run(e *executable) {
	src := backends.Data{F32: e.f32[c.from], U32: e.u32[c.from]}
	if c.saved != nil {
		src = c.saved.to
	}
	copy(e.out[c.to].F32, src.F32)
	copy(e.out[c.to].U32, src.U32)
}

func (c *copyResult) reserve(*executable) int { return 0 }

func (c *copyResult) String() string { return "copy" }

// takesPlaceOf is the value whose place v takes, or ir.None.
func (pl *plan) takesPlaceOf(v ir.Value) ir.Value {
	if i, ok := pl.result[v]; ok {
		return pl.state[i]
	}
	if a, ok := pl.over[v]; ok {
		return a
	}
	return ir.None
}

// delayWrites puts off the writing of a value to the end of the code, where the
// code reads what is in its place after.
func (c *coder) delayWrites() {
	pl := c.e.plan
	for i := 0; i < len(c.g.code); i++ {
		dst := c.g.code[i].dst
		if dst.in != inArray || c.g.code[i].do == sum || c.g.code[i].do == dot {
			continue
		}
		before := pl.takesPlaceOf(ir.Value(dst.at))
		if before == ir.None {
			continue
		}
		state := operand{in: inArray, at: int(before)}
		if !slices.ContainsFunc(c.g.code[i+1:], func(m micro) bool { return m.readsOperand(state) }) {
			continue
		}
		kept := c.register()
		for j := i; j < len(c.g.code); j++ {
			for _, o := range append(c.g.code[j].reads(), &c.g.code[j].dst) {
				if *o == dst {
					*o = kept
				}
			}
		}
		c.add(micro{do: unary, dst: dst, a: kept}) // the identity
	}
}

func (m *micro) readsOperand(o operand) bool {
	return slices.ContainsFunc(m.reads(), func(r *operand) bool { return *r == o })
}
