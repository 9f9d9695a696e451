package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"bayesbench/backends"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// execute runs one claimed job to its end: train, predict, score, record. What
// it needs must be done. It fails with a *stepError where the job itself is at
// fault, and with ctx's error, its training saved, where ctx ended.
func (j *Job) execute(ctx context.Context, be backends.Backend, run *results.Run, store *results.Job, report Reporter, pulse *pulse) (*record, error) {
	started := time.Now()
	c := &j.Config
	set, err := j.sets.Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	info := be.Info()
	if info.Kernels, err = j.kernels(run, info.Kernels); err != nil {
		return nil, err
	}
	rec := newRecord(j, info, set)
	if len(j.members) == 0 {
		st, err := newState(be, j.plan.State)
		if err != nil {
			return rec, err
		}
		t := &trainer{
			job: j, be: be, store: store, report: report, pulse: pulse, state: st, set: set,
			identity: j.identity(be.Info().Kernels), began: started,
		}
		if j.teacher != nil {
			e, err := j.teacher.meanPredictive(ctx, be, pulse, run, set, set.Train)
			if err != nil {
				return rec, fmt.Errorf("teacher: %w", err)
			}
			t.targets = float32s(e.P)
		}
		if err := t.run(ctx); err != nil {
			return rec, err
		}
		if err := rec.training(t); err != nil {
			return rec, err
		}
		rec.trained, rec.seconds["train"] = t.Seconds, t.before
		if err := t.stability(ctx, rec); err != nil {
			return rec, err
		}
		if c.Eval.GradientDraws > 0 {
			if err := t.compareGradients(ctx, rec); err != nil {
				return rec, err
			}
		}
	}
	rec.seconds["train"] += time.Since(started).Seconds()

	predicting := time.Now()
	if j.reference != nil {
		if rec.reference, err = j.reference.meanPredictive(ctx, be, pulse, run, set, set.Test); err != nil {
			return rec, fmt.Errorf("reference: %w", err)
		}
	}
	truth := data.Labels(set.Test)
	for i, p := range j.predictors() {
		if err := j.predict(ctx, be, pulse, run, store, report, rec, i, truth, set); err != nil {
			if ctx.Err() != nil {
				return rec, ctx.Err()
			}
			var s *stepError
			if !errors.As(err, &s) {
				err = &stepError{"predict " + p.Name, 0, err}
			}
			return rec, err
		}
	}
	rec.seconds["predict"] = time.Since(predicting).Seconds()
	return rec, nil
}

// predict scores one predictor at the numbers of samples that counts lists.
func (j *Job) predict(ctx context.Context, be backends.Backend, pulse *pulse, run *results.Run, store *results.Job, report Reporter, rec *record, which int, truth []int, set *data.Set) error {
	p := j.predictors()[which]
	states, err := j.storedStates(run, p)
	if err != nil {
		return err
	}
	s, err := j.openStream(ctx, be, pulse, states, p, set)
	if err != nil {
		return err
	}
	defer s.close()
	c := &j.Config
	last := s.all()
	pred := metrics.NewPredictive(set.Test.Len(), set.Classes)
	test := s.batches(ctx, set.Test)
	var walk *chains
	if p.Chain {
		walk = newChains(j.leaves(), set.Classes, truth)
	}
	var final *metrics.Evaluation
	for k := 1; k <= last; k++ {
		row := 0
		if err := s.pass(test, k-1, func(logp []float32) error {
			if walk != nil {
				walk.add(k-1, row, logp)
			}
			row += len(logp) / set.Classes
			return pred.Add(metrics.LogProbs, logp)
		}); err != nil {
			return err
		}
		report.Predict(j, p.Name, k, last)
		if !slices.Contains(s.counts, k) {
			continue
		}
		if final, err = pred.Evaluate(truth); err != nil {
			return err
		}
		scores, err := final.Score()
		if err != nil {
			return err
		}
		if k == last && c.Eval.Train {
			more, err := j.onTraining(ctx, s, set)
			if err != nil {
				return fmt.Errorf("training set: %w", err)
			}
			scores = append(scores, more...)
		}
		if rec.reference != nil {
			more, err := metrics.ScoreReference(final, rec.reference)
			if err != nil {
				return err
			}
			scores = append(scores, more...)
		}
		if k == last && walk != nil {
			more, err := walk.score(rec.trained)
			if err != nil {
				return err
			}
			scores = append(scores, more...)
		}
		rec.predictive(p.Name, k, scores, s.passes, set.Test.Len())
		if which == 0 {
			rec.pictures(final, k, k == last)
		}
	}
	if set.Validation.Len() > 0 {
		if err := j.onValidation(ctx, s, last, rec, set); err != nil {
			return fmt.Errorf("validation set: %w", err)
		}
	}
	if which == 0 {
		for _, name := range c.Eval.Shift {
			if err := j.underShift(ctx, s, name, last, truth, rec); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		for _, name := range c.Eval.Attack {
			if err := j.underAttack(ctx, s, name, last, final, truth, rec, set); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, name := range c.Eval.OOD {
		if err := j.outOfDistribution(ctx, s, set, final, name, last, rec, p.Name, which == 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if c.Eval.Save && which == 0 {
		err := errors.Join(
			store.WriteFile("predictions.npy", func(w io.Writer) error { return writePredictions(w, final) }),
			store.WriteFile("labels.npy", func(w io.Writer) error { return writeLabels(w, truth) }))
		if err != nil {
			return &storeError{err}
		}
	}
	return nil
}

// onTraining scores one posterior sample on the training set itself: whether
// the network has learnt its labels, the random ones included.
func (j *Job) onTraining(ctx context.Context, s *stream, set *data.Set) ([]metrics.Score, error) {
	e, err := s.predictive(s.batches(ctx, set.Train), set.Train.Len(), 1, data.Labels(set.Train))
	if err != nil {
		return nil, err
	}
	return []metrics.Score{{Unit: "train-error", Value: metrics.Error(e)}, {Unit: "train-nll", Value: metrics.NLL(e)}}, nil
}

// onValidation scores the predictive on the examples that data.validation holds
// out of training, for choices that must not be made on the test set.
func (j *Job) onValidation(ctx context.Context, s *stream, k int, rec *record, set *data.Set) error {
	e, err := s.predictive(s.batches(ctx, set.Validation), set.Validation.Len(), k, data.Labels(set.Validation))
	if err != nil {
		return err
	}
	scores, err := e.Score()
	if err != nil {
		return err
	}
	rec.onValidation(s.predictor.Name, k, scores)
	return nil
}

// underShift scores the predictive on a corrupted test set.
func (j *Job) underShift(ctx context.Context, s *stream, name string, k int, truth []int, rec *record) error {
	c := &j.Config
	other, err := j.sets.Open(ctx, shifted(c.Data, name))
	if err != nil {
		return err
	}
	e, err := s.predictive(s.batches(ctx, other.Test), other.Test.Len(), k, truth)
	if err != nil {
		return err
	}
	scores, err := e.Score()
	if err != nil {
		return err
	}
	rec.underShift(s.predictor.Name, name, k, scores)
	return nil
}

// outOfDistribution scores how well the predictive tells another set's inputs
// from those of its own.
func (j *Job) outOfDistribution(ctx context.Context, s *stream, set *data.Set, in *metrics.Evaluation, name string, k int, rec *record, predictor string, pictured bool) error {
	c := &j.Config
	other, err := j.sets.Against(ctx, set, name, c.Data.Test)
	if err != nil {
		return err
	}
	out, err := s.predictive(s.batches(ctx, other.Test), other.Test.Len(), k, nil)
	if err != nil {
		return err
	}
	scores, err := metrics.ScoreOOD(in, out)
	if err != nil {
		return err
	}
	rec.outOfDistribution(predictor, name, k, scores)
	if pictured {
		rec.histogram(name, out, k)
	}
	return nil
}

// dataNames are the sets that the job reads.
func (j *Job) dataNames() []string { return append([]string{j.Config.Data.Name}, j.Config.Eval.OOD...) }

// manifest is what stands beside a job's records.
func (j *Job) manifest(be backends.Info, rec *record, started time.Time) results.Manifest {
	config, err := json.Marshal(&j.Config)
	if err != nil {
		panic(err) // the id is made of the same text
	}
	m := results.Manifest{
		Config: config, Started: started.UTC(), Machine: machine(be),
		Versions: map[string]string{"bayesbench": Version(), "go": runtime.Version(), be.Name: be.Version},
		Data:     j.data(), Kernels: be.Kernels,
		Skipped: j.sets.Skipped(j.dataNames()...),
	}
	if rec != nil {
		m.Seconds, m.Kernels = rec.seconds, rec.kernels
	}
	return m
}
