package exec

import (
	"fmt"
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
)

// State holds the slots of a plan in buffers of a backend. Programs that are
// bound to it update them in place.
type State struct {
	be    backends.Backend
	slots []*Slot
	byKey map[string]*Slot
}

// Slot is one slot of a State.
type Slot struct {
	methods.Slot
	Buffer backends.Buffer
}

// Value is what a slot holds, on the host: F32 or U32 is set, as Type says.
type Value struct {
	Name string
	Type ir.Type
	backends.Data
}

// NewState allocates the slots, all zero.
func NewState(be backends.Backend, slots []methods.Slot) (*State, error) {
	s := &State{be: be, byKey: map[string]*Slot{}}
	for _, d := range slots {
		buf, err := be.Alloc(d.Type)
		if err != nil {
			return nil, fmt.Errorf("slot %s: %w", d.Name, err)
		}
		sl := &Slot{Slot: d, Buffer: buf}
		s.slots = append(s.slots, sl)
		s.byKey[d.Name] = sl
	}
	return s, nil
}

// Slot is the slot of that name, nil if there is none.
func (s *State) Slot(name string) *Slot { return s.byKey[name] }

// Initialise draws the first value of every slot. It depends on the seed and on
// the slot's name alone.
func (s *State) Initialise(seed uint32) error {
	k := Key(seed, ForInit)
	for _, sl := range s.slots {
		v := make([]float32, sl.Type.Size())
		fill(v, sl.Init, k, SlotStream(sl.Name))
		if err := sl.Buffer.Write(hostData(sl.Type, v)); err != nil {
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
	case methods.Given:
		copy(v, in.Values.Data)
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

// Values reads the named slots, or all where none is named, in the plan's order.
func (s *State) Values(names ...string) ([]Value, error) {
	var out []Value
	for _, sl := range s.slots {
		if len(names) > 0 && !slices.Contains(names, sl.Name) {
			continue
		}
		v := Value{Name: sl.Name, Type: sl.Type, Data: newData(sl.Type)}
		if err := sl.Buffer.Read(v.Data); err != nil {
			return nil, fmt.Errorf("slot %s: %w", sl.Name, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func newData(t ir.Type) backends.Data {
	if t.DType == ir.U32 {
		return backends.Data{U32: make([]uint32, t.Size())}
	}
	return backends.Data{F32: make([]float32, t.Size())}
}

// Bytes is the memory that the values of slots take.
func Bytes(slots []methods.Slot) int64 {
	n := int64(0)
	for _, sl := range slots {
		n += 4 * int64(sl.Type.Size())
	}
	return n
}

// Fits reports why values are not those of the slots: each of them, in its type,
// and no other. Their names are distinct.
func (s *State) Fits(values []Value) error {
	for _, v := range values {
		sl, ok := s.byKey[v.Name]
		if !ok {
			return fmt.Errorf("tensor %q: the method has no such slot", v.Name)
		}
		if !sl.Type.Equal(v.Type) {
			return fmt.Errorf("tensor %q: want %s, found %s", v.Name, sl.Type, v.Type)
		}
	}
	if len(values) != len(s.slots) {
		return fmt.Errorf("%d tensors: want the method's %d slots", len(values), len(s.slots))
	}
	return nil
}

// Restore writes values into their slots. Every slot must have one; values that
// belong to no slot are left out.
func (s *State) Restore(values []Value) error {
	found := 0
	for _, v := range values {
		if s.byKey[v.Name] == nil {
			continue
		}
		if err := s.Write(v); err != nil {
			return err
		}
		found++
	}
	if found != len(s.slots) {
		return fmt.Errorf("want values of all %d slots, found %d", len(s.slots), found)
	}
	return nil
}

// Write writes one value into its slot.
func (s *State) Write(v Value) error {
	sl, ok := s.byKey[v.Name]
	if !ok {
		return fmt.Errorf("slot %s: want one of the plan's, found none", v.Name)
	}
	if !sl.Type.Equal(v.Type) {
		return fmt.Errorf("slot %s: want %s, found %s", v.Name, sl.Type, v.Type)
	}
	if err := sl.Buffer.Write(v.Data); err != nil {
		return fmt.Errorf("slot %s: %w", v.Name, err)
	}
	return nil
}

// Edit gives f the f32 slots on the host and writes back what f leaves.
func (s *State) Edit(f func(map[string][]float32) error) error {
	values, err := s.Values()
	if err != nil {
		return err
	}
	host := map[string][]float32{}
	for _, v := range values {
		if v.F32 != nil {
			host[v.Name] = v.F32
		}
	}
	if err := f(host); err != nil {
		return err
	}
	return s.Restore(values)
}
