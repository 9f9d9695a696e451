package exec

import (
	"context"
	"errors"
	"math"
	"testing"

	"bayesbench/backends"
	_ "bayesbench/backends/gonum"
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/schedule"
)

// decay is a plan whose one step is w ← w + lr·(x − w) + noise, so that a test can follow it.
func decay(t *testing.T, steps int) *methods.Plan {
	t.Helper()
	p, err := ir.Build("decay", func(b *ir.Builder) {
		w, x, lr := b.Param("w", ir.Float(2)), b.Param("x", ir.Float(2)), b.Param("lr", ir.Float())
		noise := b.MulConst(b.Normal(b.Param("key", ir.Uint(2)), 0, 2), 1e-3)
		next := b.Add(b.Add(w, b.Mul(b.Sub(x, w), lr)), noise)
		b.Result("w", next)
		b.Result("loss", b.Sum(b.Square(b.Sub(next, x))))
	})
	if err != nil {
		t.Fatal(err)
	}
	return &methods.Plan{
		State: []methods.Slot{{Name: "w", Type: ir.Float(2), Init: methods.Init{Dist: methods.Normal, B: 1}}},
		Stages: []methods.Stage{{
			Name: "decay", Step: p, Steps: steps, Schedules: map[string]methods.Schedule{"lr": schedule.Linear(0.5, steps)},
			Keep: methods.Every{From: 2, Period: 3, Count: 1}, Kept: []string{"w"},
		}},
	}
}

// ramp gives batch i the values i, i/2.
type ramp struct {
	next int
	fail error // in place of batch failAt
	at   int
}

func (r *ramp) Next() (Batch, error) {
	if r.fail != nil && r.next == r.at {
		return Batch{}, r.fail
	}
	x := float32(r.next)
	r.next++
	return Batch{X: backends.Data{F32: []float32{x, x / 2}}, Valid: 1}, nil
}

func start(t *testing.T, plan *methods.Plan) *State {
	t.Helper()
	be, err := backends.Open("gonum") // the reference keeps float64, which no checkpoint does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { be.Close() })
	s, err := NewState(be, plan.State)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Initialise(3); err != nil {
		t.Fatal(err)
	}
	return s
}

func stageOf(t *testing.T, s *State, plan *methods.Plan, done int) *Stage {
	t.Helper()
	stage, err := s.Stage(plan, 0, done, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stage.Close() })
	return stage
}

// A stage that is left after any of its steps, and taken up again from the values stored there,
// ends with the bits of one that ran through. Its scalars come once each and in order.
func TestStageGoesOn(t *testing.T) {
	const steps = 3*historyLength + 5
	plan := decay(t, steps)
	through := start(t, plan)
	kept, losses := 0, []float32{}
	stage := stageOf(t, through, plan, 0)
	for step, err := range stage.Steps(t.Context(), &ramp{}) {
		if err != nil {
			t.Fatal(err)
		}
		if step.Keep {
			kept++
		}
	}
	scalars, err := stage.Scalars()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scalars {
		losses = append(losses, s[0])
	}
	if kept != steps/3 || len(losses) != steps {
		t.Fatalf("%d states to keep and %d losses: want %d and %d", kept, len(losses), steps/3, steps)
	}
	want, err := through.Values()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, historyLength, steps - 1, steps} {
		first := start(t, plan)
		before := stageOf(t, first, plan, 0)
		for step, err := range before.Steps(t.Context(), &ramp{}) {
			if err != nil {
				t.Fatal(err)
			}
			if step.Done == at {
				break
			}
		}
		stored, err := first.Values()
		if err != nil {
			t.Fatal(err)
		}
		if at == 0 {
			stored, err = start(t, plan).Values()
			if err != nil {
				t.Fatal(err)
			}
		}
		second := start(t, plan)
		if err := errors.Join(second.Fits(stored), second.Restore(stored)); err != nil {
			t.Fatal(err)
		}
		after := stageOf(t, second, plan, at)
		for _, err := range after.Steps(t.Context(), &ramp{next: at}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := second.Values()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want[0].F32 {
			if math.Float32bits(got[0].F32[i]) != math.Float32bits(want[0].F32[i]) {
				t.Errorf("taken up after step %d: w[%d] is %v, want %v", at, i, got[0].F32[i], want[0].F32[i])
			}
		}
		rest, err := after.Scalars()
		if err != nil || len(rest) != steps-at {
			t.Fatalf("taken up after step %d: %d losses, want %d; error %v", at, len(rest), steps-at, err)
		}
		for i, s := range rest {
			if s[0] != losses[at+i] {
				t.Errorf("taken up after step %d: loss of step %d is %v, want %v", at, at+i, s[0], losses[at+i])
			}
		}
	}
}

// A context that ends, also while a batch is waited for, ends the steps with its error and leaves
// the state of the steps done. Another error of the feed is told as it is.
func TestStageEnds(t *testing.T) {
	plan := decay(t, 10)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		end  bool
		want error
	}{"ended": {true, context.Canceled}, "broken": {false, broken}} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := start(t, plan)
		var last error
		done := 0
		for step, err := range stageOf(t, s, plan, 0).Steps(ctx, &ramp{fail: broken, at: 4}) {
			done, last = step.Done, err
			if step.Done == 4 && c.end {
				cancel()
			}
		}
		if done != 4 || !errors.Is(last, c.want) {
			t.Errorf("%s: %d steps and error %v: want 4 and %v", name, done, last, c.want)
		}
	}
}

// What a stage does on the host comes after all of its steps, on the state they left.
func TestFinish(t *testing.T) {
	plan := decay(t, 2)
	plan.Stages[0].Done = func(state map[string][]float32) error {
		state["w"][0] = 42
		return nil
	}
	s := start(t, plan)
	stage := stageOf(t, s, plan, 0)
	if err := stage.Finish(); err == nil {
		t.Error("a stage is finished before its steps")
	}
	for _, err := range stage.Steps(t.Context(), &ramp{}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := stage.Finish(); err != nil {
		t.Fatal(err)
	}
	if w, err := s.Values("w"); err != nil || w[0].F32[0] != 42 {
		t.Errorf("w is %v, want 42 first; error %v", w, err)
	}
}

// Values that are not the slots' are refused before anything is written.
func TestFits(t *testing.T) {
	plan := decay(t, 1)
	s := start(t, plan)
	value := func(name string, n int) Value {
		return Value{Name: name, Type: ir.Float(n), Data: backends.Data{F32: make([]float32, n)}}
	}
	for name, values := range map[string][]Value{
		"none":         nil,
		"another":      {value("v", 2)},
		"too long":     {value("w", 3)},
		"one too many": {value("w", 2), value("v", 2)},
	} {
		if s.Fits(values) == nil {
			t.Errorf("%s: fits", name)
		}
	}
	if s.Restore(nil) == nil || s.Restore([]Value{value("w", 3)}) == nil {
		t.Error("a state is restored from what it does not hold")
	}
}
