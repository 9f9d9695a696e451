package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"bayesbench/cmd/benchrun/internal/external"
	"bayesbench/internal/npy"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// made is a posterior sample whose predictions another program made: of which job, and its number
// there. The job keeps them in a file for each part of the data.
type made struct {
	job    *Job
	number int
}

// madeFile is the file of posterior sample number k on a part.
func madeFile(part string, k int) string {
	return fmt.Sprintf("predicted-%s-%05d.safetensors", part, k)
}

// metaPart is the key of the part in such a file's metadata.
const metaPart = "part"

// isMade compares the part and the number of a sample.
func isMade(c *results.Checkpoint, part string, number int) error {
	if have := c.Meta[metaPart]; have != part {
		return fmt.Errorf("it is of other inputs: want %s, found %s", part, orNone(have))
	}
	return isSample(c, number)
}

// madeBytes bounds the tensors of such a file: two numbers for each number of a target are the most
// that a likelihood predicts.
func madeBytes(inputs, columns int) int64 { return 2 * 4 * int64(inputs) * int64(columns) }

// spent is what a checkpoint holds of a program instead of a progress.
type spent struct {
	Ended   bool             `json:"ended"`   // and well
	Samples int              `json:"samples"` // posterior samples that it gave
	Wall    float64          `json:"wall"`    // seconds, over all tries
	CPU     float64          `json:"cpu"`     // seconds
	Memory  float64          `json:"memory"`  // bytes, the most of any process
	Scalars external.Scalars `json:"scalars"` // that the program reported
}

func readSpent(c *results.Checkpoint) (spent, error) {
	var s spent
	if err := json.Unmarshal([]byte(c.Meta[metaProgress]), &s); err != nil {
		return s, fmt.Errorf("progress: %w", err)
	}
	for name, x := range map[string]float64{"wall": s.Wall, "cpu": s.CPU, "memory": s.Memory} {
		if err := checkReading("progress: "+name, x); err != nil {
			return s, err
		}
	}
	if s.Samples < 0 || s.Ended && s.Samples == 0 {
		return s, fmt.Errorf("progress: %d posterior samples", s.Samples)
	}
	return s, nil
}

// outsideComputes stands for kernels and device where another program computes.
const outsideComputes = "external"

// madeBy lists the samples that a job draws from, those of members in turn.
func (j *Job) madeBy(run *results.Run) ([]made, error) {
	if n := len(j.members); n > 0 {
		lists := make([][]made, n)
		for i, m := range j.members {
			var err error
			if lists[i], err = m.madeBy(run); err != nil {
				return nil, err
			}
		}
		return inTurn(lists)
	}
	c, err := j.trained(run)
	if err != nil {
		return nil, err
	}
	s, err := readSpent(c)
	if err == nil && !s.Ended {
		err = errors.New("its program has not ended")
	}
	if err != nil {
		return nil, run.Again(j.ID, fmt.Errorf("checkpoint of job %s: %w", j.ID, err))
	}
	all := make([]made, s.Samples)
	for i := range all {
		all[i] = made{j, i}
	}
	return all, nil
}

// openMade prepares to draw what the programs of j, or of its members, left.
func (x *execution) openMade(j *Job, p methods.Predictor) (*stream, error) {
	all, err := j.madeBy(x.run)
	if err != nil {
		return nil, err
	}
	s, err := x.newStream(j, p, len(all))
	if err == nil {
		s.made = all
	}
	return s, err
}

// madeOn are the samples on a part, each in one piece.
func (s *stream) madeOn(p part) drawing {
	return func(k int) iter.Seq2[rows, error] {
		return func(yield func(rows, error) bool) {
			m := s.made[k%len(s.made)]
			file := madeFile(p.name, m.number)
			c, err := s.run.Stored(m.job.ID, file, madeBytes(p.Len(), s.columns))
			if err == nil {
				err = m.job.identity("").weights(c)
				if err == nil {
					err = isMade(c, p.name, m.number)
				}
				if err != nil {
					err = s.run.Again(m.job.ID, fmt.Errorf("%s: %w", s.run.File(m.job.ID, file), err))
				}
			}
			if err != nil {
				yield(rows{}, err)
				return
			}
			yield(rows{Result: func(name string) []float32 {
				i := slices.IndexFunc(c.Tensors, func(t results.Tensor) bool { return t.Name == name })
				if i < 0 {
					return nil
				}
				return c.Tensors[i].F32
			}}, nil)
		}
	}
}

// The limits of programs that no suite changes.
const (
	grace    = 10 * time.Second // between being told to end and being killed
	maxFiles = 100_000          // files and folders in the folder at a time
)

// runProgram has the job's program train and predict, keeps its predictions, and records what the
// training itself gives. A program that has ended in an earlier try is not run again.
func (x *execution) runProgram(ctx context.Context) error {
	o := &outsideRun{execution: x, identity: x.identity(outsideComputes)}
	if err := o.resume(); err != nil {
		return err
	}
	x.rec.seconds["train"] = o.spent.Wall // of the tries before this one
	if !o.spent.Ended {
		if err := o.run(ctx); err != nil {
			return err
		}
	}
	x.rec.program(o.spent)
	return nil
}

// outsideRun takes a program to its end.
type outsideRun struct {
	*execution
	identity identity
	spent    spent
	parts    map[string]part // of which predictions are wanted
	norm     data.Normalisation
}

// resume reads what earlier tries came to.
func (o *outsideRun) resume() error {
	var before spent
	c, lost, err := o.store.LoadCheckpoint(0, func(c *results.Checkpoint) error {
		err := o.identity.bits(c)
		if err == nil {
			before, err = readSpent(c)
		}
		return err
	})
	if err != nil {
		return err
	}
	if lost != nil {
		o.report.Note(o.Job, fmt.Sprintf("starting over: %v", lost))
	}
	if c == nil {
		return nil
	}
	o.spent = before
	if !before.Ended {
		return nil
	}
	// Whole files of an ended program let it rest.
	if err := o.recall(before.Samples); errors.As(err, new(*results.ReadError)) {
		return err
	} else if err != nil {
		o.spent.Ended = false
		o.report.Note(o.Job, fmt.Sprintf("running the program again: %v", err))
	}
	return nil
}

// recall checks that the predictions of so many samples are there, and has the manifest name them.
func (o *outsideRun) recall(samples int) error {
	parts, err := o.wanted(context.Background())
	if err != nil {
		return err
	}
	for _, p := range parts {
		for k := range min(samples, o.most(p)) {
			file := madeFile(p.name, k)
			c, err := o.store.Stored(file, madeBytes(p.Len(), o.set.Columns()))
			if err == nil {
				err = o.identity.bits(c)
			}
			if err == nil {
				err = isMade(c, p.name, k)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// wanted are the parts of which predictions are wanted, in order.
func (o *outsideRun) wanted(ctx context.Context) ([]part, error) {
	c := &o.Config
	parts := []part{o.test()}
	if o.set.Validation.Len() > 0 {
		parts = append(parts, o.validation())
	}
	if c.Eval.Train {
		parts = append(parts, o.training())
	}
	for _, list := range []struct {
		names []string
		open  func(context.Context, string) (part, error)
	}{{c.Eval.Shift, o.shifted}, {c.Eval.OOD, o.against}} {
		for _, name := range list.names {
			p, err := list.open(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// most is how many samples are wanted of a part: of the training set one, as of our own methods.
func (o *outsideRun) most(p part) int {
	if p.name == o.training().name {
		return 1
	}
	return o.Config.Eval.Samples
}

// run runs the program on a new folder.
func (o *outsideRun) run(ctx context.Context) (err error) {
	folder, err := external.Open(filepath.Join(o.store.Dir, "external"))
	if err != nil {
		return &storeError{err}
	}
	defer folder.Close()
	job, err := o.give(ctx, folder)
	if err != nil {
		return err
	}
	p := o.plan.Program
	program := external.Program{
		Command: p.Command, Dir: o.Config.Method.Path("."), Folder: folder, Log: filepath.Join(o.store.Dir, "external.log"),
		Seed: job.Seed, Threads: job.Threads, Timeout: time.Duration(job.Timeout * float64(time.Second)), Disk: p.Disk,
		Files: maxFiles, Grace: grace,
	}
	taker := folder.Take(job, o.keep)
	cost, err := program.Run(ctx, func() error {
		o.pulse.beat()
		return taker.Look(false)
	})
	o.spent.add(cost)
	var taken *storeError
	switch {
	case errors.As(err, &taken):
		return taken
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return errors.Join(ctx.Err(), o.save())
	case err != nil:
		return o.failed(err)
	}
	if o.spent.Samples, err = taker.Ended(); errors.As(err, &taken) {
		return taken
	} else if err != nil {
		return o.failed(err)
	}
	if o.spent.Scalars, err = folder.Scalars(job); err != nil {
		return o.failed(err)
	}
	o.spent.Ended = true
	if err := o.save(); err != nil {
		return err
	}
	if err := folder.Clean(); err != nil {
		return &storeError{err}
	}
	return nil
}

// programPhase is the phase of a job in which a program of another runs, whose steps are not known.
const programPhase = "program"

// failed says where a program failed.
func (o *outsideRun) failed(err error) error { return &stepError{programPhase, 0, err} }

// add counts what a try took.
func (s *spent) add(c external.Cost) {
	s.Wall += c.Wall.Seconds()
	s.CPU += c.CPU.Seconds()
	s.Memory = max(s.Memory, float64(c.Memory))
}

// save stores what the tries took so far.
func (o *outsideRun) save() error {
	text, err := json.Marshal(&o.spent)
	if err != nil {
		return err
	}
	meta := o.identity.meta()
	meta[metaProgress] = string(text)
	if err := o.store.SaveCheckpoint(&results.Checkpoint{Meta: meta}); err != nil {
		return &storeError{err}
	}
	return nil
}

// give writes the folder: the arrays, and what the program is told.
func (o *outsideRun) give(ctx context.Context, folder *external.Folder) (external.Job, error) {
	c, p := &o.Config, o.plan.Program
	job := external.Job{
		Job: o.ID, Seed: c.Seed, Data: c.Data.Name, Model: c.Model.Name, Likelihood: o.likelihood,
		Examples: external.Examples{Kind: string(o.set.Kind), Shape: o.set.Shape, Normalise: c.Data.Normalise},
		Targets:  external.Targets{Classes: o.set.Classes, Names: o.set.ClassNames, Columns: o.set.Width},
		Forms:    o.scorer.Forms(), Samples: c.Eval.Samples, Epochs: p.Epochs, Batch: p.Batch,
		Threads: o.be.Info().Threads, Timeout: p.Timeout - o.spent.Wall, Disk: p.Disk, Args: p.Args,
	}
	if job.Timeout <= 0 {
		return job, o.failed(fmt.Errorf("its earlier tries took %.0f s, and its timeout is %v s (method.timeout)", o.spent.Wall, p.Timeout))
	}
	var err error
	if job.Config, err = json.Marshal(c); err != nil {
		return job, err
	}
	if o.norm, err = data.NewNormalisation(data.Scheme(c.Data.Normalise), o.set); err != nil {
		return job, err
	}
	for _, s := range o.norm.Targets() {
		job.Targets.Mean, job.Targets.SD = append(job.Targets.Mean, s.Mean), append(job.Targets.SD, s.SD)
	}
	if job.Train, err = o.giveArrays(ctx, folder, o.training()); err != nil {
		return job, err
	}
	if held := o.validation(); held.Len() > 0 {
		arrays, err := o.giveArrays(ctx, folder, held)
		if err != nil {
			return job, err
		}
		job.Validation = &arrays
	}
	if err := o.giveSets(ctx, folder, &job); err != nil {
		return job, err
	}
	if err := folder.Begin(job); err != nil {
		return job, &storeError{err}
	}
	return job, nil
}

// giveSets writes the inputs of which predictions are wanted. Those of training and validation are
// there already, with their targets.
func (o *outsideRun) giveSets(ctx context.Context, folder *external.Folder, job *external.Job) error {
	parts, err := o.wanted(ctx)
	if err != nil {
		return err
	}
	o.parts = map[string]part{}
	for _, p := range parts {
		set, err := external.NewSet(p.name, p.Len(), o.most(p))
		if err != nil {
			return err
		}
		switch {
		case p.name == o.training().name:
			set.Inputs = job.Train.Inputs
		case p.name == o.validation().name && job.Validation != nil:
			set.Inputs = job.Validation.Inputs
		default:
			if err := o.giveInputs(ctx, folder, set.Inputs, p); err != nil {
				return err
			}
		}
		o.parts[p.name] = p
		job.Inputs = append(job.Inputs, set)
	}
	return nil
}

// giveArrays writes a part's inputs and targets.
func (o *outsideRun) giveArrays(ctx context.Context, folder *external.Folder, p part) (external.Arrays, error) {
	a := external.Arrays{Inputs: p.name + "_inputs.npy", Targets: p.name + "_targets.npy", Rows: p.Len()}
	if err := o.giveInputs(ctx, folder, a.Inputs, p); err != nil {
		return a, err
	}
	if o.set.Classes > 0 {
		err := external.Write(folder, a.Targets, []int{p.Len()}, func(w *npy.Writer[int64]) error {
			for _, label := range data.Labels(p.Split) {
				if err := w.Write([]int64{int64(label)}); err != nil {
					return err
				}
			}
			return nil
		})
		return a, stored(ctx, err)
	}
	columns := o.set.Columns()
	err := external.Write(folder, a.Targets, []int{p.Len(), columns}, func(w *npy.Writer[float32]) error {
		for b, err := range o.stream().batches(ctx, p.Split) {
			if err != nil {
				return err
			}
			if err := w.Write(b.Y.F32[:b.Valid*columns]); err != nil {
				return err
			}
		}
		return nil
	})
	return a, stored(ctx, err)
}

// giveInputs writes a part's inputs as our networks see them.
func (o *outsideRun) giveInputs(ctx context.Context, folder *external.Folder, name string, p part) error {
	size := o.set.Examples.Size()
	err := external.Write(folder, name, append([]int{p.Len()}, o.set.Shape...), func(w *npy.Writer[float32]) error {
		for b, err := range o.stream().batches(ctx, p.Split) {
			if err != nil {
				return err
			}
			if err := w.Write(b.X.F32[:b.Valid*size]); err != nil {
				return err
			}
		}
		return nil
	})
	return stored(ctx, err)
}

// stream is one that has batches and no samples.
func (o *outsideRun) stream() *stream {
	return &stream{rows: o.Config.Eval.Batch, norm: o.norm, pulse: o.pulse}
}

// stored is an error of the run directory, unless ctx has ended.
func stored(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &storeError{err}
}

// keep checks a prediction of the program's and stores it as a predict program's results.
func (o *outsideRun) keep(p external.Prediction) error {
	of := o.parts[p.Set.Name]
	truth := metrics.Truth{Inputs: of.Len(), Columns: o.set.Columns()}
	values, err := o.scorer.Results(truth, metrics.Foreign{Form: p.Form, Shape: p.Array.Shape, Numbers: p.Array.Float64s})
	if err != nil {
		return err
	}
	c := &results.Checkpoint{Meta: o.identity.meta()}
	c.Meta[metaPart], c.Meta[metaSample] = of.name, fmt.Sprint(p.Number)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		c.Tensors = append(c.Tensors, results.Tensor{Name: name, Shape: []int{truth.Inputs, len(v) / truth.Inputs}, F32: v})
	}
	if err := o.store.WriteFile(madeFile(of.name, p.Number), func(w io.Writer) error { return results.WriteCheckpoint(w, c) }); err != nil {
		return &storeError{err}
	}
	if of.name == o.test().name {
		o.report.Predict(o.Job, o.predictors()[0].Name, p.Number+1, max(p.Number+1, p.Set.Samples))
	}
	return nil
}

// program records what another program took, and what it reported.
func (r *record) program(s spent) {
	scores := []results.Value{{Unit: "program-sec", Value: s.Wall}, {Unit: "program-cpu-sec", Value: s.CPU}}
	if s.Memory > 0 {
		scores = append(scores, results.Value{Unit: "peak-B", Value: s.Memory})
	}
	reported := func(unit string, value *float64) {
		if value != nil && !math.IsNaN(*value) {
			scores = append(scores, results.Value{Unit: unit, Value: *value})
		}
	}
	reported("train-sec", s.Scalars.TrainSeconds)
	reported("parameters", s.Scalars.Parameters)
	reported("kl", s.Scalars.KL)
	r.versions = s.Scalars.Versions
	if s.Scalars.TrainSeconds != nil {
		r.trained = *s.Scalars.TrainSeconds
	}
	var layers []results.Layer
	for _, w := range s.Scalars.Weights {
		layers = append(layers, results.Layer{Name: w.Layer, Weights: w.Weights, NonZero: w.NonZero})
	}
	r.add(nil, 0, append(scores, r.layers(layers)...))
}
