package bench

import (
	"fmt"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/results"
)

// state holds a plan's slots in backend buffers, which a step updates in place.
type state struct {
	slots []*slot
	byKey map[string]*slot
}

type slot struct {
	methods.Slot
	buffer backends.Buffer
}

func newState(be backends.Backend, slots []methods.Slot) (*state, error) {
	s := &state{byKey: map[string]*slot{}}
	for _, d := range slots {
		buf, err := be.Alloc(d.Type)
		if err != nil {
			return nil, fmt.Errorf("slot %s: %w", d.Name, err)
		}
		sl := &slot{Slot: d, buffer: buf}
		s.slots = append(s.slots, sl)
		s.byKey[d.Name] = sl
	}
	return s, nil
}

// initialise draws every slot's first value.
func (s *state) initialise(seed uint32) error {
	k := key(seed, forInit)
	for _, sl := range s.slots {
		v := make([]float32, sl.Type.Size())
		fill(v, sl.Init, k, slotStream(sl.Name))
		if err := sl.buffer.Write(hostData(sl.Type, v)); err != nil {
			return fmt.Errorf("slot %s: %w", sl.Name, err)
		}
	}
	return nil
}

func fill(v []float32, in methods.Init, k rng.Key, stream uint32) {
	switch in.Dist {
	case methods.Constant:
		for i := range v {
			v[i] = float32(in.A)
		}
	case methods.Uniform:
		rng.Uniform(v, k, stream)
		for i := range v {
			v[i] = float32(in.A + (in.B-in.A)*float64(v[i]))
		}
	case methods.Normal:
		rng.Normal(v, k, stream)
		for i := range v {
			v[i] = float32(in.A + in.B*float64(v[i]))
		}
	}
}

// hostData carries a u32 slot's bits as the whole numbers that v holds.
func hostData(t ir.Type, v []float32) backends.Data {
	if t.DType == ir.F32 {
		return backends.Data{F32: v}
	}
	u := make([]uint32, len(v))
	for i, x := range v {
		u[i] = uint32(x)
	}
	return backends.Data{U32: u}
}

// tensors reads the named slots, or all where none is named.
func (s *state) tensors(names ...string) ([]results.Tensor, error) {
	var out []results.Tensor
	for _, sl := range s.slots {
		if len(names) > 0 && !containsString(names, sl.Name) {
			continue
		}
		t := results.Tensor{Name: sl.Name, Shape: sl.Type.Shape}
		var d backends.Data
		if sl.Type.DType == ir.U32 {
			t.U32 = make([]uint32, sl.Type.Size())
			d.U32 = t.U32
		} else {
			t.F32 = make([]float32, sl.Type.Size())
			d.F32 = t.F32
		}
		if err := sl.buffer.Read(d); err != nil {
			return nil, fmt.Errorf("slot %s: %w", sl.Name, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// stateBytes is the memory that the values of slots take.
func stateBytes(slots []methods.Slot) int64 {
	n := int64(0)
	for _, sl := range slots {
		n += 4 * int64(sl.Type.Size())
	}
	return n
}

// fits reports why tensors are not the slots: each of them, in its type, and no other.
func (s *state) fits(ts []results.Tensor) error {
	for _, t := range ts {
		sl, ok := s.byKey[t.Name]
		if !ok {
			return fmt.Errorf("tensor %q: the method has no such slot", t.Name)
		}
		have := ir.Type{DType: ir.F32, Shape: t.Shape}
		if t.U32 != nil {
			have.DType = ir.U32
		}
		if !sl.Type.Equal(have) {
			return fmt.Errorf("tensor %q: want %s, found %s", t.Name, sl.Type, have)
		}
	}
	if len(ts) != len(s.slots) { // a checkpoint's names are distinct
		return fmt.Errorf("%d tensors: want the method's %d slots", len(ts), len(s.slots))
	}
	return nil
}

// restore writes tensors into their slots; every slot must be there.
func (s *state) restore(ts []results.Tensor) error {
	found := 0
	for _, t := range ts {
		sl, ok := s.byKey[t.Name]
		if !ok {
			continue
		}
		if !sl.Type.Equal(ir.Type{DType: sl.Type.DType, Shape: t.Shape}) {
			return fmt.Errorf("checkpoint: %s has the shape %v, want %s", t.Name, t.Shape, sl.Type)
		}
		if err := sl.write(t); err != nil {
			return err
		}
		found++
	}
	if found != len(s.slots) {
		return fmt.Errorf("checkpoint: %d of %d slots are there", found, len(s.slots))
	}
	return nil
}

func (sl *slot) write(t results.Tensor) error {
	if err := sl.buffer.Write(backends.Data{F32: t.F32, U32: t.U32}); err != nil {
		return fmt.Errorf("slot %s: %w", t.Name, err)
	}
	return nil
}

// edit gives f the f32 slots on the host and writes back what it leaves.
func (s *state) edit(f func(map[string][]float32) error) error {
	ts, err := s.tensors()
	if err != nil {
		return err
	}
	host := map[string][]float32{}
	for _, t := range ts {
		if t.F32 != nil {
			host[t.Name] = t.F32
		}
	}
	if err := f(host); err != nil {
		return err
	}
	return s.restore(ts)
}

func containsString(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// program is an executable with its buffers bound: inputs that the loop
// writes, slots of a state, and scalars that it reads back.
type program struct {
	exe     backends.Executable
	inputs  map[string]backends.Buffer // every parameter that is no slot
	outputs map[string]backends.Buffer // every result that is no slot
	args    []backends.Buffer
	results []backends.Buffer
}

func bind(be backends.Backend, p *ir.Program, s *state) (*program, error) {
	exe, err := be.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", p.Name, err)
	}
	b := &program{exe: exe, inputs: map[string]backends.Buffer{}, outputs: map[string]backends.Buffer{}}
	for _, v := range p.Params() {
		name := p.Instrs[v].Name
		if sl, ok := s.byKey[name]; ok {
			if !sl.Type.Equal(p.Type(v)) {
				return nil, fmt.Errorf("program %s: slot %s is %s, the parameter %s", p.Name, name, sl.Type, p.Type(v))
			}
			b.args = append(b.args, sl.buffer)
			continue
		}
		buf, err := be.Alloc(p.Type(v))
		if err != nil {
			return nil, fmt.Errorf("program %s: %s: %w", p.Name, name, err)
		}
		b.inputs[name] = buf
		b.args = append(b.args, buf)
	}
	for _, r := range p.Results {
		if sl, ok := s.byKey[r.Name]; ok {
			b.results = append(b.results, sl.buffer)
			continue
		}
		if in, ok := b.inputs[r.Name]; ok && in.Type().Equal(p.Type(r.Value)) {
			b.results = append(b.results, in) // its next value
			continue
		}
		buf, err := be.Alloc(p.Type(r.Value))
		if err != nil {
			return nil, fmt.Errorf("program %s: %s: %w", p.Name, r.Name, err)
		}
		b.outputs[r.Name] = buf
		b.results = append(b.results, buf)
	}
	return b, nil
}

// run runs once, on the slots as they are.
func (p *program) run() error { return p.exe.Run(p.args, p.results) }

// set writes a scalar input, where the program has it.
func (p *program) set(name string, x float32) error {
	if b, ok := p.inputs[name]; ok {
		return b.Write(backends.Data{F32: []float32{x}})
	}
	return nil
}

// setKey writes the noise key, where the program has noise.
func (p *program) setKey(k rng.Key) error {
	if b, ok := p.inputs["key"]; ok {
		return b.Write(backends.Data{U32: k[:]})
	}
	return nil
}

// setRowKey writes the key of noise that has a row for each example, where the
// program has such noise: k, and the number of the batch's first row in its set.
func (p *program) setRowKey(k rng.Key, first int) error {
	if b, ok := p.inputs["row_key"]; ok {
		return b.Write(backends.Data{U32: []uint32{k[0], k[1], uint32(first)}})
	}
	return nil
}

// get reads a scalar output.
func (p *program) get(name string) (float64, error) {
	var x [1]float32
	err := p.outputs[name].Read(backends.Data{F32: x[:]})
	return float64(x[0]), err
}
