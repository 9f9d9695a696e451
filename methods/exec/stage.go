package exec

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"bayesbench/backends/rng"
	"bayesbench/methods"
)

// Stage is a stage of a plan at work on a state.
type Stage struct {
	stage   *methods.Stage
	state   *State
	step    *Program
	history *history
	noise   rng.Key
	done    int
	unread  [][]float32 // scalars of steps, which the history no longer holds
	stopped bool        // before the last step
}

// Stage binds the step program of stage number of the plan, of which so many
// steps are done. The caller closes it.
func (s *State) Stage(plan *methods.Plan, number, done int, seed uint32) (*Stage, error) {
	stage := &plan.Stages[number]
	step, history, err := s.bindStep(stage.Step)
	if err != nil {
		return nil, err
	}
	return &Stage{
		stage: stage, state: s, step: step, history: history, done: done,
		noise: Key(seed, ForNoise).Fold(uint32(number)),
	}, nil
}

// Close frees the step program. The state stays.
func (s *Stage) Close() error { return s.step.Close() }

// Reads tells whether a step reads the input of that name: "x", "y".
func (s *Stage) Reads(name string) bool { return s.step.Input(name) != nil }

// Step is one that is done.
type Step struct {
	Done int  // steps of the stage that are done
	Keep bool // the plan wants the slots in Kept stored now
}

// Steps runs the stage's steps that are left, and yields after each. Where ctx
// ends, also while a batch is waited for, the last pair has ctx's error, and the
// state is that of Done steps. A feed is asked for a batch where a step reads x
// or y.
func (s *Stage) Steps(ctx context.Context, feed Feed) iter.Seq2[Step, error] {
	return func(yield func(Step, error) bool) {
		for s.done < s.stage.Steps {
			if err := s.next(ctx, feed); err != nil {
				yield(Step{Done: s.done}, err)
				return
			}
			if !yield(Step{s.done, s.stage.Keeps(s.done - 1)}, nil) {
				return
			}
		}
	}
}

func (s *Stage) next(ctx context.Context, feed Feed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Reads("x") || s.Reads("y") {
		b, err := feed.Next()
		if err == nil {
			err = s.step.Load(b)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
	}
	if err := s.step.SetKey(s.noise.Fold(uint32(s.done))); err != nil {
		return err
	}
	for name, f := range s.stage.Schedules {
		if err := s.step.Set(name, float32(f.At(s.done))); err != nil {
			return err
		}
	}
	if err := s.step.Run(); err != nil {
		return err
	}
	s.history.pending++
	s.done++
	if s.history.full() {
		return s.drain()
	}
	return nil
}

// drain moves the scalars that the history holds to unread.
func (s *Stage) drain() error {
	steps, err := s.history.read()
	for _, scalars := range steps {
		s.unread = append(s.unread, slices.Clone(scalars))
	}
	return err
}

// ScalarNames are the names of the step's results that are no slots, in order.
func (s *Stage) ScalarNames() []string { return s.history.names }

// Scalars waits for the device and returns the scalars of the steps since the
// last call, oldest first, each in the order of ScalarNames. It is nil where a
// step has none.
func (s *Stage) Scalars() ([][]float32, error) {
	err := s.drain()
	steps := s.unread
	s.unread = nil
	return steps, err
}

// Stop says that no more steps will be taken, as where a training is stopped early.
func (s *Stage) Stop() { s.stopped = true }

// Finish runs what the stage does on the host after its last step, or after the one that it was
// stopped at.
func (s *Stage) Finish() error {
	if s.stage.Done == nil {
		return nil
	}
	if s.done < s.stage.Steps && !s.stopped {
		return fmt.Errorf("stage %s: want %d steps before its end, found %d", s.stage.Name, s.stage.Steps, s.done)
	}
	return s.state.Edit(s.stage.Done)
}
