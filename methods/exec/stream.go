package exec

import (
	"fmt"
	"iter"
	"time"

	"bayesbench/backends"
	"bayesbench/backends/rng"
	"bayesbench/methods"
)

// Weights are values of slots that a predictive draws from.
type Weights struct {
	Seed uint32 // of the job that they were trained by
	Load func() ([]Value, error)
}

// Prediction says what a stream draws from.
type Prediction struct {
	Slots     []methods.Slot // of the plan
	Predictor methods.Predictor
	Weights   []Weights // in turn: sample k has the weights k mod their number
	// Training is a pass over shuffled training batches under a seed, for predictors
	// that refresh statistics. It may be longer than they need.
	Training func(seed uint32) Pass
}

// Stream draws posterior samples of a predictive, one pass over a set a sample.
type Stream struct {
	*State
	p       Prediction
	prog    *Program
	loaded  int     // which weights are in the buffers; −1 none
	noise   rng.Key // of the sample chosen
	refresh *refresher
	outputs []output
}

// output is a result of the predict program on the host.
type output struct {
	name   string
	values []float32 // [rows columns]
	rows   int
}

// NewStream binds the predictor's program. The caller closes the stream.
func NewStream(be backends.Backend, p Prediction) (*Stream, error) {
	state, err := NewState(be, Reads(p.Slots, p.Predictor))
	if err != nil {
		return nil, err
	}
	prog, err := state.Bind(p.Predictor.Program)
	if err != nil {
		return nil, err
	}
	s := &Stream{State: state, p: p, prog: prog, loaded: -1}
	for _, r := range p.Predictor.Program.Results {
		t := p.Predictor.Program.Type(r.Value)
		s.outputs = append(s.outputs, output{r.Name, make([]float32, t.Size()), t.Shape[0]})
	}
	if p.Predictor.Refresh != nil {
		s.refresh, err = newRefresher(state, p)
	}
	return s, err
}

// Reads lists the slots that a predictor reads.
func Reads(all []methods.Slot, p methods.Predictor) []methods.Slot {
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

// Close frees the programs.
func (s *Stream) Close() error {
	err := s.prog.Close()
	if s.refresh != nil {
		s.refresh.prog.Close()
	}
	return err
}

// Choose makes posterior sample k the one that p draws, a program that is bound
// to the stream's state: the weights k mod n, with the noise of their own sample
// k/n. Noise that has a row for each example also wants the first row of every
// batch, by SetRow.
func (s *Stream) Choose(p *Program, k int) error {
	n := len(s.p.Weights)
	at := k % n
	if at != s.loaded {
		values, err := s.p.Weights[at].Load()
		if err != nil {
			return err
		}
		if err := s.Restore(values); err != nil {
			return err
		}
		s.loaded = at
	}
	seed := s.p.Weights[at].Seed
	s.noise = Key(seed, ForPrediction).Fold(uint32(k / n))
	if s.refresh != nil {
		if err := s.refresh.sample(k, seed, s.noise); err != nil {
			return err
		}
	}
	return p.SetKey(s.noise)
}

// SetRow says which row of its set is the first of the batch that p reads next,
// for the sample chosen.
func (s *Stream) SetRow(p *Program, first int) error { return p.SetRowKey(s.noise, first) }

// Draw is one batch of a posterior sample's prediction.
type Draw struct {
	First int // row of the set
	Rows  int // that are examples
	// Elapsed is the time that the program and the reading of its results took.
	Elapsed time.Duration
	stream  *Stream
}

// Result are the rows of the predict program's result of that name, [Rows
// columns], until the next draw; nil if there is none.
func (d Draw) Result(name string) []float32 {
	for _, o := range d.stream.outputs {
		if o.name == name {
			return o.values[:d.Rows*(len(o.values)/o.rows)]
		}
	}
	return nil
}

// Sample draws posterior sample k on a pass over a set.
func (s *Stream) Sample(k int, set Pass) iter.Seq2[Draw, error] {
	return func(yield func(Draw, error) bool) {
		if err := s.Choose(s.prog, k); err != nil {
			yield(Draw{}, err)
			return
		}
		for b, err := range set {
			d := Draw{First: b.First, Rows: b.Valid, stream: s}
			if err == nil {
				err = s.draw(b, &d)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

func (s *Stream) draw(b Batch, d *Draw) error {
	if err := s.prog.Load(b); err != nil {
		return err
	}
	if err := s.SetRow(s.prog, d.First); err != nil {
		return err
	}
	start := time.Now()
	if err := s.prog.Run(); err != nil {
		return err
	}
	for _, o := range s.outputs {
		if err := s.prog.outputs[o.name].Read(backends.Data{F32: o.values}); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	d.Elapsed = time.Since(start)
	return nil
}
