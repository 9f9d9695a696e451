package data

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"bayesbench/backends/rng"
)

func init() { feeders[Numbers] = numberFeeder{} }

// numberFeeder feeds rows of numbers.
type numberFeeder struct{}

func (numberFeeder) schemes(Info) []Scheme { return []Scheme{Standard, None} }

func (numberFeeder) inputs(scheme Scheme, set *Set) (inputs, error) {
	if set.Train.Len() == 0 {
		return nil, fmt.Errorf("normalisation: data set %q has no training examples", set.Name)
	}
	all, err := inputColumns(set.Train)
	if err != nil {
		return nil, err
	}
	if scheme != Standard {
		for j := range all {
			all[j].Scale = asStored
		}
	}
	return numberInputs(all), nil
}

// notes tells which inputs of the training split in use have one value: nothing can be learnt from
// them, and they are standardised to 0.
func (numberFeeder) notes(s *Set) ([]string, error) {
	if s.Train.Len() == 0 {
		return nil, nil
	}
	all, err := inputColumns(s.Train)
	if err != nil {
		return nil, err
	}
	var constant []string
	for j, c := range all {
		if c.constant() {
			constant = append(constant, fmt.Sprint(j))
		}
	}
	if constant == nil {
		return nil, nil
	}
	return []string{fmt.Sprintf("inputs that have one value in the %d training examples, and stand at 0 when they are "+
		"standardised: %s of 0 to %d", s.Train.Len(), strings.Join(constant, ", "), len(all)-1)}, nil
}

// store writes rows in the unit of their file.
func (numberFeeder) store(ctx context.Context, to io.Writer, s Split) error {
	return storeRows(ctx, to, s, func(e Example) []float64 { return e.Numbers })
}

// inputColumns are the columns of the examples of a split of numbers.
func inputColumns(s Split) ([]column, error) {
	var err error
	all := columns(s.Len(), s.Examples().Size(), func(dst []float64, i int) {
		e, failed := s.Example(i)
		err = cmp.Or(err, failed)
		copy(dst, e.Numbers)
	})
	return all, err
}

// numberInputs has what the training split in use says of each number.
type numberInputs []column

func (n numberInputs) String() string      { return fmt.Sprintf("%d columns of numbers", len(n)) }
func (n numberInputs) fit(e Examples) bool { return e.Kind == Numbers && e.Shape[0] == len(n) }

// span is that in the training split in use.
func (n numberInputs) span(column int) (least, greatest float32) {
	c := n[column]
	return float32(c.normalised(c.least)), float32(c.normalised(c.greatest))
}

func (n numberInputs) writer(*Loader) writer { return n }

func (n numberInputs) write(dst []float32, e Example, _ int, _ rng.Key) error {
	for j, v := range e.Numbers {
		dst[j] = float32(n[j].normalised(v))
	}
	return nil
}
