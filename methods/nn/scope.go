package nn

import (
	"fmt"

	"bayesbench/backends/ir"
	"bayesbench/methods/schedule"
)

// Scope is a program under construction together with what must be known
// around it: the state slots it reads and writes, the schedules of its scalar
// inputs, the noise it draws, the terms of the objective. Layers, optimisers
// and samplers all build into one.
type Scope struct {
	*ir.Builder
	// Training is false in a program that predicts: batch normalisation then
	// takes its running statistics.
	Training bool

	Slots     []Slot // in order of declaration
	Schedules map[string]schedule.Schedule

	// Share, where not ir.None, makes the running statistics of batch
	// normalisation plain averages over the batches of a pass: f32[], 1/(i+1) at
	// batch i.
	Share ir.Value

	// Terms that layers add to the objective, f32[] in nats.
	KL    []ir.Value // KL(q‖p) of variational posteriors
	Prior []ir.Value // −log p(w), up to a constant, of point estimates

	// Scores are log q(z) f32[rows] of discrete noise whose distribution is
	// learnt by the score-function estimator, a term for each place it enters.
	Scores []ir.Value

	// Source, where set, gives the parameters in place of slots that are
	// learnt: a network whose weights are computed from other slots.
	Source func(name string, init Init, shape []int) ir.Value

	start  map[string]*Values // by the name of the slot without its prefix
	prefix string
	key    ir.Value
	rowKey ir.Value
	stream uint32
}

// Slot is a value that is kept between steps.
type Slot struct {
	Name    string
	Init    Init
	Value   ir.Value // as the step finds it
	Next    ir.Value // as the step leaves it, ir.None where it stays
	Trained bool     // by the gradient of the objective
	// Spread says that the slot is no weight: it says how wide a distribution is, as a log
	// standard deviation or the rate of a dropout does. A weight decay passes it by, for 0 is no
	// more likely a value of it than another.
	Spread bool
}

// NewScope starts a program that trains or predicts.
func NewScope(b *ir.Builder, training bool) *Scope {
	return &Scope{Builder: b, Training: training, Schedules: map[string]schedule.Schedule{}, Share: ir.None, key: ir.None, rowKey: ir.None}
}

// Under puts prefix before the names of the slots that f declares: a second
// network beside the first.
func (s *Scope) Under(prefix string, f func()) {
	outer := s.prefix
	s.prefix += prefix
	f()
	s.prefix = outer
}

// Start gives slots their first values, by their names without a prefix.
func (s *Scope) Start(at map[string]*Values) { s.start = at }

// Learn is the slot of that name, which the gradient of the objective trains.
func (s *Scope) Learn(name string, init Init, shape ...int) ir.Value {
	if s.Source != nil {
		return s.Source(name, init, shape)
	}
	return s.slot(name, init, true, shape)
}

// LearnSpread is Learn of what says how wide a distribution is, see [Slot].
func (s *Scope) LearnSpread(name string, init Init, shape ...int) ir.Value {
	v := s.Learn(name, init, shape...)
	for i := range s.Slots {
		if s.Slots[i].Value == v {
			s.Slots[i].Spread = true
		}
	}
	return v
}

// Keep is the slot of that name, which changes by Set alone.
func (s *Scope) Keep(name string, init Init, shape ...int) ir.Value {
	return s.slot(name, init, false, shape)
}

func (s *Scope) slot(name string, init Init, trained bool, shape []int) ir.Value {
	if given := s.start[name]; given != nil {
		if want := ir.Float(shape...); len(given.Data) != want.Size() {
			s.Fail(fmt.Errorf("slot %s: want %s, and %d numbers are given for it", name, want, len(given.Data)))
		}
		init = Init{Dist: Given, Values: given}
	}
	name = s.prefix + name
	for i := range s.Slots {
		if s.Slots[i].Name != name {
			continue
		}
		v := s.Slots[i].Value
		if !s.Type(v).Equal(ir.Float(shape...)) {
			s.Fail(fmt.Errorf("slot %s: declared as %s and as %s", name, s.Type(v), ir.Float(shape...)))
		}
		return v
	}
	v := s.Param(name, ir.Float(shape...))
	s.Slots = append(s.Slots, Slot{Name: name, Init: init, Value: v, Next: ir.None, Trained: trained})
	return v
}

// Set gives the slot whose value is v its next value.
func (s *Scope) Set(v, next ir.Value) {
	for i := range s.Slots {
		if s.Slots[i].Value == v {
			s.Slots[i].Next = next
			return
		}
	}
	s.Fail(fmt.Errorf("%%%d is no slot", v))
}

// Trained lists the slots that the gradient trains.
func (s *Scope) Trained() []Slot {
	var out []Slot
	for _, slot := range s.Slots {
		if slot.Trained {
			out = append(out, slot)
		}
	}
	return out
}

// Scheduled is a scalar input whose value at each step is the schedule's.
func (s *Scope) Scheduled(name string, value schedule.Schedule) ir.Value {
	s.Schedules[name] = value
	return s.Param(name, ir.Float())
}

// Noise is N(0, 1) of the shape from a stream of its own: of what is drawn once
// for a whole batch, weights above all. What has a row for each example takes
// RowNoise.
func (s *Scope) Noise(shape ...int) ir.Value {
	return s.Normal(s.Key(), s.nextStream(), shape...)
}

// Chance is U[0, 1) of the shape; see Noise.
func (s *Scope) Chance(shape ...int) ir.Value {
	return s.Uniform(s.Key(), s.nextStream(), shape...)
}

// RowNoise is N(0, 1) of the shape [rows …] from a stream of its own, a row for
// each example. Where a program predicts, an example's row depends on its place
// in the whole set and not on the batch that it comes in.
func (s *Scope) RowNoise(shape ...int) ir.Value {
	return s.Normal(s.RowKey(), s.nextStream(), shape...)
}

// RowChance is U[0, 1) of the shape [rows …]; see RowNoise.
func (s *Scope) RowChance(shape ...int) ir.Value {
	return s.Uniform(s.RowKey(), s.nextStream(), shape...)
}

func (s *Scope) nextStream() uint32 {
	s.stream++
	return s.stream - 1
}

// Key is the step's noise key, the input "key" u32[2].
func (s *Scope) Key() ir.Value {
	if s.key == ir.None {
		s.key = s.Param("key", ir.Uint(2))
	}
	return s.key
}

// RowKey is the key of noise with a row for each example. Where a program
// predicts it is the input "row_key" u32[3]: the noise key, and the number of the
// batch's first example in its set. A step has its own key and counts the rows of
// its batch, and so has a pass that refreshes batch normalisation.
func (s *Scope) RowKey() ir.Value {
	if s.Training {
		return s.Key()
	}
	if s.rowKey == ir.None {
		s.rowKey = s.Param("row_key", ir.Uint(3))
	}
	return s.rowKey
}

// Stochastic reports whether the program draws noise.
func (s *Scope) Stochastic() bool { return s.key != ir.None || s.rowKey != ir.None }

// Total is the sum of the terms, 0 where there is none.
func (s *Scope) Total(terms []ir.Value) ir.Value {
	if len(terms) == 0 {
		return s.Const(0)
	}
	sum := terms[0]
	for _, t := range terms[1:] {
		sum = s.Add(sum, t)
	}
	return sum
}
