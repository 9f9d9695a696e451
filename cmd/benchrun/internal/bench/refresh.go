package bench

import (
	"context"
	"fmt"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/backends/rng"
	"bayesbench/methods"
	"bayesbench/results"
	"bayesbench/suites/data"
)

// refresher makes again the slots that follow from a sample's weights and the
// training data (methods.Predictor.Refresh). It remembers them by sample: they
// are small, and every set that is predicted wants the same samples.
type refresher struct {
	ctx   context.Context
	prog  *program
	state *state
	split data.Split
	norm  data.Normalisation
	pulse *pulse
	slots []string // what the program makes
	made  map[int][]results.Tensor
}

func newRefresher(ctx context.Context, be backends.Backend, pulse *pulse, p *ir.Program, st *state, norm data.Normalisation, train data.Split) (*refresher, error) {
	prog, err := bind(be, p, st)
	if err != nil {
		return nil, err
	}
	r := &refresher{ctx: ctx, prog: prog, state: st, split: train, norm: norm, pulse: pulse, made: map[int][]results.Tensor{}}
	for _, result := range p.Results {
		r.slots = append(r.slots, result.Name)
	}
	return r, nil
}

func (r *refresher) close() { r.prog.exe.Close() }

// sample makes the slots those of posterior sample k, whose weights the state
// and the noise give. The batches depend on the seed alone.
func (r *refresher) sample(k int, seed uint32, noise rng.Key) error {
	if made, ok := r.made[k]; ok {
		for _, t := range made {
			if err := r.state.byKey[t.Name].write(t); err != nil {
				return err
			}
		}
		return nil
	}
	x := r.prog.inputs["x"]
	loader, err := data.NewLoader(r.ctx, r.split, data.LoaderConfig{
		Batch: x.Type().Shape[0], Key: key(seed, forRefresh), Norm: r.norm, DropLast: true,
	})
	if err != nil {
		return err
	}
	defer loader.Close()
	if err := r.prog.setKey(noise); err != nil {
		return err
	}
	for i := range min(methods.RefreshBatches, loader.Steps()) {
		b, err := loader.Next()
		if err != nil {
			return err
		}
		if err := x.Write(backends.Data{F32: b.X}); err != nil {
			return err
		}
		if err := r.prog.set("share", float32(1/float64(i+1))); err != nil {
			return err
		}
		if err := r.prog.run(); err != nil {
			return fmt.Errorf("refreshing sample %d: %w", k, err)
		}
		r.pulse.beat()
	}
	r.made[k], err = r.state.tensors(r.slots...)
	return err
}
