package exec

import (
	"fmt"
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/ir"
)

// historyLength is for how many steps a step program remembers its scalars.
const historyLength = 20

// historyName is the parameter and result that holds them; no slot's name has a blank.
const historyName = "history of scalars"

// history reads the scalars of training steps. A backend waits for its device
// where something is read, so the step keeps those of the latest steps itself,
// one row a step, the latest last, and they are read a stretch at a time.
type history struct {
	names   []string // of the columns
	buffer  backends.Buffer
	rows    []float32
	pending int // steps that have not been read
}

// withHistory returns p with a history in place of the results that are no slots,
// which are scalars all, and their names.
func withHistory(p *ir.Program, s *State) (*ir.Program, []string, error) {
	out := &ir.Program{Name: p.Name, Instrs: append([]ir.Instr(nil), p.Instrs...)}
	scalars := map[string]ir.Value{}
	var names []string
	for _, r := range p.Results {
		if _, ok := s.byKey[r.Name]; ok {
			out.Results = append(out.Results, r)
			continue
		}
		if !p.Type(r.Value).Equal(ir.Float()) {
			return nil, nil, fmt.Errorf("program %s: %s is %s, neither slot nor scalar", p.Name, r.Name, p.Type(r.Value))
		}
		scalars[r.Name] = r.Value
		names = append(names, r.Name)
	}
	if len(names) == 0 {
		return out, nil, nil
	}
	slices.Sort(names)
	emit := func(in ir.Instr) ir.Value {
		out.Instrs = append(out.Instrs, in)
		return ir.Value(len(out.Instrs) - 1)
	}
	width := len(names)
	old := emit(ir.Instr{Op: ir.Param, Attrs: ir.Attrs{Name: historyName}, Type: ir.Float(historyLength, width)})
	kept := emit(ir.Instr{Op: ir.Slice, Args: []ir.Value{old}, Attrs: ir.Attrs{Lo: []int{1, 0}, Hi: []int{historyLength, width}},
		Type: ir.Float(historyLength-1, width)})
	var cells []ir.Value
	for _, name := range names {
		cells = append(cells, emit(ir.Instr{Op: ir.Reshape, Args: []ir.Value{scalars[name]}, Type: ir.Float(1, 1)}))
	}
	row := emit(ir.Instr{Op: ir.Concat, Args: cells, Attrs: ir.Attrs{Axis: 1}, Type: ir.Float(1, width)})
	next := emit(ir.Instr{Op: ir.Concat, Args: []ir.Value{kept, row}, Type: ir.Float(historyLength, width)})
	out.Results = append(out.Results, ir.Result{Name: historyName, Value: next})
	return out, names, nil
}

// bindStep binds a step program, with a history of its scalars.
func (s *State) bindStep(p *ir.Program) (*Program, *history, error) {
	p, names, err := withHistory(p, s)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.Bind(p)
	if err != nil {
		return nil, nil, err
	}
	h := &history{names: names, buffer: b.inputs[historyName], rows: make([]float32, historyLength*len(names))}
	return b, h, nil
}

// full reports that the next step would push out one that has not been read.
func (h *history) full() bool { return h.pending == historyLength }

// read waits for the device and returns the scalars of the steps since the last
// read, oldest first, each in the order of names. The next read overwrites them.
func (h *history) read() ([][]float32, error) {
	pending, width := h.pending, len(h.names)
	h.pending = 0
	if pending == 0 || width == 0 {
		return nil, nil
	}
	if err := h.buffer.Read(backends.Data{F32: h.rows}); err != nil {
		return nil, err
	}
	var steps [][]float32
	for rows := h.rows[len(h.rows)-pending*width:]; len(rows) > 0; rows = rows[width:] {
		steps = append(steps, rows[:width])
	}
	return steps, nil
}
