package data

import (
	"bayesbench/suites/data/fetch"
	"bayesbench/suites/data/pixel"
)

// Info describes a data set without opening it.
type Info struct {
	Name    string
	About   string // one line
	Classes int    // 0: known only when opened (imagenet-folder)
	Shape   [3]int // channels, height, width; height and width 0: Options.Size decides
	Licence string // terms of use, as far as they are published

	// Mean and Std are the published per-channel constants for scheme "standard", of pixels scaled to [0,1].
	Mean, Std []float64

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

	byClass bool // both splits are stored class by class, so that the first examples are of few classes
}

// Split is a list of labelled images with random access. Its methods may be called from several goroutines.
type Split interface {
	Len() int
	Classes() int
	Shape() [3]int // channels, height, width of what Read gives
	Label(i int) int
	// Read writes example i to dst, channel by channel: C*H*W bytes. It is Native, fitted to Shape by pixel.Image.Fit.
	Read(dst []uint8, i int) error
	// Native returns example i at the size it is stored in, which for sets of one size is Shape.
	Native(i int) (pixel.Picture, error)
}

// Options say which part of a data set to open, and where its files may come from. The zero value is the whole set from
// wherever it is found first.
type Options struct {
	Dir     string // look here first
	Offline bool   // look in folders only: run no package manager and open no connection

	// TrainLimit and TestLimit keep n examples of the split; 0 keeps all. They are the first n where a set is stored in
	// random order. Where it is stored class by class they are n of every class in turn: see spread.
	TrainLimit, TestLimit int

	// Validation holds n examples, drawn without replacement by Seed, out of the training split before TrainLimit applies.
	Validation int

	// RandomLabels replaces labels by uniform draws from Seed: the memorisation test of Zhang et al. (2017),
	// "Understanding deep learning requires rethinking generalization". An example's label depends on its place in the
	// stored split alone, so limits do not change it.
	RandomLabels LabelNoise

	Seed uint32 // of Validation and RandomLabels

	// Size is the side in pixels that image folders are resized to: shorter side to Size, then the centre square.
	// 0 means 64. Sets of one size accept 0 and their own.
	Size int

	// CacheBytes bounds the decoded images kept in memory for sets that are decoded on demand; 0 means 256 MiB.
	CacheBytes int64

	Progress fetch.Progress // told of downloads and decoding; may be nil
}

// LabelNoise says which splits lose their true labels.
type LabelNoise string

const (
	TrueLabels        LabelNoise = ""
	RandomTrainLabels LabelNoise = "train" // training (and validation) labels are random; test labels stay true
	RandomAllLabels   LabelNoise = "all"
)
