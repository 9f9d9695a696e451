package exec

import (
	"fmt"
	"slices"

	"bayesbench/backends/rng"
	"bayesbench/methods"
)

// refresher makes again the slots that follow from a sample's weights and the
// training data (methods.Predictor.Refresh). It remembers them by sample: they
// are small, and every set that is predicted wants the same samples.
type refresher struct {
	prog     *Program
	state    *State
	training func(seed uint32) Pass
	slots    []string // that the program makes
	made     map[int][]Value
}

func newRefresher(state *State, p Prediction) (*refresher, error) {
	prog, err := state.Bind(p.Predictor.Refresh)
	if err != nil {
		return nil, err
	}
	r := &refresher{prog: prog, state: state, training: p.Training, made: map[int][]Value{}}
	for _, result := range p.Predictor.Refresh.Results {
		r.slots = append(r.slots, result.Name)
	}
	return r, nil
}

// sample makes the slots those of posterior sample k, whose weights the state
// and the noise give. The batches depend on the seed alone.
func (r *refresher) sample(k int, seed uint32, noise rng.Key) error {
	if made, ok := r.made[k]; ok {
		for _, v := range made {
			if err := r.state.Write(v); err != nil {
				return err
			}
		}
		return nil
	}
	if err := r.forgetDiverged(); err != nil {
		return err
	}
	if err := r.prog.SetKey(noise); err != nil {
		return err
	}
	i := 0
	for b, err := range r.training(seed) {
		if err == nil {
			err = r.prog.Load(b)
		}
		if err == nil {
			err = r.prog.Set("share", float32(1/float64(i+1)))
		}
		if err == nil {
			err = r.prog.Run()
		}
		if err != nil {
			return fmt.Errorf("refreshing sample %d: %w", k, err)
		}
		if i++; i == methods.RefreshBatches {
			break
		}
	}
	var err error
	r.made[k], err = r.state.Values(r.slots...)
	return err
}

// forgetDiverged makes slots zero that hold an infinity or NaN. The first batch's share is 1, so
// that nothing of a finite value before is left; but an infinity would leave NaN.
func (r *refresher) forgetDiverged() error {
	values, err := r.state.Values(r.slots...)
	if err != nil {
		return err
	}
	for _, v := range values {
		if !slices.ContainsFunc(v.F32, func(x float32) bool { return x-x != 0 }) {
			continue
		}
		clear(v.F32)
		if err := r.state.Write(v); err != nil {
			return err
		}
	}
	return nil
}
