package methodtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ref"
	"bayesbench/methods"
	"bayesbench/methods/exec"
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

// Fit plans and trains by package exec, whose loop benchmarks use; batches are taken in order, with
// no shuffling. A student's teacher is one who is certain of the targets.
func Fit(be backends.Backend, m methods.Method, model nn.Model, j methods.Job, d Data, seed uint32) (*Fitted, error) {
	plan, err := m.Plan(model, j)
	if err != nil {
		return nil, err
	}
	f := &Fitted{Plan: plan, Curve: map[string]map[string][]float64{}, job: j, backend: be}
	state, err := exec.NewState(be, plan.State)
	if err != nil {
		return nil, err
	}
	if err := state.Initialise(seed); err != nil {
		return nil, err
	}
	if plan.Teacher != nil {
		d = d.Taught(j)
	}
	for i, stage := range plan.Stages {
		if err := f.run(state, i, d, seed); err != nil {
			return nil, fmt.Errorf("stage %s: %w", stage.Name, err)
		}
	}
	f.State, err = values(state)
	return f, err
}

// values are the named slots of a state, all where none is named.
func values(state *exec.State, names ...string) (map[string][]float32, error) {
	list, err := state.Values(names...)
	out := map[string][]float32{}
	for _, v := range list {
		out[v.Name] = v.F32
	}
	return out, err
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

func (f *Fitted) run(state *exec.State, number int, d Data, seed uint32) error {
	s := &f.Plan.Stages[number]
	stage, err := state.Stage(f.Plan, number, 0, seed)
	if err != nil {
		return err
	}
	defer stage.Close()
	curve := map[string][]float64{}
	f.Curve[s.Name] = curve
	feed := &inOrder{d: d, of: f.job.Task.Examples, rows: f.job.Batch}
	if s.FullBatch {
		feed.rows = f.job.Task.Examples
	}
	for step, err := range stage.Steps(context.Background(), feed) {
		if err != nil {
			return err
		}
		if step.Keep {
			kept, err := values(state, s.Kept...)
			if err != nil {
				return err
			}
			f.Kept = append(f.Kept, kept)
		}
	}
	steps, err := stage.Scalars()
	if err != nil {
		return err
	}
	for _, scalars := range steps {
		for i, name := range stage.ScalarNames() {
			curve[name] = append(curve[name], float64(scalars[i]))
		}
	}
	return stage.Finish()
}

// inOrder gives whole batches of so many rows, in order, again and again.
type inOrder struct {
	d        Data
	of, rows int // examples, and rows of a batch
	next     int
}

func (f *inOrder) Next() (exec.Batch, error) {
	b := f.d.batch(f.of, f.next, f.rows)
	if f.next += f.rows; f.next+f.rows > f.of {
		f.next = 0
	}
	return b, nil
}

// batch is rows examples of all, from the given one on.
func (d Data) batch(all, first, rows int) exec.Batch {
	cut := func(v []float32) backends.Data {
		size := len(v) / all
		return backends.Data{F32: v[first*size : (first+rows)*size]}
	}
	return exec.Batch{X: cut(d.X), Y: cut(d.Y), First: first, Valid: rows}
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
	stream, err := f.stream(predictor, d, seed)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	batch := d.batch(f.job.Task.Examples, first, f.job.EvalBatch)
	set := func(yield func(exec.Batch, error) bool) { yield(batch, nil) }
	var out []map[string][]float32
	for sample := range k {
		for draw, err := range stream.Sample(sample, set) {
			if err != nil {
				return nil, err
			}
			results := map[string][]float32{}
			for _, r := range f.predictor(predictor).Program.Results {
				results[r.Name] = slices.Clone(draw.Result(r.Name))
			}
			out = append(out, results)
		}
	}
	return out, nil
}

// Refreshed are the slots that the named predictor refreshes, as they are for posterior sample k.
func (f *Fitted) Refreshed(predictor string, d Data, k int, seed uint32) (map[string][]float32, error) {
	stream, err := f.stream(predictor, d, seed)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	nothing := func(func(exec.Batch, error) bool) {}
	for _, err := range stream.Sample(k, nothing) {
		return nil, err
	}
	var names []string
	for _, r := range f.predictor(predictor).Refresh.Results {
		names = append(names, r.Name)
	}
	return values(stream.State, names...)
}

func (f *Fitted) predictor(name string) *methods.Predictor {
	i := slices.IndexFunc(f.Plan.Predictors, func(p methods.Predictor) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Plan.Predictors[i]
}

// stream draws by the named predictor from the final state, or from the states that were kept.
func (f *Fitted) stream(predictor string, d Data, seed uint32) (*exec.Stream, error) {
	p := f.predictor(predictor)
	if p == nil {
		return nil, fmt.Errorf("no predictor %q", predictor)
	}
	states := []map[string][]float32{nil}
	if p.Kept {
		states = f.Kept
	}
	var weights []exec.Weights
	for _, kept := range states {
		weights = append(weights, exec.Weights{Seed: seed, Load: func() ([]exec.Value, error) {
			all := maps.Clone(f.State)
			maps.Copy(all, kept)
			var out []exec.Value
			for _, slot := range f.Plan.State {
				out = append(out, exec.Value{Name: slot.Name, Type: slot.Type, Data: backends.Data{F32: all[slot.Name]}})
			}
			return out, nil
		}})
	}
	return exec.NewStream(f.backend, exec.Prediction{
		Slots: f.Plan.State, Predictor: *p, Weights: weights,
		Training: func(uint32) exec.Pass {
			return func(yield func(exec.Batch, error) bool) {
				feed := &inOrder{d: d, of: f.job.Task.Examples, rows: f.job.Batch}
				for range f.job.StepsPerEpoch() {
					if !yield(feed.Next()) {
						return
					}
				}
			}
		},
	})
}

// Report runs the plan's report on the final state.
func (f *Fitted) Report() (map[string]float64, error) {
	state, err := exec.NewState(f.backend, f.Plan.State)
	if err != nil {
		return nil, err
	}
	for name, v := range f.State {
		if err := state.Write(exec.Value{Name: name, Type: state.Slot(name).Type, Data: backends.Data{F32: v}}); err != nil {
			return nil, err
		}
	}
	p, err := state.Bind(f.Plan.Report)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Scalars()
}
