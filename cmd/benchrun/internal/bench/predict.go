package bench

import (
	"context"
	"fmt"
	"iter"
	"time"

	"bayesbench/methods"
	"bayesbench/methods/exec"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites/data"
)

// stream draws what a predict program results in, one posterior sample a call, and has it scored.
// The samples may also be those that another program made.
type stream struct {
	*exec.Stream // nil where another program made the samples
	made         []made
	run          *results.Run
	predictor    methods.Predictor
	scorer       metrics.Scorer
	rows         int // of a batch
	columns      int // of the targets
	norm         data.Normalisation
	counts       []int     // the numbers of samples at which the predictive is scored
	passes       []float64 // seconds of each pass in the program: its median batch times their number
	pulse        *pulse
}

// part is a part of the data, by the name under which another program knows it.
type part struct {
	name string
	data.Split
}

// drawing gives posterior sample k on some inputs, in order.
type drawing func(k int) iter.Seq2[rows, error]

// rows are what a posterior sample says of consecutive inputs.
type rows struct {
	First   int           // input
	Elapsed time.Duration // that it took; 0 where that is not known
	Result  func(name string) []float32
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
func (j *Job) storedStates(run *results.Run, p methods.Predictor) ([]exec.Weights, error) {
	if n := len(j.members); n > 0 {
		lists := make([][]exec.Weights, n)
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
		return []exec.Weights{{Seed: seed, Load: func() ([]exec.Value, error) { return tensors(j.trained(run)) }}}, nil
	}
	last, err := j.trained(run)
	if err != nil {
		return nil, err
	}
	at, err := readProgress(last, j.plan)
	if err != nil {
		return nil, run.Again(j.ID, fmt.Errorf("checkpoint of job %s: %w", j.ID, err))
	}
	var out []exec.Weights
	for i := range at.Kept {
		out = append(out, exec.Weights{Seed: seed, Load: func() ([]exec.Value, error) { return tensors(j.kept(run, i)) }})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("predictor %s: no posterior sample was kept", p.Name)
	}
	return out, nil
}

// trained returns the checkpoint of the job's training, which is over.
func (j *Job) trained(run *results.Run) (*results.Checkpoint, error) {
	c, err := run.Checkpoint(j.ID, exec.Bytes(j.plan.State))
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
	c, err := run.Stored(j.ID, name, exec.Bytes(j.plan.State))
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

func tensors(c *results.Checkpoint, err error) ([]exec.Value, error) {
	if err != nil {
		return nil, err
	}
	return valuesOf(c.Tensors), nil
}

// openKept prepares to draw by p, a predictor of j, from what j's training left.
func (x *execution) openKept(ctx context.Context, j *Job, p methods.Predictor) (*stream, error) {
	if j.outside {
		return x.openMade(j, p)
	}
	states, err := j.storedStates(x.run, p)
	if err != nil {
		return nil, err
	}
	return x.openStream(ctx, j, states, p)
}

// openStream prepares to draw by p, a predictor of j, from stored weights, on inputs normalised as
// the execution's own set.
func (x *execution) openStream(ctx context.Context, j *Job, states []exec.Weights, p methods.Predictor) (*stream, error) {
	s, err := x.newStream(j, p, len(states))
	if err != nil {
		return nil, err
	}
	s.Stream, err = exec.NewStream(x.be, exec.Prediction{
		Slots: j.leaf().plan.State, Predictor: p, Weights: states,
		Training: func(seed uint32) exec.Pass {
			return pass(ctx, x.pulse, x.set.Train, data.LoaderConfig{
				Batch: j.Config.Train.Batch, Key: exec.Key(seed, exec.ForRefresh), Norm: s.norm, DropLast: true,
			})
		},
	})
	return s, err
}

// newStream is a stream of j's predictor p, which has so many stored samples.
func (x *execution) newStream(j *Job, p methods.Predictor, stored int) (*stream, error) {
	norm, err := data.NewNormalisation(data.Scheme(j.Config.Data.Normalise), x.set)
	if err != nil {
		return nil, err
	}
	return &stream{
		run: x.run, predictor: p, scorer: x.scorer, rows: j.Config.Eval.Batch, columns: x.set.Columns(), norm: norm,
		counts: j.samples(p, stored/j.leaves()), pulse: x.pulse,
	}, nil
}

// Close frees the programs.
func (s *stream) Close() error {
	if s.Stream == nil {
		return nil
	}
	return s.Stream.Close()
}

// on are the samples on a part of the data.
func (s *stream) on(ctx context.Context, p part) drawing {
	if s.Stream == nil {
		return s.madeOn(p)
	}
	return s.drawn(s.batches(ctx, p.Split))
}

// drawn are the samples that the predict program draws on inputs.
func (s *stream) drawn(in exec.Pass) drawing {
	return func(k int) iter.Seq2[rows, error] {
		return func(yield func(rows, error) bool) {
			for d, err := range s.Sample(k, in) {
				if !yield(rows{d.First, d.Elapsed, d.Result}, err) {
					return
				}
			}
		}
	}
}

// batches is a split's inputs in order, normalised as the stream's own.
func (s *stream) batches(ctx context.Context, split data.Split) exec.Pass {
	return pass(ctx, s.pulse, split, data.LoaderConfig{Batch: s.rows, Order: data.Sequential, Norm: s.norm})
}

// pass takes posterior sample k of a drawing and gives it to add, batch by batch.
func (s *stream) pass(from drawing, k int, add func(rows) error) error {
	var batches []float64
	for drawn, err := range from(k) {
		if err != nil {
			return err
		}
		batches = append(batches, drawn.Elapsed.Seconds())
		s.pulse.beat()
		if err := add(drawn); err != nil {
			return fmt.Errorf("sample %d, from test row %d on: %w", k, drawn.First, err)
		}
	}
	if s.Stream == nil {
		return nil // how long it took is not known
	}
	// The first batch warms caches up, and a busy machine disturbs some.
	s.passes = append(s.passes, median(batches)*float64(len(batches)))
	return nil
}

// judge takes the samples 0 to k−1 of a drawing on the inputs that truth is of, and judges their
// mixture.
func (s *stream) judge(from drawing, truth metrics.Truth, k int) (metrics.Judged, error) {
	pred, err := s.scorer.Open(truth)
	if err != nil {
		return nil, err
	}
	for i := range k {
		if err := s.pass(from, i, func(d rows) error {
			_, err := pred.Add(d.Result)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return pred.Evaluate()
}

// truth is what is known of a split's examples.
func (s *stream) truth(split data.Split) metrics.Truth {
	t := s.unknown(split)
	t.Targets = make([]float64, t.Inputs*t.Columns)
	for i := range t.Inputs {
		split.Target(t.Targets[i*t.Columns:(i+1)*t.Columns], i)
	}
	return t
}

// unknown is what is known of a split whose targets count for nothing.
func (s *stream) unknown(split data.Split) metrics.Truth {
	t := metrics.Truth{Inputs: split.Len(), Columns: s.columns}
	for _, scale := range s.norm.Targets() {
		t.Scales = append(t.Scales, metrics.Scale(scale))
	}
	return t
}

// glance is a quick look at the network in training: the first metrics of one pass
// of the first predictor over each of the splits.
func (t *trainer) glance(splits []part) ([][]results.Value, error) {
	now := exec.Weights{Seed: t.Config.Seed, Load: func() ([]exec.Value, error) { return t.state.Values() }}
	s, err := t.openStream(context.Background(), t.Job, []exec.Weights{now}, t.plan.Predictors[0])
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var out [][]results.Value
	for _, split := range splits {
		e, err := s.judge(s.on(context.Background(), split), s.truth(split.Split), 1)
		if err != nil {
			return nil, err
		}
		out = append(out, e.Glance())
	}
	return out, nil
}

// meanPredictive is the predictive of j, a job on the same data, on a split, by its first predictor
// and all its samples: what a teacher gives its student, and what a reference is.
func (x *execution) meanPredictive(ctx context.Context, j *Job, of part) (metrics.Judged, error) {
	s, err := x.openKept(ctx, j, j.predictors()[0])
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.judge(s.on(ctx, of), s.unknown(of.Split), s.all())
}
