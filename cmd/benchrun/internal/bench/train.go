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
	"strings"
	"time"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/results"
	"bayesbench/results/metrics"
)

// saveEvery is how much training a kill may cost.
const saveEvery = 20 * time.Second

// trainer takes a plan through its stages.
type trainer struct {
	*execution
	state   *exec.State
	targets []float32 // the teacher's [examples columns], nil without one
	curve   results.Curve

	progress
	identity identity
	total    int       // steps of all stages
	began    time.Time // when this process took the job up
	before   float64   // seconds in the phase, of the processes before
	warm     bool      // the first stretch of this process is over
	saved    time.Time
	watcher  *exec.Program      // the plan's report program, nil without one
	final    map[string]float64 // what the report says at the end
}

// stepError says where a job failed.
type stepError struct {
	phase string
	step  int
	err   error
}

func (e *stepError) Error() string {
	if e.phase == programPhase {
		return fmt.Sprintf("%s: %v", e.phase, e.err)
	}
	return fmt.Sprintf("%s, step %d: %v", e.phase, e.step, e.err)
}
func (e *stepError) Unwrap() error { return e.err }

// run trains from the newest checkpoint, or from the start. When ctx ends it
// saves and returns ctx's error.
func (t *trainer) run(ctx context.Context) error {
	plan := t.plan
	for _, s := range plan.Stages {
		t.total += s.Steps
	}
	if err := t.resume(); err != nil {
		return err
	}
	if plan.Report != nil {
		w, err := t.state.Bind(plan.Report)
		if err != nil {
			return err
		}
		t.watcher = w
		defer w.Close()
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
		if t.final, err = t.watcher.Scalars(); err != nil {
			return err
		}
	}
	return t.save()
}

// resume loads the newest checkpoint that this training can go on from, or starts it.
func (t *trainer) resume() error {
	c, lost, err := t.store.LoadCheckpoint(exec.Bytes(t.plan.State), t.accept)
	if err != nil {
		return err
	}
	if c == nil {
		return t.startOver(lost)
	}
	at, err := readProgress(c, t.plan)
	if err != nil {
		return err // accept has read it
	}
	if err := t.recall(c, at); errors.As(err, new(*results.ReadError)) {
		return err
	} else if err != nil {
		return t.startOver(err)
	}
	if lost != nil {
		t.report.Note(t.Job, fmt.Sprintf("going on from the checkpoint before: %v", lost))
	}
	t.progress, t.before = at, at.Pace.Wall
	return t.state.Restore(valuesOf(c.Tensors))
}

// startOver initialises the slots. Lost says why the training begins anew, nil if it never began.
func (t *trainer) startOver(lost error) error {
	if lost != nil {
		t.report.Note(t.Job, fmt.Sprintf("starting over: %v", lost))
	}
	t.progress = progress{Sums: map[string]float64{}}
	t.curve = results.Curve{Columns: t.columns()}
	return t.state.Initialise(t.Config.Seed)
}

// accept reports why the training cannot go on from a checkpoint.
func (t *trainer) accept(c *results.Checkpoint) error {
	if err := t.identity.bits(c); err != nil {
		return err
	}
	if _, err := readProgress(c, t.plan); err != nil {
		return err
	}
	return t.state.Fits(valuesOf(c.Tensors))
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
	if w := at.Watch; w != nil && w.Best > 0 {
		if _, err := t.best(w.Best); err != nil {
			return err
		}
	}
	for i := range at.Kept {
		c, err := t.store.Stored(keptFile(i), exec.Bytes(t.plan.State))
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
	columns := []string{"step", "epoch", "stage", "loss", "nll", "kl", "kl-weight", "lr", "sparsity"}
	for _, split := range t.watched() {
		for _, unit := range t.scorer.Headline()[:2] {
			columns = append(columns, split.name+"-"+unit)
		}
	}
	if r := t.plan.Report; r != nil && slices.ContainsFunc(r.Results, func(r ir.Result) bool { return r.Name == "accept_rate" }) {
		columns = append(columns, "accept-rate", "step-size")
	}
	return append(columns, "seconds")
}

// watched are the splits on which the curve has metrics.
func (t *trainer) watched() []part {
	splits := []part{{"test", t.set.Test}}
	if t.set.Validation.Len() > 0 {
		splits = append(splits, part{"validation", t.set.Validation})
	}
	return splits
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
	ts, err := tensorsOf(t.state.Values())
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
	stage, err := t.state.Stage(t.plan, t.Stage, t.Step, t.Config.Seed)
	if err != nil {
		return err
	}
	defer stage.Close()
	feed, err := newFeed(ctx, t, stage.Reads("x"), s.FullBatch)
	if err != nil {
		return err
	}
	defer feed.close()
	fail := func(err error) error { return &stepError{"train", t.Before + t.Step, err} }

	// account waits for the device and adds up the scalars of the steps since it last did.
	account := func() error {
		steps, err := stage.Scalars()
		if err != nil {
			return fail(err)
		}
		for i, scalars := range steps {
			for j, name := range stage.ScalarNames() {
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
	for step, err := range stage.Steps(ctx, feed) {
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			if e := account(); e != nil {
				return e
			}
			if t.Step > lastStep {
				look()
			}
			return errors.Join(ended, t.save())
		}
		if err != nil {
			return fail(err)
		}
		t.pulse.beat()
		t.Count++
		t.Step = step.Done
		epochEnds := t.Step%feed.steps == 0 || t.Step == s.Steps
		due := epochEnds || time.Since(last) > 200*time.Millisecond
		if step.Keep || due {
			if err := account(); err != nil {
				return err
			}
		}
		if step.Keep {
			if err := t.keep(s.Kept); err != nil {
				return fail(err)
			}
		}
		if due {
			t.report.Train(t.Job, t.Before+t.Step, t.total, look())
			if epochEnds {
				row, err := t.measure(s, feed.steps)
				if err != nil {
					return fail(err)
				}
				last, err := t.judge(row)
				if err != nil {
					return fail(err)
				}
				if last { // and not saved before: it would go on from there
					stage.Stop()
					break
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
	if err := t.takeBest(); err != nil {
		return fail(err)
	}
	if err := stage.Finish(); err != nil {
		return &stepError{s.Name, t.Before + t.Step, err}
	}
	return nil
}

// measure adds the row of an epoch to the curve, and returns it.
func (t *trainer) measure(s *methods.Stage, epoch int) (map[string]float64, error) {
	mean := func(name string) float64 {
		if x, ok := t.Sums[name]; ok && t.Count > 0 {
			return x / float64(t.Count)
		}
		return math.NaN()
	}
	step := t.Before + t.Step
	row := map[string]float64{
		"step": float64(step), "epoch": float64(step) / float64(epoch), "stage": float64(t.Stage),
		"loss": mean("loss"), "nll": mean("nll"), "kl": mean("kl"),
		"seconds": t.Seconds,
	}
	for name, value := range s.Schedules {
		row[columnOf(name)] = value.At(t.Step - 1)
	}
	if t.watcher != nil {
		rep, err := t.watcher.Scalars()
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"accept_rate", "step_size"} {
			row[columnOf(name)] = rep[name]
		}
		if layers := layersLeft(t.plan, rep); len(layers) > 0 {
			row["sparsity"] = metrics.Sparsity(metrics.Total(layers))
		}
	}
	if splits := t.due(int(row["epoch"])); len(splits) > 0 && len(t.plan.Predictors) > 0 {
		scores, err := t.glance(splits)
		if err != nil {
			return nil, err
		}
		for i, split := range splits {
			for _, v := range scores[i] {
				row[split.name+"-"+v.Unit] = v.Value
			}
		}
	}
	cells := make([]float64, len(t.curve.Columns))
	for i, c := range t.curve.Columns {
		x, ok := row[c]
		if !ok {
			x = math.NaN() // not measured in this epoch
		}
		cells[i] = x
	}
	t.curve.Append(cells...)
	t.Sums, t.Count = map[string]float64{}, 0
	return row, nil
}

// due are the splits on which the network is measured after an epoch.
func (t *trainer) due(epoch int) []part {
	splits := t.watched()
	if every := t.Config.Eval.Every; every > 0 && epoch%every == 0 {
		return splits
	}
	if !t.stops() {
		return nil
	}
	return slices.DeleteFunc(splits, func(s part) bool { return s.name+"-" != onValidation })
}

// columnOf is the curve's column of a scalar that a plan names: kl-weight of kl_weight.
func columnOf(scalar string) string { return strings.ReplaceAll(scalar, "_", "-") }

// keep stores the slots as posterior sample number t.Kept.
func (t *trainer) keep(names []string) error {
	ts, err := tensorsOf(t.state.Values(names...))
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

// layersLeft counts each layer's weights and those that prediction uses.
func layersLeft(p *methods.Plan, report map[string]float64) []results.Layer {
	var out []results.Layer
	for _, w := range p.Weights {
		if n, ok := report["nonzero/"+w.Layer]; ok {
			out = append(out, results.Layer{Name: w.Layer, Weights: w.Size, NonZero: int(n)})
		}
	}
	return out
}
