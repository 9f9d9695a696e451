package methodtest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/ref"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

// Fitted is a plan after training.
type Fitted struct {
	Plan  *methods.Plan
	State map[string][]float32
	Kept  []map[string][]float32          // the stored states, in order
	Curve map[string]map[string][]float64 // stage, scalar, step

	job     methods.Job
	backend backends.Backend
}

// Fit plans and trains; batches are taken in order, with no shuffling.
func Fit(be backends.Backend, m methods.Method, model nn.Model, j methods.Job, d Data, seed uint32) (*Fitted, error) {
	plan, err := m.Plan(model, j)
	if err != nil {
		return nil, err
	}
	f := &Fitted{Plan: plan, State: map[string][]float32{}, Curve: map[string]map[string][]float64{}, job: j, backend: be}
	for _, slot := range plan.State {
		f.State[slot.Name] = initial(slot, seed)
	}
	first := uint32(0)
	for _, stage := range plan.Stages {
		if err := f.run(stage, d, seed, first); err != nil {
			return nil, fmt.Errorf("stage %s: %w", stage.Name, err)
		}
		first += uint32(stage.Steps)
	}
	return f, nil
}

// Trained is Fit of the method of that name with those keys, on the reference backend.
func Trained(t *testing.T, name, keys string, model nn.Model, j methods.Job, d Data, seed uint32) *Fitted {
	t.Helper()
	m, err := New(name, keys)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Fit(ref.New(), m, model, j, d, seed)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func initial(slot methods.Slot, seed uint32) []float32 {
	v := make([]float32, slot.Type.Size())
	name := fnv.New32a()
	name.Write([]byte(slot.Name))
	key, stream := rng.Key{seed, 1 << 31}, name.Sum32()>>1
	switch a, b := slot.Init.A, slot.Init.B; slot.Init.Dist {
	case methods.Constant:
		for i := range v {
			v[i] = float32(a)
		}
	case methods.Uniform:
		rng.Uniform(v, key, stream)
		for i := range v {
			v[i] = float32(a + (b-a)*float64(v[i]))
		}
	case methods.Normal:
		rng.Normal(v, key, stream)
		for i := range v {
			v[i] = float32(a + b*float64(v[i]))
		}
	}
	return v
}

func (f *Fitted) run(stage methods.Stage, d Data, seed, first uint32) error {
	p, err := newProgram(f.backend, stage.Step)
	if err != nil {
		return err
	}
	size, columns := len(d.X)/f.job.Task.Examples, len(d.Y)/f.job.Task.Examples
	rows, perEpoch := f.job.Batch, f.job.StepsPerEpoch()
	if stage.FullBatch {
		rows, perEpoch = f.job.Task.Examples, 1
	}
	curve := map[string][]float64{}
	f.Curve[stage.Name] = curve
	for name, v := range f.State {
		p.set(name, v)
	}
	for step := range stage.Steps {
		at := step % perEpoch * rows
		p.set("x", d.X[at*size:(at+rows)*size])
		p.set("y", d.Y[at*columns:(at+rows)*columns])
		p.setKey(rng.Key{seed, first + uint32(step)})
		for name, schedule := range stage.Schedules {
			p.set(name, []float32{float32(schedule.At(step))})
		}
		if err := p.run(); err != nil {
			return err
		}
		for i, r := range stage.Step.Results {
			if _, ok := f.State[r.Name]; !ok {
				curve[r.Name] = append(curve[r.Name], float64(p.read(i)[0]))
			}
		}
		p.feedBack()
		if stage.Keeps(step) {
			kept := map[string][]float32{}
			for _, name := range stage.Kept {
				kept[name] = p.state(name, f.State[name])
			}
			f.Kept = append(f.Kept, kept)
		}
	}
	for name := range f.State {
		f.State[name] = p.state(name, f.State[name])
	}
	if stage.Done != nil {
		return stage.Done(f.State)
	}
	return nil
}

// LogProbs are k samples of the named predictor's "logp" on the first EvalBatch
// examples.
func (f *Fitted) LogProbs(predictor string, d Data, k int, seed uint32) ([][]float32, error) {
	draws, err := f.Draws(0, predictor, d, k, seed)
	out := make([][]float32, len(draws))
	for i, draw := range draws {
		out[i] = draw["logp"]
	}
	return out, err
}

// Draws are k samples of the named predictor on the EvalBatch examples from the
// given one on, each the results of its program by name.
func (f *Fitted) Draws(first int, predictor string, d Data, k int, seed uint32) ([]map[string][]float32, error) {
	i := slices.IndexFunc(f.Plan.Predictors, func(p methods.Predictor) bool { return p.Name == predictor })
	if i < 0 {
		return nil, fmt.Errorf("no predictor %q", predictor)
	}
	predict := f.Plan.Predictors[i]
	p, err := newProgram(f.backend, predict.Program)
	if err != nil {
		return nil, err
	}
	var out []map[string][]float32
	for sample := range k {
		state := f.State
		if predict.Kept {
			state = f.Kept[sample%len(f.Kept)]
		}
		for name, v := range f.State {
			p.set(name, v)
		}
		for name, v := range state {
			p.set(name, v)
		}
		key := rng.Key{seed, uint32(sample)}
		if predict.Refresh != nil {
			fresh, err := f.Refresh(predict, state, d, key)
			if err != nil {
				return nil, err
			}
			for name, v := range fresh {
				p.set(name, v)
			}
		}
		size := len(d.X) / f.job.Task.Examples
		p.set("x", d.X[first*size:(first+f.job.EvalBatch)*size])
		p.setKey(key)
		p.setRowKey(key, first)
		if err := p.run(); err != nil {
			return nil, err
		}
		draw := map[string][]float32{}
		for i, r := range predict.Program.Results {
			draw[r.Name] = p.read(i)
		}
		out = append(out, draw)
	}
	return out, nil
}

// Refresh is what the predictor's Refresh makes of the state in a pass over the
// data.
func (f *Fitted) Refresh(predictor methods.Predictor, state map[string][]float32, d Data, key rng.Key) (map[string][]float32, error) {
	p, err := newProgram(f.backend, predictor.Refresh)
	if err != nil {
		return nil, err
	}
	for _, from := range []map[string][]float32{f.State, state} {
		for name, v := range from {
			p.set(name, v)
		}
	}
	p.setKey(key)
	size := len(d.X) / f.job.Task.Examples * f.job.Batch
	for i := range f.job.StepsPerEpoch() {
		p.set("x", d.X[i*size:(i+1)*size])
		p.set("share", []float32{1 / float32(i+1)})
		if err := p.run(); err != nil {
			return nil, err
		}
		p.feedBack()
	}
	out := map[string][]float32{}
	for _, r := range predictor.Refresh.Results {
		out[r.Name] = p.state(r.Name, f.State[r.Name])
	}
	return out, nil
}

// Report runs the plan's report on the final state.
func (f *Fitted) Report() (map[string]float64, error) {
	p, err := newProgram(f.backend, f.Plan.Report)
	if err != nil {
		return nil, err
	}
	for name, v := range f.State {
		p.set(name, v)
	}
	if err := p.run(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for i, r := range f.Plan.Report.Results {
		out[r.Name] = float64(p.read(i)[0])
	}
	return out, nil
}

// program is a compiled program with its buffers.
type program struct {
	p             *ir.Program
	exe           backends.Executable
	args, results []backends.Buffer
}

func newProgram(be backends.Backend, p *ir.Program) (*program, error) {
	exe, err := be.Compile(p)
	if err != nil {
		return nil, err
	}
	out := &program{p: p, exe: exe}
	alloc := func(v ir.Value) backends.Buffer {
		buf, e := be.Alloc(p.Type(v))
		if e != nil {
			err = e
		}
		return buf
	}
	for _, v := range p.Params() {
		out.args = append(out.args, alloc(v))
	}
	for _, r := range p.Results {
		out.results = append(out.results, alloc(r.Value))
	}
	return out, err
}

// arg is the index of the parameter of that name, or −1.
func (p *program) arg(name string) int {
	return slices.IndexFunc(p.p.Params(), func(v ir.Value) bool { return p.p.Instrs[v].Name == name })
}

func (p *program) set(name string, v []float32) {
	if i := p.arg(name); i >= 0 {
		must(p.args[i].Write(backends.Data{F32: v}))
	}
}

func (p *program) setKey(k rng.Key) {
	if i := p.arg("key"); i >= 0 {
		must(p.args[i].Write(backends.Data{U32: k[:]}))
	}
}

// setRowKey sets the key of noise by rows, of which the first is the given one.
func (p *program) setRowKey(k rng.Key, first int) {
	if i := p.arg("row_key"); i >= 0 {
		must(p.args[i].Write(backends.Data{U32: []uint32{k[0], k[1], uint32(first)}}))
	}
}

func (p *program) run() error { return p.exe.Run(p.args, p.results) }

func (p *program) read(result int) []float32 {
	out := make([]float32, p.results[result].Type().Size())
	must(p.results[result].Read(backends.Data{F32: out}))
	return out
}

// feedBack makes the results that are parameters the next run's arguments.
func (p *program) feedBack() {
	for i, r := range p.p.Results {
		if a := p.arg(r.Name); a >= 0 {
			p.args[a], p.results[i] = p.results[i], p.args[a]
		}
	}
}

// state is the slot as it stands, old where the program does not have it.
func (p *program) state(name string, old []float32) []float32 {
	i := p.arg(name)
	if i < 0 {
		if r := slices.IndexFunc(p.p.Results, func(r ir.Result) bool { return r.Name == name }); r >= 0 {
			return p.read(r)
		}
		return old
	}
	out := make([]float32, len(old))
	must(p.args[i].Read(backends.Data{F32: out}))
	return out
}

// must is for buffers of the size that the program says: they cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
