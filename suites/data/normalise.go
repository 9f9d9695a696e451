package data

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"bayesbench/internal/nearest"
)

// Scheme names a map from stored examples, and targets that are numbers, to what a network is fed.
type Scheme string

const (
	Unit255 Scheme = "unit255" // of pixels: x/255
	Unit256 Scheme = "unit256" // of pixels: x/256, as the sparse variational dropout papers feed MNIST
	// Standard is (x - mean)/sd. Of pixels it is (x/255 - mean)/sd by channel, with the set's
	// published constants. Of numbers it is by column, with mean and sd over the training split in
	// use: what is left after Options chose the split, held out validation and applied its limit.
	// sd = √(Σ(x - mean)²/n), and 1 where that is 0. Targets that are numbers are standardised so
	// too. Under the other schemes they stay as they are stored.
	Standard Scheme = "standard"
	None     Scheme = "none" // of numbers: as they are stored
)

// Normalisations lists the schemes that the sets of info know, the default first; none where the
// kind of their examples cannot be fed.
func Normalisations(info Info) []Scheme {
	if f, ok := feeders[info.Kind]; ok {
		return f.schemes(info)
	}
	return nil
}

// Scale is the map of a column from its stored unit to the normalised one, z = (x - Mean)/SD. So x
// = Mean + SD·z, and a variance in the stored unit is SD² times the normalised one.
type Scale struct{ Mean, SD float64 }

// asStored leaves a column in its stored unit.
var asStored = Scale{0, 1}

// normalised is z of x.
func (s Scale) normalised(x float64) float64 { return (x - s.Mean) / s.SD }

// Normalisation is a scheme made ready for one set.
type Normalisation struct {
	inputs  inputs
	targets []Scale // of targets that are numbers
}

// column is what the training split in use says of one number of its examples.
type column struct {
	Scale
	least, greatest float64 // as stored
}

// NewNormalisation prepares scheme for set. A model that is tested on another set than it was
// trained on keeps the normalisation of its training set.
func NewNormalisation(scheme Scheme, set *Set) (Normalisation, error) {
	known := Normalisations(set.Info)
	if !slices.Contains(known, scheme) {
		return Normalisation{}, unknownScheme(scheme, set.Info, known)
	}
	var n Normalisation
	var err error
	if n.inputs, err = feeders[set.Kind].inputs(scheme, set); err != nil {
		return n, err
	}
	for _, c := range targetColumns(set.Train) {
		if scheme != Standard {
			c.Scale = asStored
		}
		n.targets = append(n.targets, c.Scale)
	}
	return n, nil
}

// unknownScheme says which schemes there are for the set.
func unknownScheme(scheme Scheme, info Info, known []Scheme) error {
	var names []string
	for _, k := range known {
		names = append(names, string(k))
	}
	switch {
	case known == nil:
		return fmt.Errorf("normalisation %q: data set %q has %s, which are not normalised", scheme, info.Name, info.Kind)
	case scheme == Standard:
		return fmt.Errorf("normalisation %q: no mean and deviation are published for data set %q; want %s",
			scheme, info.Name, strings.Join(names, " or "))
	}
	return fmt.Errorf("normalisation %q: data set %q has %s; want %s; did you mean %q?", scheme, info.Name, info.Kind,
		strings.Join(names, " or "), nearest.Name(string(scheme), names))
}

// targetColumns are the columns of the targets of a split, none where they are classes.
func targetColumns(s Split) []column {
	return columns(s.Len(), s.Targets().Width, s.Target)
}

// columns are the means, deviations and ranges of n > 0 rows of width numbers, of which read writes
// row i. A column of one value has that value for its mean, without rounding. Products are rounded
// before they are added, so that no machine fuses the two and has other bits.
func columns(n, width int, read func(dst []float64, i int)) []column {
	all, row := make([]column, width), make([]float64, width)
	if width == 0 {
		return all
	}
	for i := range n {
		read(row, i)
		for j, v := range row {
			c := &all[j]
			c.Mean += v
			if i == 0 {
				c.least, c.greatest = v, v
			}
			c.least, c.greatest = min(c.least, v), max(c.greatest, v)
		}
	}
	for j := range all {
		all[j].Mean /= float64(n)
	}
	for i := range n {
		read(row, i)
		for j, v := range row {
			d := v - all[j].Mean
			all[j].SD += float64(d * d)
		}
	}
	for j := range all {
		c := &all[j]
		c.SD = math.Sqrt(c.SD / float64(n))
		if c.constant() {
			c.Scale = Scale{c.least, 1}
		}
	}
	return all
}

// constant tells whether the column has one value.
func (c column) constant() bool { return c.least == c.greatest }

// Targets is the map of each target that is a number; it is nil where targets are classes. A
// predictive mean m and variance v in the normalised unit are Mean + SD·m and SD²·v in the stored
// one.
func (n Normalisation) Targets() []Scale { return n.targets }

// Range is the least and the greatest input of a channel or column: black and white of pixels; of
// numbers those in the training split in use.
func (n Normalisation) Range(channel int) (least, greatest float32) { return n.inputs.span(channel) }

// target writes a normalised target to dst. One of a class stays as it is.
func (n Normalisation) target(dst []float32, src []float64) {
	if n.targets == nil {
		for j, v := range src {
			dst[j] = float32(v)
		}
		return
	}
	for j, v := range src {
		dst[j] = float32(n.targets[j].normalised(v))
	}
}
