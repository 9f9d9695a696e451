package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"bayesbench/backends"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// stream draws log-probability matrices, one posterior sample a call.
type stream struct {
	name       string
	stochastic bool
	norm       data.Normalisation
	prog       *program
	state      *state
	states     []stored
	loaded     int // which of states is in the buffers; -1 none
	logp       []float32
	classes    int
	passes     []float64 // seconds of each pass in the program
	pulse      *pulse
}

// stored is one set of weights that the predictive draws from.
type stored struct {
	seed uint32
	load func() ([]results.Tensor, error)
}

// limit is the number of different samples, 0 where there is no end.
func (s *stream) limit() int {
	if s.stochastic {
		return 0
	}
	return len(s.states)
}

// predictors lists what a job's predictive may be drawn by: those of the plan,
// or for one made of members those of its first member.
func (j *Job) predictors() []methods.Predictor {
	for len(j.plan.Members) > 0 {
		j = j.Needs[0]
	}
	return j.plan.Predictors
}

// leaf is the job whose predict programs are run.
func (j *Job) leaf() *Job {
	for len(j.plan.Members) > 0 {
		j = j.Needs[0]
	}
	return j
}

// storedStates lists the weights that a predictor of the job draws from, those
// of members in turn.
func (j *Job) storedStates(run *results.Run, p methods.Predictor) ([]stored, error) {
	if n := len(j.plan.Members); n > 0 {
		lists := make([][]stored, n)
		longest := 0
		for i := range lists {
			l, err := j.Needs[i].storedStates(run, p)
			if err != nil {
				return nil, err
			}
			lists[i] = l
			longest = max(longest, len(l))
		}
		var out []stored
		for k := range longest {
			for _, l := range lists {
				if k < len(l) {
					out = append(out, l[k])
				}
			}
		}
		return out, nil
	}
	seed := j.Config.Seed
	if !p.Kept {
		return []stored{{seed, func() ([]results.Tensor, error) {
			c, err := run.Checkpoint(j.ID)
			if err != nil {
				return nil, err
			}
			return c.Tensors, nil
		}}}, nil
	}
	var out []stored
	for i := 0; ; i++ {
		path := run.File(j.ID, keptFile(i))
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return nil, err
		}
		out = append(out, stored{seed, func() ([]results.Tensor, error) {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			c, err := results.ReadCheckpoint(text, path)
			if err != nil {
				return nil, err
			}
			return c.Tensors, nil
		}})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("predictor %s: no posterior sample was kept", p.Name)
	}
	return out, nil
}

// openStream prepares to draw by p from stored weights, on inputs normalised
// as set's are.
func (j *Job) openStream(be backends.Backend, pulse *pulse, states []stored, p methods.Predictor, set *data.Set) (*stream, error) {
	leaf := j.leaf()
	st, err := newState(be, usedSlots(leaf.plan.State, p))
	if err != nil {
		return nil, err
	}
	prog, err := bind(be, p.Program, st)
	if err != nil {
		return nil, err
	}
	norm, err := data.NewNormalisation(data.Scheme(j.Config.Data.Normalise), set.Info)
	if err != nil {
		return nil, err
	}
	rows := j.Config.Eval.Batch
	return &stream{
		pulse: pulse, name: p.Name, stochastic: p.Stochastic, norm: norm, prog: prog, state: st, states: states, loaded: -1,
		logp: make([]float32, rows*set.Classes), classes: set.Classes,
	}, nil
}

// usedSlots is the slots that a predict program reads.
func usedSlots(all []methods.Slot, p methods.Predictor) []methods.Slot {
	var out []methods.Slot
	for _, s := range all {
		if _, ok := p.Program.Param(s.Name); ok {
			out = append(out, s)
		}
	}
	return out
}

func (s *stream) close() { s.prog.exe.Close() }

// pass computes posterior sample k of the predictive on the split and gives it
// to add, batch by batch. Sample k uses the stored weights k mod n, and the
// noise of their own sample k/n.
func (s *stream) pass(ctx context.Context, split data.Split, batch, k int, add func(logp []float32) error) error {
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
	if err := s.prog.setKey(key(s.states[at].seed, forPrediction).Fold(uint32(k / len(s.states)))); err != nil {
		return err
	}
	loader, err := data.NewLoader(ctx, split, data.LoaderConfig{Batch: batch, Order: data.Sequential, Norm: s.norm})
	if err != nil {
		return err
	}
	defer loader.Close()
	var spent time.Duration
	for b, err := range loader.Epoch(0) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.prog.inputs["x"].Write(backends.Data{F32: b.X}); err != nil {
			return err
		}
		start := time.Now()
		if err := s.prog.run(); err != nil {
			return err
		}
		if err := s.prog.outputs["logp"].Read(backends.Data{F32: s.logp}); err != nil {
			return err
		}
		spent += time.Since(start)
		s.pulse.beat()
		if err := add(s.logp[:b.Valid*s.classes]); err != nil {
			return fmt.Errorf("sample %d, test row %d on: %w", k, int(b.Index[0]), err)
		}
	}
	s.passes = append(s.passes, spent.Seconds())
	return nil
}

// labels lists a split's labels.
func labels(s data.Split) []int {
	out := make([]int, s.Len())
	for i := range out {
		out[i] = s.Label(i)
	}
	return out
}

// glance is a quick look at the network in training: error and NLL of one pass
// of the first predictor over the test set.
func (t *trainer) glance() ([2]float64, error) {
	j, p := t.job, t.job.plan.Predictors[0]
	now := stored{j.Config.Seed, func() ([]results.Tensor, error) { return t.state.tensors() }}
	s, err := j.openStream(t.be, t.pulse, []stored{now}, p, t.set)
	if err != nil {
		return [2]float64{}, err
	}
	defer s.close()
	pred := metrics.NewPredictive(t.set.Test.Len(), t.set.Classes)
	err = s.pass(context.Background(), t.set.Test, j.Config.Eval.Batch, 0, func(logp []float32) error { return pred.Add(metrics.LogProbs, logp) })
	if err != nil {
		return [2]float64{}, err
	}
	e, err := pred.Evaluate(labels(t.set.Test))
	if err != nil {
		return [2]float64{}, err
	}
	return [2]float64{metrics.Error(e), metrics.NLL(e)}, nil
}

// meanPredictive is the job's predictive probabilities on a split: what a
// teacher gives its student.
func (j *Job) meanPredictive(ctx context.Context, be backends.Backend, pulse *pulse, run *results.Run, set *data.Set, split data.Split) ([]float32, error) {
	p := j.predictors()[0]
	states, err := j.storedStates(run, p)
	if err != nil {
		return nil, err
	}
	s, err := j.openStream(be, pulse, states, p, set)
	if err != nil {
		return nil, err
	}
	defer s.close()
	k := s.limit()
	if k == 0 {
		k = max(j.Config.Eval.Samples, len(s.states))
	}
	pred := metrics.NewPredictive(split.Len(), set.Classes)
	for i := range k {
		if err := s.pass(ctx, split, j.Config.Eval.Batch, i, func(logp []float32) error { return pred.Add(metrics.LogProbs, logp) }); err != nil {
			return nil, err
		}
	}
	e, err := pred.Evaluate(nil)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(e.P))
	for i, x := range e.P {
		out[i] = float32(x)
	}
	return out, nil
}
