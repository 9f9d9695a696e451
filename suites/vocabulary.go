package suites

import (
	"slices"

	"bayesbench/internal/nearest"
)

// Vocabulary is what a suite may call things by, and what it means where it says nothing.
// The packages that implement these things declare the words; this package knows none of
// them, and refuses a word that is not there.
type Vocabulary struct {
	Train          Train    // how a loss is minimised where [train] does not say
	Optimizers     []string // train.optimizer
	Schedules      []string // train.schedule
	Normalisations []string // data.normalise
	LabelNoises    []string // data.random_labels
	Attacks        []string // eval.attack
	Datasets       []string // the names of data sets that the program has
	// Normalise is the default of data.normalise for the data set of that name.
	Normalise func(set string) string
	// Splits is how many published divisions into train and test the data set of that name
	// has, 0 where there is one alone or no such set.
	Splits func(set string) int
	// Content is the hash of what a file of that path holds, with other files that belong to it. It
	// refuses one that is not there. Nil where a suite names no files.
	Content func(path string) (string, error)
	// Dir is the folder from which a suite gives the paths of files; where empty, the suite's own.
	Dir string
	// Parts are the tables of a method that hold the methods which it is made of.
	Parts []string
	// Files are the keys of a method whose value is a list by nature, of words that may name files.
	Files []string
}

// config is the one of a suite that says nothing.
func (v *Vocabulary) config() Config {
	c := Config{Train: v.Train, Eval: Eval{Samples: 1, Batch: 500}}
	c.Train.Epochs, c.Train.Batch = 1, 100
	return c
}

// word refuses a name that is not known, and says which was meant.
func (t Table) word(table, key, found string, known []string) error {
	if slices.Contains(known, found) {
		return nil
	}
	named := slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == "" })
	return t.Errorf(key, "%s.%s: unknown %q%s", table, key, found, nearest.Hint(found, named))
}
