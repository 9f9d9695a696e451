package data

import (
	"context"
	"fmt"
	"io"

	"bayesbench/internal/npy"
)

// exportRows is how many examples are normalised at a time.
const exportRows = 256

// WriteInputs writes the examples of a split as a numpy array of float32, [examples, shape…], in
// the order of the split: normalised, as a network sees them.
func WriteInputs(ctx context.Context, to io.Writer, s Split, norm Normalisation) error {
	w, err := npy.NewWriter[float32](to, append([]int{s.Len()}, s.Examples().Shape...)...)
	if err != nil || s.Len() == 0 {
		return err
	}
	loader, err := NewLoader(ctx, s, LoaderConfig{Batch: min(exportRows, s.Len()), Order: Sequential, Norm: norm})
	if err != nil {
		return err
	}
	defer loader.Close()
	size := s.Examples().Size()
	for b, err := range loader.Epoch(0) {
		if err != nil {
			return err
		}
		if err := w.Write(b.X[:b.Valid*size]); err != nil {
			return err
		}
	}
	return w.Close()
}

// WriteStored writes the examples of a split as they are stored: images as uint8, [examples,
// channels, height, width], and brought to the split's size where they have any; rows of numbers as
// float64, [examples, columns], in the unit of their file.
func WriteStored(ctx context.Context, to io.Writer, s Split) error {
	f, ok := feeders[s.Examples().Kind]
	if !ok {
		return fmt.Errorf("examples are %s: only %s are written", s.Examples(), fed())
	}
	return f.store(ctx, to, s)
}

// WriteTargets writes the targets of a split: classes as int64, [examples], counted from 0; numbers
// as float64, [examples, targets], in the unit in which they are stored.
func WriteTargets(to io.Writer, s Split) error {
	t := s.Targets()
	if t.Width == 0 {
		labels := make([]int64, s.Len())
		for i, class := range Labels(s) {
			labels[i] = int64(class)
		}
		return npy.Write(to, labels, len(labels))
	}
	w, err := npy.NewWriter[float64](to, s.Len(), t.Width)
	if err != nil {
		return err
	}
	row := make([]float64, t.Width)
	for i := range s.Len() {
		s.Target(row, i)
		if err := w.Write(row); err != nil {
			return err
		}
	}
	return w.Close()
}

// storeRows writes an array of a row for each example.
func storeRows[T npy.Number](ctx context.Context, to io.Writer, s Split, row func(e Example) []T) error {
	w, err := npy.NewWriter[T](to, append([]int{s.Len()}, s.Examples().Shape...)...)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e, err := s.Example(i)
		if err != nil {
			return fmt.Errorf("example %d: %w", i, err)
		}
		if err := w.Write(row(e)); err != nil {
			return err
		}
	}
	return w.Close()
}
