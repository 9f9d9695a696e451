package bench

import (
	"context"

	"bayesbench/backends"
	"bayesbench/methods/exec"
	"bayesbench/suites/data"
)

// feed gives a trainer's batches in the order of its seed.
type feed struct {
	loader  *data.Loader // nil where no step reads a batch
	targets []float32    // the teacher's [examples columns] in place of the set's own; nil without one
	columns int
	y       []float32
	batch   int // examples a step
	steps   int // steps an epoch
}

// newFeed opens the loader of the job's training batches where the caller reads
// them; fullBatch asks for all examples at each step.
func newFeed(ctx context.Context, t *trainer, reads, fullBatch bool) (*feed, error) {
	c := &t.Config
	f := &feed{targets: t.targets, columns: len(t.targets) / t.set.Train.Len(), batch: c.Train.Batch}
	norm, err := data.NewNormalisation(data.Scheme(c.Data.Normalise), t.set)
	if err != nil {
		return nil, err
	}
	cfg := data.LoaderConfig{Batch: c.Train.Batch, Key: exec.Key(c.Seed, exec.ForOrder), Norm: norm, Mixup: c.Train.Mixup, DropLast: true}
	if cfg.Augment, err = t.set.Augmentations(c.Train.Augment); err != nil {
		return nil, err
	}
	if fullBatch {
		cfg.Batch, cfg.Order = t.set.Train.Len(), data.Sequential
		f.batch = cfg.Batch
	}
	f.steps = t.set.Train.Len() / cfg.Batch
	if !reads {
		return f, nil
	}
	if f.loader, err = data.NewLoader(ctx, t.set.Train, cfg); err != nil {
		return nil, err
	}
	at := t.Before + t.Step
	return f, f.loader.Seek(at/f.steps, at%f.steps)
}

// Next is the next training batch.
func (f *feed) Next() (exec.Batch, error) {
	b, err := f.loader.Next()
	if err != nil {
		return exec.Batch{}, err
	}
	out := batchOf(b)
	if f.targets != nil {
		f.y = f.y[:0]
		for _, i := range b.Index {
			f.y = append(f.y, f.targets[int(i)*f.columns:(int(i)+1)*f.columns]...)
		}
		out.Y.F32 = f.y
	}
	return out, nil
}

func (f *feed) close() {
	if f.loader != nil {
		f.loader.Close()
	}
}

func batchOf(b *data.Batch) exec.Batch {
	return exec.Batch{X: backends.Data{F32: b.X}, Y: backends.Data{F32: b.Y}, Valid: b.Valid}
}

// pass visits a split once as cfg says. Each batch that is asked for tells the
// pulse that the one before is done.
func pass(ctx context.Context, pulse *pulse, split data.Split, cfg data.LoaderConfig) exec.Pass {
	return func(yield func(exec.Batch, error) bool) {
		loader, err := data.NewLoader(ctx, split, cfg)
		if err != nil {
			yield(exec.Batch{}, err)
			return
		}
		defer loader.Close()
		first := 0
		for b, err := range loader.Epoch(0) {
			pulse.beat()
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(exec.Batch{}, err)
				return
			}
			batch := batchOf(b)
			batch.First = first
			if !yield(batch, nil) {
				return
			}
			first += b.Valid
		}
	}
}
