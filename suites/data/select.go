package data

import (
	"slices"

	"bayesbench/backends/rng"
)

// Stream numbers of the draws that an opened set makes under noKey.
const (
	streamValidation uint32 = iota + 1
	streamTrainLabels
	streamTestLabels
	streamSpread
	streamOwn
)

// noKey keys the draws of an opened set: they are the same for every seed of a suite.
var noKey = rng.Key{}

// choose applies the options that say which examples a set keeps and under which labels.
func (s *Set) choose(opt Options) error {
	train, test := s.Train, s.Test // with their true labels
	if opt.RandomLabels != TrueLabels && s.Classes == 0 {
		return unfit("random_labels", "random labels %q: its targets are %s, not classes", opt.RandomLabels, s.Targets)
	}
	switch opt.RandomLabels {
	case TrueLabels:
	case RandomAllLabels:
		s.Test = newRelabelled(s.Test, streamTestLabels)
		fallthrough
	case RandomTrainLabels:
		s.Train = newRelabelled(s.Train, streamTrainLabels)
	default:
		return unfit("random_labels", "random labels: want %q, %q or none, found %q", RandomTrainLabels, RandomAllLabels, opt.RandomLabels)
	}
	held, kept, err := s.holdOut(opt)
	if err != nil {
		return err
	}
	if held != nil {
		s.Validation, s.Train, train = subset{s.Train, held}, subset{s.Train, kept}, subset{train, kept}
	}
	order := inOrder
	if s.byClass {
		order = spread
	}
	if s.Train, err = limit(s.Train, opt.TrainLimit, "train", func() []int32 { return order(train) }); err != nil {
		return err
	}
	s.Test, err = limit(s.Test, opt.TestLimit, "test", func() []int32 { return order(test) })
	return err
}

// holdOut divides the training split into examples for validation, nil for none, and those that
// stay. Both keep the stored order, so that TrainLimit can mean the first examples.
func (s *Set) holdOut(opt Options) (held, kept []int32, err error) {
	n, last, all := opt.Validation, opt.ValidationLast, s.Train.Len()
	switch {
	case n == 0 && last == 0:
		return nil, nil, nil
	case s.Validation.Len() > 0:
		return nil, nil, unfit("validation", "validation: the set has a validation split of its own, of %d examples", s.Validation.Len())
	case n != 0 && last != 0:
		return nil, nil, unfit("validation", "validation of %d examples and of the last %v of them: say one of the two", n, last)
	case n < 0 || n >= all:
		return nil, nil, unfit("validation", "validation of %d examples: the training split has %d, at least one must stay", n, all)
	case n > 0:
		order := rng.Perm(all, noKey, streamValidation)
		held, kept = order[:n], order[n:]
		slices.Sort(held)
		slices.Sort(kept)
		return held, kept, nil
	case !(last > 0 && last < 1):
		return nil, nil, unfit("validation_last", "validation of the last %v of the training split: want a share between 0 and 1", last)
	case s.byClass:
		return nil, nil, unfit("validation_last", "validation of the last %v of the training split: it is stored class by class, the last are of few "+
			"classes; want a number of examples, which are drawn", last)
	}
	stay := int((1 - last) * float64(all))
	if stay < 1 || stay == all {
		return nil, nil, unfit("validation_last", "validation of the last %v of %d examples holds out %d, at least one must be held out and one stay",
			last, all, all-stay)
	}
	order := inOrder(s.Train)
	return order[stay:], order[:stay], nil
}

// limit keeps n examples of s, the first of order, in the order in which they are stored; 0 keeps
// all.
func limit(s Split, n int, name string, order func() []int32) (Split, error) {
	switch {
	case n == 0 || n == s.Len():
		return s, nil
	case n < 0 || n > s.Len():
		return nil, unfit(name, "limit of %d examples: split %s has %d", n, name, s.Len())
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

func (s subset) Len() int                       { return len(s.index) }
func (s subset) Example(i int) (Example, error) { return s.Split.Example(int(s.index[i])) }
func (s subset) Target(dst []float64, i int)    { s.Split.Target(dst, int(s.index[i])) }

// relabelled is a split whose labels are uniform draws.
type relabelled struct {
	Split
	labels []int32
}

func newRelabelled(s Split, stream uint32) Split {
	u := make([]float32, s.Len())
	rng.Uniform(u, noKey, stream)
	labels := make([]int32, len(u))
	for i, v := range u {
		labels[i] = int32(float64(v) * float64(s.Targets().Classes)) // v < 1, so below Classes
	}
	return relabelled{s, labels}
}

func (s relabelled) Target(dst []float64, i int) { oneHot(dst, int(s.labels[i])) }
