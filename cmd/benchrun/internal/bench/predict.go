package bench

import (
	"context"
	"fmt"
	"time"

	"bayesbench/backends"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// stream draws log-probability matrices, one posterior sample a call.
type stream struct {
	be        backends.Backend
	predictor methods.Predictor
	rows      int // of a batch
	norm      data.Normalisation
	prog      *program
	state     *state
	states    []stored
	counts    []int   // the numbers of samples at which the predictive is scored
	loaded    int     // which of states is in the buffers; -1 none
	noise     rng.Key // of the sample chosen
	logp      []float32
	classes   int
	passes    []float64 // seconds of each pass in the program: its median batch times their number
	pulse     *pulse
	refresh   *refresher // nil where the predictor needs none
}

// stored is one set of weights that the predictive draws from.
type stored struct {
	seed uint32
	load func() ([]results.Tensor, error)
}

// all is how many samples the predictive takes.
func (s *stream) all() int { return s.counts[len(s.counts)-1] }

// predictors lists what a job's predictive may be drawn by: those of the plan,
// or for one made of members those of its first member.
func (j *Job) predictors() []methods.Predictor {
	for len(j.members) > 0 {
		j = j.members[0]
	}
	return j.plan.Predictors
}

// leaf is the job whose predict programs are run.
func (j *Job) leaf() *Job {
	for len(j.members) > 0 {
		j = j.members[0]
	}
	return j
}

// leaves counts the trained networks, or Markov chains, that the job's posterior
// samples come from: the members of its members.
func (j *Job) leaves() int {
	n := 1
	for ; len(j.members) > 0; j = j.members[0] {
		n *= len(j.members)
	}
	return n
}

// storedStates lists the weights that a predictor of the job draws from, those
// of members in turn.
func (j *Job) storedStates(run *results.Run, p methods.Predictor) ([]stored, error) {
	if n := len(j.members); n > 0 {
		lists := make([][]stored, n)
		for i := range lists {
			var err error
			if lists[i], err = j.members[i].storedStates(run, p); err != nil {
				return nil, err
			}
		}
		return inTurn(lists)
	}
	seed := j.Config.Seed
	if !p.Kept {
		return []stored{{seed, func() ([]results.Tensor, error) { return tensors(j.trained(run)) }}}, nil
	}
	last, err := j.trained(run)
	if err != nil {
		return nil, err
	}
	at, err := readProgress(last, j.plan)
	if err != nil {
		return nil, run.Again(j.ID, fmt.Errorf("checkpoint of job %s: %w", j.ID, err))
	}
	var out []stored
	for i := range at.Kept {
		out = append(out, stored{seed, func() ([]results.Tensor, error) { return tensors(j.kept(run, i)) }})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("predictor %s: no posterior sample was kept", p.Name)
	}
	return out, nil
}

// trained returns the checkpoint of the job's training, which is over.
func (j *Job) trained(run *results.Run) (*results.Checkpoint, error) {
	c, err := run.Checkpoint(j.ID, stateBytes(j.plan.State))
	if err != nil {
		return nil, err
	}
	if err := j.identity("").weights(c); err != nil {
		return nil, run.Again(j.ID, fmt.Errorf("checkpoint of job %s: %w", j.ID, err))
	}
	return c, nil
}

// kept returns one of the job's posterior samples.
func (j *Job) kept(run *results.Run, number int) (*results.Checkpoint, error) {
	name := keptFile(number)
	c, err := run.Stored(j.ID, name, stateBytes(j.plan.State))
	if err != nil {
		return nil, err
	}
	if err = j.identity("").weights(c); err == nil {
		err = isSample(c, number)
	}
	if err != nil {
		return nil, run.Again(j.ID, fmt.Errorf("%s: %w", run.File(j.ID, name), err))
	}
	return c, nil
}

func tensors(c *results.Checkpoint, err error) ([]results.Tensor, error) {
	if err != nil {
		return nil, err
	}
	return c.Tensors, nil
}

// openStream prepares to draw by p from stored weights, on inputs normalised
// as set's are.
func (j *Job) openStream(ctx context.Context, be backends.Backend, pulse *pulse, states []stored, p methods.Predictor, set *data.Set) (*stream, error) {
	leaf := j.leaf()
	st, err := newState(be, usedSlots(leaf.plan.State, p))
	if err != nil {
		return nil, err
	}
	prog, err := bind(be, p.Program, st)
	if err != nil {
		return nil, err
	}
	norm, err := data.NewNormalisation(data.Scheme(j.Config.Data.Normalise), set)
	if err != nil {
		return nil, err
	}
	rows := j.Config.Eval.Batch
	s := &stream{
		pulse: pulse, be: be, predictor: p, rows: rows, norm: norm, prog: prog, state: st, states: states, loaded: -1,
		logp: make([]float32, rows*set.Classes), classes: set.Classes,
	}
	s.counts = j.samples(p, len(states)/j.leaves())
	if p.Refresh != nil {
		s.refresh, err = newRefresher(ctx, be, pulse, p.Refresh, st, norm, set.Train)
	}
	return s, err
}

// usedSlots is the slots that a predictor reads.
func usedSlots(all []methods.Slot, p methods.Predictor) []methods.Slot {
	var out []methods.Slot
	for _, s := range all {
		_, used := p.Program.Param(s.Name)
		if !used && p.Refresh != nil {
			_, used = p.Refresh.Param(s.Name)
		}
		if used {
			out = append(out, s)
		}
	}
	return out
}

func (s *stream) close() {
	s.prog.exe.Close()
	if s.refresh != nil {
		s.refresh.close()
	}
}

// choose makes posterior sample k the one that the program draws: the stored
// weights k mod n, with the noise of their own sample k/n. Noise that has a row
// for each example also wants the first row of every batch (program.setRowKey).
func (s *stream) choose(p *program, k int) error {
	at := k % len(s.states)
	if at != s.loaded {
		ts, err := s.states[at].load()
		if err != nil {
			return err
		}
		if err := s.state.restore(ts); err != nil {
			return err
		}
		s.loaded = at
	}
	s.noise = key(s.states[at].seed, forPrediction).Fold(uint32(k / len(s.states)))
	if s.refresh != nil {
		if err := s.refresh.sample(k, s.states[at].seed, s.noise); err != nil {
			return err
		}
	}
	return p.setKey(s.noise)
}

// inputs visits a test set in batches of fixed size, of which the first valid
// rows are examples.
type inputs func(visit func(x []float32, valid int) error) error

// batches is a split's inputs, normalised as the stream's own.
func (s *stream) batches(ctx context.Context, split data.Split) inputs {
	return func(visit func(x []float32, valid int) error) error {
		loader, err := data.NewLoader(ctx, split, data.LoaderConfig{Batch: s.rows, Order: data.Sequential, Norm: s.norm})
		if err != nil {
			return err
		}
		defer loader.Close()
		for b, err := range loader.Epoch(0) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = visit(b.X, b.Valid)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// pass computes posterior sample k of the predictive on the inputs and gives
// it to add, batch by batch.
func (s *stream) pass(in inputs, k int, add func(logp []float32) error) error {
	if err := s.choose(s.prog, k); err != nil {
		return err
	}
	var batches []float64
	row := 0
	err := in(func(x []float32, valid int) error {
		if err := s.prog.inputs["x"].Write(backends.Data{F32: x}); err != nil {
			return err
		}
		if err := s.prog.setRowKey(s.noise, row); err != nil {
			return err
		}
		start := time.Now()
		if err := s.prog.run(); err != nil {
			return err
		}
		if err := s.prog.outputs["logp"].Read(backends.Data{F32: s.logp}); err != nil {
			return err
		}
		batches = append(batches, time.Since(start).Seconds())
		s.pulse.beat()
		if err := add(s.logp[:valid*s.classes]); err != nil {
			return fmt.Errorf("sample %d, from test row %d on: %w", k, row, err)
		}
		row += valid
		return nil
	})
	if err == nil {
		// The first batch warms caches up, and a busy machine disturbs some.
		s.passes = append(s.passes, median(batches)*float64(len(batches)))
	}
	return err
}

// predictive draws the samples 0 to k−1 on the inputs and evaluates their mean
// against the labels, which may be nil.
func (s *stream) predictive(in inputs, n, k int, labels []int) (*metrics.Evaluation, error) {
	pred := metrics.NewPredictive(n, s.classes)
	for i := range k {
		if err := s.pass(in, i, func(logp []float32) error { return pred.Add(metrics.LogProbs, logp) }); err != nil {
			return nil, err
		}
	}
	return pred.Evaluate(labels)
}

// glance is a quick look at the network in training: error and NLL of one pass
// of the first predictor over each of the splits.
func (t *trainer) glance(splits ...data.Split) ([][2]float64, error) {
	j, p := t.job, t.job.plan.Predictors[0]
	now := stored{j.Config.Seed, func() ([]results.Tensor, error) { return t.state.tensors() }}
	s, err := j.openStream(context.Background(), t.be, t.pulse, []stored{now}, p, t.set)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var out [][2]float64
	for _, split := range splits {
		e, err := s.predictive(s.batches(context.Background(), split), split.Len(), 1, data.Labels(split))
		if err != nil {
			return nil, err
		}
		out = append(out, [2]float64{metrics.Error(e), metrics.NLL(e)})
	}
	return out, nil
}

// meanPredictive is the job's predictive on a split, by its first predictor and
// all its samples: what a teacher gives its student, and what a reference is.
func (j *Job) meanPredictive(ctx context.Context, be backends.Backend, pulse *pulse, run *results.Run, set *data.Set, split data.Split) (*metrics.Evaluation, error) {
	p := j.predictors()[0]
	states, err := j.storedStates(run, p)
	if err != nil {
		return nil, err
	}
	s, err := j.openStream(ctx, be, pulse, states, p, set)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.predictive(s.batches(ctx, split), split.Len(), s.all(), nil)
}
