package exec

import (
	"fmt"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
)

// Program is a compiled program with its buffers: the slots of a state, the
// inputs that a caller writes, and the results that it reads.
type Program struct {
	exe     backends.Executable
	inputs  map[string]backends.Buffer // every parameter that is no slot
	outputs map[string]backends.Buffer // every result that is no slot
	args    []backends.Buffer
	results []backends.Buffer

	scalar [1]float32 // what is written, kept here so that a step allocates nothing
	key    [3]uint32
}

// Bind compiles p and gives it the state's slots by name. A result that is a
// slot, or an input of its name and type, is that one's next value.
func (s *State) Bind(p *ir.Program) (*Program, error) {
	exe, err := s.be.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", p.Name, err)
	}
	b := &Program{exe: exe, inputs: map[string]backends.Buffer{}, outputs: map[string]backends.Buffer{}}
	for _, v := range p.Params() {
		name := p.Instrs[v].Name
		if sl, ok := s.byKey[name]; ok {
			if !sl.Type.Equal(p.Type(v)) {
				return nil, fmt.Errorf("program %s: slot %s is %s, the parameter %s", p.Name, name, sl.Type, p.Type(v))
			}
			b.args = append(b.args, sl.Buffer)
			continue
		}
		buf, err := s.be.Alloc(p.Type(v))
		if err != nil {
			return nil, fmt.Errorf("program %s: %s: %w", p.Name, name, err)
		}
		b.inputs[name] = buf
		b.args = append(b.args, buf)
	}
	for _, r := range p.Results {
		if sl, ok := s.byKey[r.Name]; ok {
			b.results = append(b.results, sl.Buffer)
			continue
		}
		if in, ok := b.inputs[r.Name]; ok && in.Type().Equal(p.Type(r.Value)) {
			b.results = append(b.results, in) // its next value
			continue
		}
		buf, err := s.be.Alloc(p.Type(r.Value))
		if err != nil {
			return nil, fmt.Errorf("program %s: %s: %w", p.Name, r.Name, err)
		}
		b.outputs[r.Name] = buf
		b.results = append(b.results, buf)
	}
	return b, nil
}

// Close frees the compiled program. The state stays.
func (p *Program) Close() error { return p.exe.Close() }

// Run runs once, on the slots as they are.
func (p *Program) Run() error { return p.exe.Run(p.args, p.results) }

// Input is the buffer of a parameter that is no slot, nil if there is none of
// that name.
func (p *Program) Input(name string) backends.Buffer { return p.inputs[name] }

// Output is the buffer of a result that is no slot, nil if there is none of that
// name.
func (p *Program) Output(name string) backends.Buffer { return p.outputs[name] }

// Write writes an f32 input, where the program has it.
func (p *Program) Write(name string, x []float32) error {
	if b, ok := p.inputs[name]; ok {
		return b.Write(backends.Data{F32: x})
	}
	return nil
}

// Set writes a scalar input, where the program has it.
func (p *Program) Set(name string, x float32) error {
	p.scalar[0] = x
	return p.Write(name, p.scalar[:])
}

// SetKey writes the noise key, where the program has noise.
func (p *Program) SetKey(k rng.Key) error {
	if b, ok := p.inputs["key"]; ok {
		p.key[0], p.key[1] = k[0], k[1]
		return b.Write(backends.Data{U32: p.key[:2]})
	}
	return nil
}

// SetRowKey writes the key of noise that has a row for each example, where the
// program has such noise: k, and the number of the batch's first row in its set.
func (p *Program) SetRowKey(k rng.Key, first int) error {
	if b, ok := p.inputs["row_key"]; ok {
		p.key = [3]uint32{k[0], k[1], uint32(first)}
		return b.Write(backends.Data{U32: p.key[:]})
	}
	return nil
}

// Scalars runs the program and reads its results that are no slots, f32[] all:
// a plan's report.
func (p *Program) Scalars() (map[string]float64, error) {
	if err := p.Run(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for name, b := range p.outputs {
		var x [1]float32
		if err := b.Read(backends.Data{F32: x[:]}); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = float64(x[0])
	}
	return out, nil
}
