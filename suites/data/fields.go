package data

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"

	"bayesbench/backends/rng"
)

func init() { feeders[Fields] = fieldFeeder{} }

// fieldFeeder feeds images of float32, which are numbers with channels: what was made of
// photographs elsewhere, spectrograms, maps. They are standardised by channel, and not augmented or
// corrupted.
type fieldFeeder struct{}

func (fieldFeeder) schemes(Info) []Scheme { return []Scheme{Standard, None} }

func (fieldFeeder) inputs(scheme Scheme, set *Set) (inputs, error) {
	if set.Train.Len() == 0 {
		return nil, fmt.Errorf("normalisation: data set %q has no training examples", set.Name)
	}
	all, err := channelsOf(set.Train)
	if err != nil {
		return nil, err
	}
	if scheme != Standard {
		for j := range all {
			all[j].Scale = asStored
		}
	}
	return fieldInputs(all), nil
}

func (fieldFeeder) notes(*Set) ([]string, error) { return nil, nil }

// store writes images as they are stored.
func (fieldFeeder) store(ctx context.Context, to io.Writer, s Split) error {
	return storeRows(ctx, to, s, func(e Example) []float32 { return e.Field })
}

// channelsOf are mean, deviation and range of each channel of the split. Products are rounded
// before they are added, as in columns.
func channelsOf(s Split) ([]column, error) {
	shape := s.Examples().Shape
	all, plane := make([]column, shape[0]), shape[1]*shape[2]
	each := func(do func(c *column, x float64)) error {
		var failed error
		for i := range s.Len() {
			e, err := s.Example(i)
			failed = cmp.Or(failed, err)
			for j, x := range e.Field {
				do(&all[j/plane], float64(x))
			}
		}
		return failed
	}
	for c := range all {
		all[c].least, all[c].greatest = math.Inf(1), math.Inf(-1)
	}
	if err := each(func(c *column, x float64) {
		c.Mean += x
		c.least, c.greatest = min(c.least, x), max(c.greatest, x)
	}); err != nil {
		return nil, err
	}
	n := float64(s.Len()) * float64(plane)
	for c := range all {
		all[c].Mean /= n
	}
	if err := each(func(c *column, x float64) {
		d := x - c.Mean
		c.SD += float64(d * d)
	}); err != nil {
		return nil, err
	}
	for c := range all {
		all[c].SD = math.Sqrt(all[c].SD / n)
		if all[c].constant() {
			all[c].Scale = Scale{all[c].least, 1}
		}
	}
	return all, nil
}

// fieldInputs has what the training split in use says of each channel.
type fieldInputs []column

func (f fieldInputs) String() string      { return fmt.Sprintf("%d channels of fields", len(f)) }
func (f fieldInputs) fit(e Examples) bool { return e.Kind == Fields && e.Shape[0] == len(f) }

// span is that in the training split in use.
func (f fieldInputs) span(channel int) (least, greatest float32) {
	c := f[channel]
	return float32(c.normalised(c.least)), float32(c.normalised(c.greatest))
}

func (f fieldInputs) writer(*Loader) writer { return f }

func (f fieldInputs) write(dst []float32, e Example, _ int, _ rng.Key) error {
	plane := len(dst) / len(f)
	for j, x := range e.Field {
		dst[j] = float32(f[j/plane].normalised(float64(x)))
	}
	return nil
}
