package results

import (
	"cmp"
	"strings"
)

// SplitKey is the configuration key of the split of a data set that comes in several: which
// examples train and which test.
const SplitKey = "data-split"

// Replicate tells the jobs of one setup apart: by the seed, and by the split of the data where the
// set has several. Results of two methods pair where they have the same of both, and a mean ±
// spread is over them.
type Replicate struct {
	Seed  string // as written, "" if there is none
	Split string // as written, "" if there is none
}

// Replicate returns the record's seed and split.
func (r *Record) Replicate() Replicate {
	return Replicate{Seed: r.Seed(), Split: r.ConfigValue(SplitKey)}
}

// Compare orders replicates by seed and then by split, as numbers where they are numbers.
func (r Replicate) Compare(o Replicate) int {
	return cmp.Or(compareNumbers(r.Seed, o.Seed), compareNumbers(r.Split, o.Split))
}

// Keys are the configuration keys and values of a replicate, those that it has.
func (r Replicate) Keys() []Pair {
	var keys []Pair
	if r.Split != "" {
		keys = append(keys, Pair{SplitKey, r.Split})
	}
	if r.Seed != "" {
		keys = append(keys, Pair{"seed", r.Seed})
	}
	return keys
}

// String is a replicate in a message: "seed 0, split 3", "" if it has neither.
func (r Replicate) String() string {
	var parts []string
	if r.Seed != "" {
		parts = append(parts, "seed "+r.Seed)
	}
	if r.Split != "" {
		parts = append(parts, "split "+r.Split)
	}
	return strings.Join(parts, ", ")
}
