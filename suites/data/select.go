package data

import (
	"fmt"
	"slices"

	"bayesbench/backends/rng"
	"bayesbench/suites/data/pixel"
)

// Stream numbers of the draws an opened set makes under rng.Key{Options.Seed, 0}.
const (
	streamValidation uint32 = iota + 1
	streamTrainLabels
	streamTestLabels
	streamSpread // under the key 0, not the seed's
)

// choose applies the options that say which examples a set keeps and under which labels.
func (s *Set) choose(opt Options) error {
	key := rng.Key{opt.Seed, 0}
	train, test := s.Train, s.Test // with their true labels
	switch opt.RandomLabels {
	case TrueLabels:
	case RandomAllLabels:
		s.Test = newRelabelled(s.Test, key, streamTestLabels)
		fallthrough
	case RandomTrainLabels:
		s.Train = newRelabelled(s.Train, key, streamTrainLabels)
	default:
		return fmt.Errorf("random labels %q: expected %q, %q or none", opt.RandomLabels, RandomTrainLabels, RandomAllLabels)
	}
	if n := opt.Validation; n != 0 {
		if n < 0 || n >= s.Train.Len() {
			return fmt.Errorf("validation of %d examples: the training split has %d, at least one must stay", n, s.Train.Len())
		}
		order := rng.Perm(s.Train.Len(), key, streamValidation)
		held, kept := order[:n], order[n:]
		// Both keep the stored order, so that TrainLimit can mean the first examples.
		slices.Sort(held)
		slices.Sort(kept)
		s.Validation, s.Train, train = subset{s.Train, held}, subset{s.Train, kept}, subset{train, kept}
	}
	order := inOrder
	if s.byClass {
		order = spread
	}
	var err error
	if s.Train, err = limit(s.Train, opt.TrainLimit, "train", func() []int32 { return order(train) }); err != nil {
		return err
	}
	s.Test, err = limit(s.Test, opt.TestLimit, "test", func() []int32 { return order(test) })
	return err
}

// limit keeps n examples of s, the first of order, in the order in which they are stored; 0 keeps all.
func limit(s Split, n int, name string, order func() []int32) (Split, error) {
	switch {
	case n == 0 || n == s.Len():
		return s, nil
	case n < 0 || n > s.Len():
		return nil, fmt.Errorf("limit of %d examples: split %s has %d", n, name, s.Len())
	}
	index := order()[:n]
	slices.Sort(index)
	return subset{s, index}, nil
}

// inOrder visits a split as it is stored.
func inOrder(s Split) []int32 {
	order := make([]int32, s.Len())
	for i := range order {
		order[i] = int32(i)
	}
	return order
}

// subset is a split's examples at the given places.
type subset struct {
	Split
	index []int32
}

func (s subset) Len() int                            { return len(s.index) }
func (s subset) Label(i int) int                     { return s.Split.Label(int(s.index[i])) }
func (s subset) Read(dst []uint8, i int) error       { return s.Split.Read(dst, int(s.index[i])) }
func (s subset) Native(i int) (pixel.Picture, error) { return s.Split.Native(int(s.index[i])) }

// relabelled is a split whose labels are uniform draws.
type relabelled struct {
	Split
	labels []int32
}

func newRelabelled(s Split, key rng.Key, stream uint32) Split {
	u := make([]float32, s.Len())
	rng.Uniform(u, key, stream)
	labels := make([]int32, len(u))
	for i, v := range u {
		labels[i] = int32(float64(v) * float64(s.Classes())) // v < 1, so below Classes
	}
	return relabelled{s, labels}
}

func (s relabelled) Label(i int) int { return int(s.labels[i]) }
