package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// choice is how a job's settings are chosen on examples held out of training. The job's predictive
// is that of its one member: the candidate whose trial has the smallest metric, trained on all
// training examples. Which one that is, is known when the trials are done.
type choice struct {
	rule       suites.Choose
	candidates []suites.Candidate
	trials     []*Job   // of the candidates, in order
	predictor  string   // by which trials are scored
	made       string   // the settings chosen, and why; "" before
	apart      []string // see Apart
	planner    *planner
}

// addChosen is the job of a configuration whose method chooses its settings, with the trials before
// it. All candidates are planned, so that none is refused later.
func (p *planner) addChosen(ctx context.Context, c suites.Config, depth int) (*Job, error) {
	rule, candidates, err := c.Candidates()
	if err != nil {
		return nil, err
	}
	j := &Job{ID: c.ID(), Config: c, sets: p.sets, choice: &choice{rule: rule, candidates: candidates, planner: p}}
	for i, candidate := range candidates {
		trial, err := p.add(ctx, candidate.Trial, depth+1)
		if unfit := new(data.OptionError); errors.As(err, &unfit) && unfit.Option == "validation_last" {
			return nil, c.Errorf("method.choose.holdout", "method.choose.holdout: %w", unfit)
		}
		if err != nil {
			return nil, err
		}
		j.choice.trials = append(j.choice.trials, trial)
		j.Needs = append(j.Needs, trial)
		final, err := p.final(ctx, candidate)
		if err != nil {
			return nil, err
		}
		for _, k := range withNeeds(final) {
			j.choice.apart = append(j.choice.apart, k.ID)
		}
		if i > 0 {
			continue
		}
		// Until the trials are done, the first candidate stands for the one to be chosen.
		j.members = []*Job{final}
		j.setup = &setup{
			model: final.model, likelihood: final.likelihood, splits: final.splits,
			method: final.method, outside: final.outside, plan: &methods.Plan{},
		}
	}
	if err := j.choosable(); err != nil {
		return nil, err
	}
	set, err := p.sets.Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	forget, err := j.members[0].prepare(ctx)
	defer forget()
	if err != nil {
		return nil, err
	}
	j.choice.predictor = j.predictors()[0].Name
	j.estimatePredictions(set)
	j.FLOPs = j.flops
	for _, n := range withNeeds(j.members[0]) {
		j.FLOPs += n.FLOPs
		j.TrainFLOPs += n.TrainFLOPs
	}
	p.byID[j.ID] = j
	p.order = append(p.order, j)
	return j, nil
}

// Apart lists the ids of jobs that are not of the suite and that the job may have trained: the
// candidates among which it chooses, on all training examples, with all that they need.
func (j *Job) Apart() []string {
	if j.choice == nil {
		return nil
	}
	return j.choice.apart
}

// final plans a candidate that is trained on all training examples, apart from the jobs of the
// suite: it is one of them only if it is chosen.
func (p *planner) final(ctx context.Context, candidate suites.Candidate) (*Job, error) {
	apart := &planner{suite: p.suite, sets: p.sets, byID: map[string]*Job{}, setups: p.setups, listed: p.listed, hashes: p.hashes}
	return apart.add(ctx, candidate.Final, 1)
}

// choosable refuses a metric that the trials do not have, or that improves upwards.
func (j *Job) choosable() error {
	for _, m := range metrics.List() {
		if m.Unit == j.choice.rule.Metric && m.Family == metrics.Test && string(m.Kind) == j.likelihood {
			if m.Better == results.Lower {
				return nil
			}
			break
		}
	}
	return j.Config.Method.Errorf("choose.metric", "method.choose.metric: want a metric of predictions under the likelihood %q that improves downwards, found %q",
		j.likelihood, j.choice.rule.Metric)
}

// decide reads the trials, which are done, and makes the candidate with the smallest metric the
// job's member; of several the first.
func (j *Job) decide(ctx context.Context, run *results.Run) error {
	best, least := -1, 0.0
	for i, trial := range j.choice.trials {
		x, err := trial.heldOut(run, j.choice.predictor, j.choice.rule.Metric)
		if err != nil {
			return fmt.Errorf("trial %s (%s): %w", j.choice.candidates[i].Settings, trial.ID, err)
		}
		if best < 0 || x < least {
			best, least = i, x
		}
	}
	final, err := j.choice.planner.final(ctx, j.choice.candidates[best])
	if err != nil {
		return err
	}
	j.members = []*Job{final}
	j.choice.made = fmt.Sprintf("%s has the smallest %s of %d candidates on held-out examples, %s", j.choice.candidates[best].Settings,
		j.choice.rule.Metric, len(j.choice.candidates), strconv.FormatFloat(least, 'g', 4, 64))
	return nil
}

// heldOut is the metric of a finished trial on the examples held out of its training, by a
// predictor at its largest K.
func (j *Job) heldOut(run *results.Run, predictor, unit string) (float64, error) {
	records, err := run.Records(j.ID)
	if err != nil {
		return 0, err
	}
	x, samples := 0.0, -1
	for _, r := range records {
		is := func(key, value string) bool { return slices.Contains(r.Sweep, results.Pair{Key: key, Value: value}) }
		if !is("split", "validation") || !is("predict", predictor) || r.Samples < samples {
			continue
		}
		for _, v := range r.Values {
			if v.Unit == unit {
				x, samples = v.Value, r.Samples
			}
		}
	}
	if samples < 0 {
		return 0, fmt.Errorf("want %s on the validation split, found none", unit)
	}
	return x, nil
}

// trainChosen decides which candidate the job's member is, and has it trained with all that it
// needs.
func (a *attempts) trainChosen(ctx context.Context, j *Job) error {
	if err := j.decide(ctx, a.run); err != nil {
		return err
	}
	a.report.Note(j, j.choice.made)
	return a.ensure(ctx, j.members[0])
}

// ensure has a job done that is not one of the suite's, after all that it needs.
func (a *attempts) ensure(ctx context.Context, j *Job) error {
	for _, n := range j.Needs {
		if err := a.ensure(ctx, n); err != nil {
			return err
		}
	}
	done, err := j.done(a.run)
	if done || err != nil {
		return err
	}
	_, err = a.attempt(ctx, j)
	return err
}

// withNeeds is the job and all that it needs, each once.
func withNeeds(j *Job) []*Job {
	var out []*Job
	var visit func(k *Job)
	visit = func(k *Job) {
		if slices.Contains(out, k) {
			return
		}
		for _, n := range k.Needs {
			visit(n)
		}
		out = append(out, k)
	}
	visit(j)
	return out
}
