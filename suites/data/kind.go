package data

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"bayesbench/backends/rng"
)

// Kind says what the numbers of an example are, as they are stored. What the package does with one
// kind stands in a file of its own: pixels.go, numbers.go, fields.go.
type Kind string

const (
	Pixels  Kind = "pixels"  // bytes, an image; Shape is channels, height, width
	Numbers Kind = "numbers" // float64, a row of a table
	Fields  Kind = "fields"  // float32, an image of numbers; Shape is channels, height, width
	Tokens  Kind = "tokens"  // uint32, places in a vocabulary; no set has them yet, and no loader feeds them
)

// feeder is how examples of one kind become what a network is fed.
type feeder interface {
	// schemes lists the normalisations that the sets of info know, the default first.
	schemes(info Info) []Scheme
	// inputs prepares a normalisation for the examples of a set.
	inputs(scheme Scheme, set *Set) (inputs, error)
	// notes is what a reader of results should know of the training split in use, a sentence each.
	notes(set *Set) ([]string, error)
	// store writes the examples of a split as a numpy array, see WriteStored.
	store(ctx context.Context, to io.Writer, s Split) error
}

// inputs is a normalisation of examples of one kind.
type inputs interface {
	// String says what is normalised, such as "3 channels of pixels".
	String() string
	// fit tells whether it is for such examples.
	fit(e Examples) bool
	// span is the least and the greatest input of a channel or column, normalised.
	span(channel int) (least, greatest float32)
	// writer makes the writer of one goroutine.
	writer(l *Loader) writer
}

// writer turns examples of one kind into rows of a batch.
type writer interface {
	// write writes e, which is example i of the split, to dst, augmented and normalised. Its random
	// numbers are drawn under the key of the epoch.
	write(dst []float32, e Example, i int, epoch rng.Key) error
}

// feeders has the feeder of each kind that can be fed; its file puts it here.
var feeders = map[Kind]feeder{}

// note adds what is noted of examples of the set's kind.
func (s *Set) note() error {
	f, ok := feeders[s.Kind]
	if !ok {
		return nil
	}
	notes, err := f.notes(s)
	s.Notes = append(s.Notes, notes...)
	return err
}

// fed names the kinds that have a feeder.
func fed() string {
	var names []string
	for k := range feeders {
		names = append(names, string(k))
	}
	slices.Sort(names)
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// Examples says what one example of a set is.
type Examples struct {
	Kind  Kind
	Shape []int // of an example in a batch. Height and width 0: Options.Size decides.
}

// Size is how many numbers an example has.
func (e Examples) Size() int {
	n := 1
	for _, d := range e.Shape {
		n *= d
	}
	return n
}

// String is "pixels 3x32x32" or "numbers 13".
func (e Examples) String() string {
	dims := make([]string, len(e.Shape))
	for i, d := range e.Shape {
		dims[i] = fmt.Sprint(d)
		if d == 0 {
			dims[i] = "any"
		}
	}
	return string(e.Kind) + " " + strings.Join(dims, "x")
}

// Targets says what is known of an example and to be learnt: one of Classes, or Width numbers.
type Targets struct {
	Classes int // 0 where the target is numbers, and of a folder of images that is not opened yet
	Width   int // 0 where the target is a class
}

// Columns is how many numbers a target has: one for each class, or Width.
func (t Targets) Columns() int {
	if t.Width > 0 {
		return t.Width
	}
	return t.Classes
}

// String is "10 classes", "1 number" or "2 numbers".
func (t Targets) String() string {
	switch {
	case t.Width == 1:
		return "1 number"
	case t.Width > 1:
		return fmt.Sprintf("%d numbers", t.Width)
	case t.Classes == 0:
		return "any classes"
	}
	return fmt.Sprintf("%d classes", t.Classes)
}
