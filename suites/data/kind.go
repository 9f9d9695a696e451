package data

import (
	"fmt"
	"strings"
)

// Kind says what the numbers of an example are, as they are stored.
type Kind string

const (
	Pixels  Kind = "pixels"  // bytes, an image; Shape is channels, height, width
	Numbers Kind = "numbers" // float64, a row of a table
	Tokens  Kind = "tokens"  // uint32, places in a vocabulary; no set has them yet, and no loader feeds them
)

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

// anySize tells whether Options.Size decides the size of the examples.
func (e Examples) anySize() bool { return e.Kind == Pixels && e.Shape[1] == 0 }

// image is the shape of pixels: channels, height, width.
func (e Examples) image() [3]int { return [3]int(e.Shape) }

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
