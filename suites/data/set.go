package data

import (
	"fmt"
	"slices"

	"bayesbench/suites/data/fetch"
	"bayesbench/suites/data/pixel"
)

// Info describes a data set without opening it.
type Info struct {
	Name  string
	About string // one line
	Examples
	Targets
	Licence string // terms of use, as far as they are published

	// Mean and Std are the published per-channel constants for scheme "standard", of pixels scaled
	// to [0,1].
	Mean, Std []float64

	// Splits is how many published divisions into train and test there are, of which Options.Split
	// chooses one. 0 means one.
	Splits int

	Against []string // the usual out-of-distribution partners (see OpenAgainst)
}

// Set is an opened data set.
type Set struct {
	Info
	ClassNames []string // one a class; nil where classes have no names but their numbers
	Train      Split    // empty for sets that exist for testing only
	Validation Split    // held out of train by Options.Validation; empty otherwise
	Test       Split
	Hash       string // sha256 over the canonical content, whatever the options; recorded with every result
	From       string // the folder or archive it was read from

	Skipped []Skipped // what lies in From and was not read, by reason
	Notes   []string  // what a reader of results should know of the training split in use, a sentence each

	byClass bool // both splits are stored class by class, so that the first examples are of few classes
}

// Split is a list of examples with their targets, with random access. Its methods may be called
// from several goroutines.
type Split interface {
	Len() int
	Examples() Examples
	Targets() Targets
	// Example is example i as it is stored.
	Example(i int) (Example, error)
	// Target writes the Targets().Columns() numbers of example i to dst: a 1 at its class and 0
	// elsewhere, or the numbers in the unit in which they are stored.
	Target(dst []float64, i int)
}

// Example is one example. The field of its split's Kind is set. It is the split's memory, and not
// to be written.
type Example struct {
	// Picture may have any size where the split's images do. pixel.Image.Fit brings it to the
	// split's shape.
	Picture pixel.Picture
	Numbers []float64
	Field   []float32
	Tokens  []uint32
}

// Labels is the class of each example of a split whose targets are classes.
func Labels(s Split) []int {
	target := make([]float64, s.Targets().Classes)
	labels := make([]int, s.Len())
	for i := range labels {
		s.Target(target, i)
		labels[i] = slices.Index(target, 1)
	}
	return labels
}

// oneHot writes a class as a target.
func oneHot(dst []float64, class int) {
	clear(dst)
	dst[class] = 1
}

// Options say which part of a data set to open, and where its files may come from. The zero value
// is the whole set from wherever it is found first.
type Options struct {
	Dir     string // look here first
	Offline bool   // look in folders only: run no package manager and open no connection

	// TrainLimit and TestLimit keep n examples of the split; 0 keeps all. They are the first n
	// where a set is stored in random order. Where it is stored class by class they are n of every
	// class in turn: see spread.
	TrainLimit, TestLimit int

	// Split is which of Info.Splits divisions into train and test to open, from 0 on.
	Split int

	// Validation holds n examples out of the training split before TrainLimit applies. They are
	// drawn without replacement, always the same ones.
	Validation int

	// ValidationLast instead holds out the last examples of the training split as it is stored. Of
	// n examples, ⌊(1 - ValidationLast)·n⌋ stay. 0 holds out none. Gal and Ghahramani (2016) choose
	// their grid on the last fifth.
	ValidationLast float64

	// RandomLabels replaces labels by uniform draws: the memorisation test of Zhang et al. (2017),
	// "Understanding deep learning requires rethinking generalization". An example's label depends
	// on its place in the stored split alone, so limits do not change it.
	RandomLabels LabelNoise

	// Size is the side in pixels that image folders are resized to: shorter side to Size, then the
	// centre square. 0 means 64. Sets of one size accept 0 and their own.
	Size int

	// CacheBytes bounds the decoded images kept in memory for sets that are decoded on demand; 0
	// means 256 MiB.
	CacheBytes int64

	// Own are the sets of the user's own, by name.
	Own map[string]*Own

	Progress fetch.Progress // told of downloads and decoding; may be nil
}

// OptionError says which of the Options does not fit a set.
type OptionError struct {
	Option string // as a suite spells it: "split", "size", "validation", "validation_last", "random_labels", "train" or "test"
	Err    error
}

func (e *OptionError) Error() string { return e.Err.Error() }
func (e *OptionError) Unwrap() error { return e.Err }

// unfit is an OptionError.
func unfit(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// LabelNoise says which splits lose their true labels.
type LabelNoise string

const (
	TrueLabels        LabelNoise = ""
	RandomTrainLabels LabelNoise = "train" // training (and validation) labels are random; test labels stay true
	RandomAllLabels   LabelNoise = "all"
)
