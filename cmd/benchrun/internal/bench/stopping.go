package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// epochWatch is what early stopping has seen, in a checkpoint. Each epoch is measured on the
// validation split; the training ends when train.patience epochs in a row were not better than the
// best one by more than train.min_delta, and the weights are then those of the best. Prechelt,
// "Early stopping – but when?", 1998.
type epochWatch struct {
	Epochs int     `json:"epochs"` // that were measured
	Best   int     `json:"best"`   // the best of them, from 1; 0 before one is finite
	Value  float64 `json:"value"`  // of the best
}

// see takes an epoch in. It reports whether the epoch is the best so far, and whether it is the
// last: a value that is not finite is no best.
func (w *epochWatch) see(value, minDelta float64, patience int) (best, last bool) {
	w.Epochs++
	if !math.IsNaN(value) && !math.IsInf(value, 0) && (w.Best == 0 || value < w.Value-minDelta) {
		w.Best, w.Value = w.Epochs, value
		return true, false
	}
	return false, w.Epochs-w.Best >= patience
}

// check reports what no training of so many epochs can have seen.
func (w *epochWatch) check(epochs int) error {
	switch {
	case w == nil:
		return nil
	case w.Epochs < 0 || w.Epochs > epochs:
		return fmt.Errorf("watch: %d epochs, want 0 to %d", w.Epochs, epochs)
	case w.Best < 0 || w.Best > w.Epochs:
		return fmt.Errorf("watch: the best epoch is %d of %d", w.Best, w.Epochs)
	case math.IsNaN(w.Value) || math.IsInf(w.Value, 0):
		return fmt.Errorf("watch: the best value is %v", w.Value)
	}
	return nil
}

// stoppable refuses early stopping where nothing is held out to measure on, by a metric that no
// epoch is measured by, and of a plan that has no best epoch.
func (j *Job) stoppable(set *data.Set) error {
	c := &j.Config
	unit := c.Train.EarlyStopping
	if unit == "" || len(j.plan.Members) > 0 { // whose members stop, each by itself
		return nil
	}
	const key = "train.early_stopping"
	scorer, err := metrics.ScorerOf(j.likelihood)
	if err != nil {
		return err
	}
	if units := scorer.Headline()[:2]; !slices.Contains(units, unit) {
		return c.Errorf(key, "%s: want one of %q, which each epoch is measured by, found %q", key, units, unit)
	}
	if set.Validation.Len() == 0 {
		return c.Errorf(key, "%s: want examples held out of training to measure on, found none; set data.validation", key)
	}
	if why := unstoppable(j.plan); why != "" {
		return c.Errorf(key, "%s: %s %s; say early_stopping = \"\" in its [method.train]", key, c.Method.Label(), why)
	}
	return nil
}

// unstoppable is why the training by a plan has no best epoch to stop at, "" where it has one: its
// first stage alone descends, and what comes after reads the weights that were reached.
func unstoppable(p *methods.Plan) string {
	descents := 0
	for i := range p.Stages {
		if descends(&p.Stages[i]) {
			descents++
		}
	}
	switch {
	case p.Program != nil:
		return "" // it is told the rule, as all of [train]
	case p.Sampler != nil || p.Predictors[0].Kept:
		return "draws from states that it keeps, and the best of them is not the posterior"
	case descents != 1 || !descends(&p.Stages[0]):
		return fmt.Sprintf("trains in %d stages, whose lengths are its settings", descents)
	}
	return ""
}

// descends reports whether a stage's steps are those of an optimiser.
func descends(s *methods.Stage) bool {
	_, ok := s.Schedules["lr"]
	return ok
}

// stops reports whether the training may stop in the stage at hand.
func (t *trainer) stops() bool { return t.Config.Train.EarlyStopping != "" && t.Stage == 0 }

// bestFile holds the state after the best epoch so far.
const bestFile = "best.safetensors"

// judge takes the epoch that a row of the curve is of in, and reports whether it is the last.
func (t *trainer) judge(row map[string]float64) (last bool, err error) {
	rule := &t.Config.Train
	if !t.stops() {
		return false, nil
	}
	if t.Watch == nil {
		t.Watch = &epochWatch{}
	}
	best, last := t.Watch.see(row[onValidation+rule.EarlyStopping], rule.MinDelta, rule.Patience)
	if best {
		if err := t.keepBest(); err != nil {
			return false, err
		}
	}
	return last, nil
}

// onValidation is what the curve's columns of the validation split begin with.
const onValidation = "validation-"

// keepBest stores the state as that of the best epoch.
func (t *trainer) keepBest() error {
	ts, err := tensorsOf(t.state.Values())
	if err != nil {
		return err
	}
	c := &results.Checkpoint{Meta: t.identity.meta(), Tensors: ts}
	c.Meta[metaSample] = strconv.Itoa(t.Watch.Best)
	if err := t.store.WriteFile(bestFile, func(w io.Writer) error { return results.WriteCheckpoint(w, c) }); err != nil {
		return &storeError{err}
	}
	return nil
}

// best reads the state of the best epoch, or of one that came after it: a training that goes on
// from a checkpoint finds what it stored later and then makes that again.
func (t *trainer) best(epoch int) (c *results.Checkpoint, err error) {
	if c, err = t.store.Stored(bestFile, exec.Bytes(t.plan.State)); err == nil {
		err = t.identity.bits(c)
	}
	if err == nil {
		err = t.state.Fits(valuesOf(c.Tensors))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", bestFile, err)
	}
	if at, err := strconv.Atoi(c.Meta[metaSample]); err != nil || at < epoch {
		return nil, fmt.Errorf("%s: want the state after epoch %d, found %s", bestFile, epoch, orNone(c.Meta[metaSample]))
	}
	return c, nil
}

// takeBest ends a training under early stopping: the state becomes that of the best epoch.
func (t *trainer) takeBest() error {
	w, unit := t.Watch, t.Config.Train.EarlyStopping
	if !t.stops() {
		return nil
	}
	if w == nil || w.Best == 0 {
		return fmt.Errorf("early stopping: %s on the validation split is not finite after any epoch", unit)
	}
	c, err := t.best(w.Best)
	if err == nil {
		err = isSample(c, w.Best)
	}
	if err != nil {
		return err
	}
	t.report.Note(t.Job, fmt.Sprintf("trained for %d of %d epochs; the best is epoch %d, with %s = %.4g on the validation split",
		w.Epochs, t.Config.Train.Epochs, w.Best, unit, w.Value))
	return t.state.Restore(valuesOf(c.Tensors))
}

// stopping is what a manifest says of the watch, nil without one.
func (t *trainer) stopping() *results.Stopping {
	if t.Watch == nil {
		return nil
	}
	return &results.Stopping{Metric: t.Config.Train.EarlyStopping, Epochs: t.Watch.Epochs, Best: t.Watch.Best, Value: t.Watch.Value}
}
