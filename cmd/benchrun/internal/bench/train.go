package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
	"bayesbench/suites/data/augment"
)

// saveEvery is how much training a kill may cost.
const saveEvery = 20 * time.Second

// trainer takes a plan through its stages.
type trainer struct {
	job     *Job
	be      backends.Backend
	store   *results.Job
	report  Reporter
	pulse   *pulse
	state   *state
	set     *data.Set
	targets []float32 // the teacher's [examples classes], nil without one
	curve   results.Curve

	progress
	identity identity
	total    int       // steps of all stages
	began    time.Time // when this process took the job up
	before   float64   // seconds in the phase, of the processes before
	warm     bool      // the first stretch of this process is over
	saved    time.Time
	watcher  *program           // the plan's report program, nil without one
	final    map[string]float64 // what the report says at the end
}

// stepError says where a job failed.
type stepError struct {
	phase string
	step  int
	err   error
}

func (e *stepError) Error() string { return fmt.Sprintf("%s, step %d: %v", e.phase, e.step, e.err) }
func (e *stepError) Unwrap() error { return e.err }

// run trains from the newest checkpoint, or from the start. When ctx ends it
// saves and returns ctx's error.
func (t *trainer) run(ctx context.Context) error {
	plan := t.job.plan
	for _, s := range plan.Stages {
		t.total += s.Steps
	}
	if err := t.resume(); err != nil {
		return err
	}
	if plan.Report != nil {
		w, err := bind(t.be, plan.Report, t.state)
		if err != nil {
			return err
		}
		t.watcher = w
		defer w.exe.Close()
	}
	t.saved = time.Now()
	for ; t.Stage < len(plan.Stages); t.Stage++ {
		if err := t.stage(ctx, &plan.Stages[t.Stage]); err != nil {
			return err
		}
		t.Before += plan.Stages[t.Stage].Steps
		t.Step = 0
		// What the stage's program held is garbage, and what comes next, a
		// checkpoint, a stage, prediction, asks for as much again.
		debug.FreeOSMemory()
	}
	if t.watcher != nil {
		var err error
		if t.final, err = readReport(t.watcher); err != nil {
			return err
		}
	}
	return t.save()
}

// resume loads the newest checkpoint that this training can go on from, or starts it.
func (t *trainer) resume() error {
	c, lost, err := t.store.LoadCheckpoint(stateBytes(t.job.plan.State), t.accept)
	if err != nil {
		return err
	}
	if c == nil {
		return t.startOver(lost)
	}
	at, err := readProgress(c, t.job.plan)
	if err != nil {
		return err // accept has read it
	}
	if err := t.recall(c, at); errors.As(err, new(*results.ReadError)) {
		return err
	} else if err != nil {
		return t.startOver(err)
	}
	if lost != nil {
		t.report.Note(t.job, fmt.Sprintf("going on from the checkpoint before: %v", lost))
	}
	t.progress, t.before = at, at.Pace.Wall
	return t.state.restore(c.Tensors)
}

// startOver initialises the slots. Lost says why the training begins anew, nil if it never began.
func (t *trainer) startOver(lost error) error {
	if lost != nil {
		t.report.Note(t.job, fmt.Sprintf("starting over: %v", lost))
	}
	t.progress = progress{Sums: map[string]float64{}}
	t.curve = results.Curve{Columns: t.columns()}
	return t.state.initialise(t.job.Config.Seed)
}

// accept reports why the training cannot go on from a checkpoint.
func (t *trainer) accept(c *results.Checkpoint) error {
	if err := t.identity.bits(c); err != nil {
		return err
	}
	if _, err := readProgress(c, t.job.plan); err != nil {
		return err
	}
	return t.state.fits(c.Tensors)
}

// recall reads what belongs to a checkpoint and stands in files of its own: the curve, and the
// samples kept so far.
func (t *trainer) recall(c *results.Checkpoint, at progress) error {
	curve, err := t.store.Curve()
	if err != nil {
		return err
	}
	curve.Truncate(at.Before + at.Step)
	if !slices.Equal(curve.Columns, t.columns()) || curve.Sum() != c.Meta[metaCurve] {
		return errors.New("curve.csv is not the checkpoint's")
	}
	t.curve = curve
	for i := range at.Kept {
		c, err := t.store.Stored(keptFile(i), stateBytes(t.job.plan.State))
		if err == nil {
			err = t.identity.bits(c)
		}
		if err == nil {
			err = isSample(c, i)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", keptFile(i), err)
		}
	}
	return nil
}

// columns are the learning curve's: those of the validation split where examples
// are held out, those of HMC where the plan reports them.
func (t *trainer) columns() []string {
	columns := []string{"step", "epoch", "stage", "loss", "nll", "kl", "kl-weight", "lr", "sparsity", "test-error", "test-nll"}
	if t.set.Validation.Len() > 0 {
		columns = append(columns, "validation-error", "validation-nll")
	}
	if r := t.job.plan.Report; r != nil && slices.ContainsFunc(r.Results, func(r ir.Result) bool { return r.Name == "accept_rate" }) {
		columns = append(columns, "accept-rate", "step-size")
	}
	return append(columns, "seconds")
}

// save writes curve and checkpoint. That it cannot is no fault of the job.
func (t *trainer) save() error {
	if err := t.write(); err != nil {
		return &storeError{err}
	}
	return nil
}

func (t *trainer) write() error {
	if err := t.store.SaveCurve(t.curve); err != nil {
		return err
	}
	ts, err := t.state.tensors()
	if err != nil {
		return err
	}
	t.Pace.Wall = t.before + time.Since(t.began).Seconds()
	if peak, ok := peakMemory(); ok {
		t.Pace.Peak = max(t.Pace.Peak, peak)
	}
	p, err := json.Marshal(&t.progress)
	if err != nil {
		return err
	}
	meta := t.identity.meta()
	meta[metaProgress], meta[metaCurve] = string(p), t.curve.Sum()
	t.saved = time.Now()
	defer debug.FreeOSMemory() // of the copy of the state
	return t.store.SaveCheckpoint(&results.Checkpoint{Meta: meta, Tensors: ts})
}

func (t *trainer) stage(ctx context.Context, s *methods.Stage) error {
	step, history, err := bindStep(t.be, s.Step, t.state)
	if err != nil {
		return err
	}
	defer step.exe.Close()
	feed, err := newFeed(ctx, t, s, step)
	if err != nil {
		return err
	}
	defer feed.close()
	noise := key(t.job.Config.Seed, forNoise).Fold(uint32(t.Stage))

	// account waits for the device and adds up the scalars of the steps since it last did.
	account := func() error {
		steps, err := history.read()
		if err != nil {
			return &stepError{"train", t.Before + t.Step, err}
		}
		for i, scalars := range steps {
			for j, name := range history.names {
				x := float64(scalars[j])
				if math.IsNaN(x) || math.IsInf(x, 0) {
					return &stepError{"train", t.Before + t.Step - len(steps) + i, fmt.Errorf("%s is %v", name, x)}
				}
				t.Sums[name] += x
			}
		}
		return nil
	}
	last, lastStep, meter := time.Now(), t.Step, energy()
	// look ends a stretch of training, which must not be empty, and returns its samples/s.
	look := func() float64 {
		examples, d := (t.Step-lastStep)*feed.batch, time.Since(last).Seconds()
		t.Seconds += d
		t.Pace.add(examples, d, !t.warm)
		now := energy()
		if j, ok := joules(meter, now); ok {
			t.Pace.Joules += j
			t.Pace.Metered += examples
		}
		t.warm, meter = true, now
		return float64(examples) / d
	}
	for t.Step < s.Steps {
		if err := ctx.Err(); err != nil {
			if e := account(); e != nil {
				return e
			}
			if t.Step > lastStep {
				look()
			}
			return errors.Join(err, t.save())
		}
		fail := func(err error) error { return &stepError{"train", t.Before + t.Step, err} }
		if err := feed.next(); err != nil {
			if ctx.Err() != nil {
				continue // ended while it waited for a batch: saves as above
			}
			return fail(err)
		}
		if err := step.setKey(noise.Fold(uint32(t.Step))); err != nil {
			return fail(err)
		}
		for name, f := range s.Schedules {
			if err := step.set(name, float32(f.At(t.Step))); err != nil {
				return fail(err)
			}
		}
		if err := step.run(); err != nil {
			return fail(err)
		}
		t.pulse.beat()
		history.pending++
		t.Count++
		t.Step++
		keep := s.Keeps(t.Step - 1)
		epochEnds := t.Step%feed.steps == 0 || t.Step == s.Steps
		due := epochEnds || time.Since(last) > 200*time.Millisecond
		if keep || due || history.full() {
			if err := account(); err != nil {
				return err
			}
		}
		if keep {
			if err := t.keep(s.Kept); err != nil {
				return fail(err)
			}
		}
		if due {
			t.report.Train(t.job, t.Before+t.Step, t.total, look())
			if epochEnds {
				if err := t.measure(s, feed.steps); err != nil {
					return fail(err)
				}
			}
			if time.Since(t.saved) > saveEvery {
				if err := t.save(); err != nil {
					return err
				}
			}
			last, lastStep, meter = time.Now(), t.Step, energy()
		}
	}
	if s.Done != nil {
		if err := t.state.edit(s.Done); err != nil {
			return &stepError{s.Name, t.Before + t.Step, err}
		}
	}
	return nil
}

// measure adds the row of an epoch to the curve.
func (t *trainer) measure(s *methods.Stage, epoch int) error {
	mean := func(name string) float64 {
		if x, ok := t.Sums[name]; ok && t.Count > 0 {
			return x / float64(t.Count)
		}
		return math.NaN()
	}
	at := func(name string) float64 {
		if f, ok := s.Schedules[name]; ok {
			return f.At(t.Step - 1)
		}
		return math.NaN()
	}
	step := t.Before + t.Step
	row := map[string]float64{
		"step": float64(step), "epoch": float64(step) / float64(epoch), "stage": float64(t.Stage),
		"loss": mean("loss"), "nll": mean("nll"), "kl": mean("kl"),
		"kl-weight": at("kl_weight"), "lr": at("lr"), "seconds": t.Seconds,
		"sparsity": math.NaN(), "test-error": math.NaN(), "test-nll": math.NaN(),
		"validation-error": math.NaN(), "validation-nll": math.NaN(),
	}
	if t.watcher != nil {
		rep, err := readReport(t.watcher)
		if err != nil {
			return err
		}
		row["accept-rate"], row["step-size"] = rep["accept_rate"], rep["step_size"]
		if layers := layersLeft(t.job.plan, rep); len(layers) > 0 {
			row["sparsity"] = metrics.Total(layers).Sparsity()
		}
	}
	if every := t.job.Config.Eval.Every; every > 0 && int(row["epoch"])%every == 0 && len(t.job.plan.Predictors) > 0 {
		splits := []data.Split{t.set.Test}
		if t.set.Validation.Len() > 0 {
			splits = append(splits, t.set.Validation)
		}
		e, err := t.glance(splits...)
		if err != nil {
			return err
		}
		for i, name := range []string{"test", "validation"}[:len(splits)] {
			row[name+"-error"], row[name+"-nll"] = e[i][0], e[i][1]
		}
	}
	cells := make([]float64, len(t.curve.Columns))
	for i, c := range t.curve.Columns {
		cells[i] = row[c]
	}
	t.curve.Append(cells...)
	t.Sums, t.Count = map[string]float64{}, 0
	return nil
}

// keep stores the slots as posterior sample number t.Kept.
func (t *trainer) keep(names []string) error {
	ts, err := t.state.tensors(names...)
	if err != nil {
		return err
	}
	c := &results.Checkpoint{Meta: t.identity.meta(), Tensors: ts}
	c.Meta[metaSample] = strconv.Itoa(t.Kept)
	if err := t.store.WriteFile(keptFile(t.Kept), func(w io.Writer) error { return results.WriteCheckpoint(w, c) }); err != nil {
		return &storeError{err}
	}
	t.Kept++
	return nil
}

func keptFile(i int) string { return fmt.Sprintf("sample-%05d.safetensors", i) }

// readReport runs a report program and reads its scalars.
func readReport(p *program) (map[string]float64, error) {
	if err := p.run(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for name := range p.outputs {
		x, err := p.get(name)
		if err != nil {
			return nil, err
		}
		out[name] = x
	}
	return out, nil
}

// layersLeft counts each layer's weights and those that prediction uses.
func layersLeft(p *methods.Plan, report map[string]float64) []metrics.Tensor {
	var out []metrics.Tensor
	for _, w := range p.Weights {
		if n, ok := report["nonzero/"+w.Layer]; ok {
			out = append(out, metrics.Tensor{Name: w.Layer, Weights: w.Size, Nonzero: int(n)})
		}
	}
	return out
}

// feed writes each step's batch into a step program.
type feed struct {
	loader  *data.Loader
	step    *program
	targets []float32
	classes int
	y       []float32
	batch   int // examples a step
	steps   int // steps an epoch
}

func newFeed(ctx context.Context, t *trainer, s *methods.Stage, step *program) (*feed, error) {
	c := &t.job.Config
	f := &feed{step: step, targets: t.targets, classes: t.set.Classes, batch: c.Train.Batch}
	norm, err := data.NewNormalisation(data.Scheme(c.Data.Normalise), t.set)
	if err != nil {
		return nil, err
	}
	cfg := data.LoaderConfig{Batch: c.Train.Batch, Key: key(c.Seed, forOrder), Norm: norm, Mixup: c.Train.Mixup, DropLast: true}
	for _, name := range c.Train.Augment {
		a, err := augment.Parse(name, t.set.Shape[1])
		if err != nil {
			return nil, err
		}
		cfg.Augment = append(cfg.Augment, a)
	}
	if s.FullBatch {
		cfg.Batch, cfg.Order = t.set.Train.Len(), data.Sequential
		f.batch = cfg.Batch
	}
	f.steps = t.set.Train.Len() / cfg.Batch
	if _, ok := step.inputs["x"]; !ok {
		return f, nil
	}
	if f.loader, err = data.NewLoader(ctx, t.set.Train, cfg); err != nil {
		return nil, err
	}
	at := t.Before + t.Step
	return f, f.loader.Seek(at/f.steps, at%f.steps)
}

func (f *feed) next() error {
	if f.loader == nil {
		return nil
	}
	b, err := f.loader.Next()
	if err != nil {
		return err
	}
	if err := f.step.inputs["x"].Write(backends.Data{F32: b.X}); err != nil {
		return err
	}
	y, ok := f.step.inputs["y"]
	if !ok {
		return nil
	}
	if f.targets == nil {
		return y.Write(backends.Data{F32: b.Y})
	}
	f.y = f.y[:0]
	for _, i := range b.Index {
		f.y = append(f.y, f.targets[int(i)*f.classes:(int(i)+1)*f.classes]...)
	}
	return y.Write(backends.Data{F32: f.y})
}

func (f *feed) close() {
	if f.loader != nil {
		f.loader.Close()
	}
}
