package exec

import (
	"iter"

	"bayesbench/backends"
)

// Batch is what one run of a program reads of a data set: X and Y are the
// parameters "x" and "y" of its type, with rows beyond Valid that count for
// nothing. Y may be empty where no program asks for it.
type Batch struct {
	X, Y  backends.Data
	First int // the number of the first row in its set, on which noise by rows depends
	Valid int // rows that are examples
}

// Feed gives the batches of training steps, one after the other without end. A
// batch is valid until the next.
type Feed interface {
	Next() (Batch, error)
}

// Pass visits a set once, in batches. It stops after an error.
type Pass = iter.Seq2[Batch, error]

// Load writes the parts of a batch, where the program has them.
func (p *Program) Load(b Batch) error {
	if x, ok := p.inputs["x"]; ok {
		if err := x.Write(b.X); err != nil {
			return err
		}
	}
	if y, ok := p.inputs["y"]; ok {
		return y.Write(b.Y)
	}
	return nil
}
