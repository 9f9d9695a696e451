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
	"bayesbench/methods/exec"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// execution is one claimed job at work: where it runs, and what it tells and leaves.
type execution struct {
	*Job
	be     backends.Backend
	run    *results.Run
	store  *results.Job
	report Reporter
	pulse  *pulse
	set    *data.Set
	scorer metrics.Scorer
	rec    *record // nil until the data are open
}

// execute takes the job to its end: train, predict, score, record. What it needs must be done. It
// fails with a *stepError where the job itself is at fault, and with ctx's error, its training
// saved, where ctx ended.
func (x *execution) execute(ctx context.Context) error {
	started := time.Now()
	var err error
	if x.set, err = x.sets.Open(ctx, x.Config.Data); err != nil {
		return err
	}
	if x.scorer, err = metrics.ScorerOf(x.likelihood); err != nil {
		return err
	}
	info := x.be.Info()
	if x.outside {
		info.Kernels, info.Device = outsideComputes, outsideComputes
	}
	if info.Kernels, err = x.kernels(x.run, info.Kernels); err != nil {
		return err
	}
	x.rec = newRecord(x.Job, info, x.set)
	switch {
	case len(x.members) > 0:
	case x.outside:
		err = x.runProgram(ctx)
	default:
		err = x.train(ctx, started)
	}
	if err != nil {
		return err
	}
	x.rec.seconds["train"] += time.Since(started).Seconds()

	predicting := time.Now()
	if x.reference != nil {
		if x.rec.reference, err = x.meanPredictive(ctx, x.reference, x.test()); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	for i, p := range x.predictors() {
		if err := x.predict(ctx, i); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var s *stepError
			if !errors.As(err, &s) {
				err = &stepError{"predict " + p.Name, 0, err}
			}
			return err
		}
	}
	x.rec.seconds["predict"] = time.Since(predicting).Seconds()
	return nil
}

// train trains the job's own network, and records what the training itself gives.
func (x *execution) train(ctx context.Context, started time.Time) error {
	state, err := exec.NewState(x.be, x.plan.State)
	if err != nil {
		return err
	}
	t := &trainer{execution: x, state: state, identity: x.identity(x.be.Info().Kernels), began: started}
	if x.teacher != nil {
		e, err := x.meanPredictive(ctx, x.teacher, x.training())
		if err != nil {
			return fmt.Errorf("teacher: %w", err)
		}
		t.targets = float32s(e.Taught())
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	if err := x.rec.training(t); err != nil {
		return err
	}
	x.rec.trained, x.rec.seconds["train"] = t.Seconds, t.before
	if err := t.stability(ctx); err != nil {
		return err
	}
	if x.Config.Eval.GradientDraws > 0 {
		return t.compareGradients(ctx)
	}
	return nil
}

// predict scores one predictor at the numbers of samples that counts lists.
func (x *execution) predict(ctx context.Context, which int) error {
	p := x.predictors()[which]
	s, err := x.openKept(ctx, x.Job, p)
	if err != nil {
		return err
	}
	defer s.Close()
	c, set, rec := &x.Config, x.set, x.rec
	last := s.all()
	pred, err := s.scorer.Open(s.truth(set.Test))
	if err != nil {
		return err
	}
	test := s.on(ctx, x.test())
	var walk *chains
	if p.Chain {
		walk = newChains(x.leaves(), set.Test.Len())
	}
	var final metrics.Judged
	for k := 1; k <= last; k++ {
		if err := s.pass(test, k-1, func(d rows) error {
			logLik, err := pred.Add(d.Result)
			if walk != nil && err == nil {
				walk.add(k-1, d.First, logLik)
			}
			return err
		}); err != nil {
			return err
		}
		x.report.Predict(x.Job, p.Name, k, last)
		if !slices.Contains(s.counts, k) {
			continue
		}
		if final, err = pred.Evaluate(); err != nil {
			return err
		}
		scores, err := final.Score()
		if err != nil {
			return err
		}
		if k == last && c.Eval.Train {
			more, err := x.onTraining(ctx, s)
			if err != nil {
				return fmt.Errorf("training set: %w", err)
			}
			scores = append(scores, more...)
		}
		if rec.reference != nil {
			more, err := final.Compare(metrics.Reference, rec.reference)
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
			final.Diagrams(&rec.details, c.Data.Name, k == last)
		}
	}
	if set.Validation.Len() > 0 {
		if err := x.onValidation(ctx, s, last); err != nil {
			return fmt.Errorf("validation set: %w", err)
		}
	}
	if which == 0 {
		for _, name := range c.Eval.Shift {
			if err := x.underShift(ctx, s, name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		for _, name := range c.Eval.Attack {
			if err := x.underAttack(ctx, s, name, final); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, name := range c.Eval.OOD {
		if err := x.outOfDistribution(ctx, s, final, name, which == 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if c.Eval.Save && which == 0 {
		for _, a := range final.Arrays() {
			if err := x.store.WriteFile(a.Name+".npy", func(w io.Writer) error { return writeArray(w, a) }); err != nil {
				return &storeError{err}
			}
		}
	}
	return nil
}

// onTraining scores one posterior sample on the training set itself: whether
// the network has learnt its labels, the random ones included.
func (x *execution) onTraining(ctx context.Context, s *stream) ([]results.Value, error) {
	e, err := s.judge(s.on(ctx, x.training()), s.truth(x.set.Train), 1)
	if err != nil {
		return nil, err
	}
	scores := e.Glance()
	for i := range scores {
		scores[i].Unit = "train-" + scores[i].Unit
	}
	return scores, nil
}

// onValidation scores the predictive on the examples that data.validation holds
// out of training, for choices that must not be made on the test set.
func (x *execution) onValidation(ctx context.Context, s *stream, k int) error {
	held := x.validation()
	e, err := s.judge(s.on(ctx, held), s.truth(held.Split), k)
	if err != nil {
		return err
	}
	scores, err := e.Score()
	if err != nil {
		return err
	}
	x.rec.onValidation(s.predictor.Name, k, scores)
	return nil
}

// underShift scores the predictive on a corrupted test set.
func (x *execution) underShift(ctx context.Context, s *stream, name string) error {
	under, err := x.shifted(ctx, name)
	if err != nil {
		return err
	}
	k := s.all()
	e, err := s.judge(s.on(ctx, under), s.truth(under.Split), k)
	if err != nil {
		return err
	}
	scores, err := e.Score()
	if err != nil {
		return err
	}
	x.rec.underShift(s.predictor.Name, name, k, scores)
	return nil
}

// outOfDistribution scores how well the predictive tells another set's inputs
// from those of its own.
func (x *execution) outOfDistribution(ctx context.Context, s *stream, in metrics.Judged, name string, pictured bool) error {
	other, err := x.against(ctx, name)
	if err != nil {
		return err
	}
	k := s.all()
	out, err := s.judge(s.on(ctx, other), s.unknown(other.Split), k)
	if err != nil {
		return err
	}
	scores, err := in.Compare(metrics.OOD, out)
	if err != nil {
		return err
	}
	x.rec.outOfDistribution(s.predictor.Name, name, k, scores)
	if pictured {
		out.Spread(&x.rec.details, name)
	}
	return nil
}

// The parts of the data of which predictions are scored.
func (x *execution) test() part       { return part{"test", x.set.Test} }
func (x *execution) validation() part { return part{"validation", x.set.Validation} }
func (x *execution) training() part   { return part{"train", x.set.Train} }

// shifted is the test set under a corruption.
func (x *execution) shifted(ctx context.Context, name string) (part, error) {
	other, err := x.sets.Open(ctx, shifted(x.Config.Data, name))
	if err != nil {
		return part{}, err
	}
	return part{"shift-" + name, other.Test}, nil
}

// against is the test set of another data set, as inputs out of distribution.
func (x *execution) against(ctx context.Context, name string) (part, error) {
	other, err := x.sets.Against(ctx, x.set, name, x.Config.Data.Test)
	if err != nil {
		return part{}, err
	}
	return part{"ood-" + name, other.Test}, nil
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
	if j.choice != nil {
		m.Chosen = j.choice.made
	}
	if rec != nil {
		for name, version := range rec.versions {
			if _, ours := m.Versions[name]; !ours {
				m.Versions[name] = version
			}
		}
		m.Seconds, m.Kernels, m.Stopping = rec.seconds, rec.kernels, rec.stopping
	}
	return m
}
