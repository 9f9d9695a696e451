package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"bayesbench/backends/rng"
	"bayesbench/internal/nearest"
)

// Files says where a data set of the user's own lies and how it is read: the keys of a table
// [dataset.NAME] of a suite (suites.Files), with paths that a program can open. One of these is
// given:
//
//   - arrays, each a .npy or an IDX file: Inputs and Targets of the whole set, or those of splits.
//     Where NPZ is given they are the names of its arrays, and have defaults;
//   - tables, CSV of the whole set or those of splits;
//   - Folder, of images.
type Files struct {
	Inputs, Targets                       string
	TrainInputs, TrainTargets             string
	ValidationInputs, ValidationTargets   string
	TestInputs, TestTargets               string
	NPZ                                   string
	CSV, TrainCSV, ValidationCSV, TestCSV string
	Target, Drop                          []string
	Separator                             string
	Folder                                string
	TestShare                             float64
	Splits                                int
	Task                                  string
	Layout                                string
}

// The values of Files.Task and Files.Layout.
const (
	classification = "classification"
	regression     = "regression"
	channelsFirst  = "nchw"
	channelsLast   = "nhwc"
)

// Own is a data set of the user's own. Its files are read when it is first opened, and kept.
type Own struct {
	Files
	once    sync.Once
	content *content // of arrays and tables
	err     error
}

// FileError says which key of a table [dataset.NAME] does not fit, or names a file that does not.
type FileError struct {
	Key string // "" is the table as a whole
	Err error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// misfit is a FileError.
func misfit(key, format string, args ...any) error {
	return &FileError{key, fmt.Errorf(format, args...)}
}

// keyed makes err a FileError of the key, if it is none yet.
func keyed(key string, err error) error {
	if err == nil || errors.As(err, new(*FileError)) {
		return err
	}
	return &FileError{key, err}
}

// maxHeld bounds the bytes of the examples and targets of one set that are held in memory.
const maxHeld = 16 << 30

// content is what arrays or tables hold: the whole set, or its splits.
type content struct {
	Examples
	Targets
	classNames []string
	whole      *held // nil where the splits are given
	train      *held
	validation *held
	test       *held
	hash       string
}

// open opens the set under its name.
func (o *Own) open(ctx context.Context, name string, opt Options) (*Set, error) {
	info := Info{Name: name, About: "your own", Licence: "yours"}
	if o.TestShare > 0 {
		info.Splits = o.Splits
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Folder != "" {
		return o.openFolder(ctx, info, opt)
	}
	o.once.Do(func() { o.content, o.err = o.read() })
	if o.err != nil {
		return nil, o.err
	}
	c := o.content
	info.Examples, info.Targets = c.Examples, c.Targets
	if err := info.checkOptions(opt); err != nil {
		return nil, err
	}
	set := &Set{Info: info, ClassNames: c.classNames, Hash: c.hash, Train: c.train, Validation: c.validation, Test: c.test}
	if c.whole != nil {
		d := o.division(c.whole.Len(), opt.Split)
		set.Train, set.Validation, set.Test = subset{c.whole, d.train}, subset{c.whole, nil}, subset{c.whole, d.test}
	} else {
		set.byClass = c.Classes > 0 // it may be
	}
	if set.images() && set.Train.Len() > 0 {
		set.Mean, set.Std = pixelMoments(set.Train)
	}
	set.noteClasses()
	return set, nil
}

// check refuses keys that do not fit together.
func (o *Own) check() error {
	arrays := o.arrays()
	tables := o.tables()
	var given []string
	for _, group := range [][]named{arrays, tables} {
		for _, n := range group {
			if n.name != "" {
				given = append(given, n.key)
				break
			}
		}
	}
	if o.NPZ != "" && !slices.ContainsFunc(arrays, func(n named) bool { return n.name != "" }) {
		given = append(given, "npz")
	}
	if o.Folder != "" {
		given = append(given, "folder")
	}
	whole := o.Inputs != "" || o.CSV != ""
	switch {
	case len(given) == 0:
		return misfit("", "want where its files are: inputs and targets, or train_inputs, train_targets, test_inputs and test_targets, or npz, csv or folder")
	case len(given) > 1:
		return misfit(given[1], "%s beside %s: want one of them", given[1], given[0])
	case o.Task != "" && o.Task != classification && o.Task != regression:
		return misfit("task", "task: want %q or %q, found %q%s", classification, regression, o.Task,
			nearest.Hint(o.Task, []string{classification, regression}))
	case o.Layout != "" && o.Layout != channelsFirst && o.Layout != channelsLast:
		return misfit("layout", "layout: want %q or %q, found %q", channelsFirst, channelsLast, o.Layout)
	case !(o.TestShare >= 0 && o.TestShare < 1):
		return misfit("test_share", "test_share: want a share above 0 and below 1, found %v", o.TestShare)
	case o.Splits != 0 && o.TestShare == 0:
		return misfit("splits", "splits: so many test splits are drawn by test_share, which is not given")
	case whole && o.TestShare == 0:
		return misfit("test_share", "want test_share, the share of the examples that is drawn for the test split, such as 0.2; or the splits in files of their own")
	case !whole && o.TestShare > 0 && o.NPZ == "" && o.Folder == "":
		return misfit("test_share", "test_share is of a whole set, and %s is of a split", given[0])
	case len(o.Target) > 0 && given[0] != "csv" && !strings.HasSuffix(given[0], "_csv"):
		return misfit("target", "target: names columns of a table, and %s is none", given[0])
	case len(o.Drop) > 0 && given[0] != "csv" && !strings.HasSuffix(given[0], "_csv"):
		return misfit("drop", "drop: names columns of a table, and %s is none", given[0])
	}
	return nil
}

// named is a key and its value.
type named struct{ key, name string }

func (o *Own) arrays() []named {
	return []named{
		{"inputs", o.Inputs}, {"targets", o.Targets}, {"train_inputs", o.TrainInputs}, {"train_targets", o.TrainTargets},
		{"validation_inputs", o.ValidationInputs}, {"validation_targets", o.ValidationTargets},
		{"test_inputs", o.TestInputs}, {"test_targets", o.TestTargets},
	}
}

func (o *Own) tables() []named {
	return []named{{"csv", o.CSV}, {"train_csv", o.TrainCSV}, {"validation_csv", o.ValidationCSV}, {"test_csv", o.TestCSV}}
}

// The places of splits in lists of them.
const (
	ofWhole = iota
	ofTrain
	ofValidation
	ofTest
	splitsHeld
)

// parts are the splits that are given, by place; nil for those that are not.
type parts [splitsHeld]*part

// part is one split as it is read: examples and what is known of them.
type part struct {
	key      string // of its inputs
	examples rows
	targets  *answers // nil where none are given
}

// read reads arrays or tables.
func (o *Own) read() (*content, error) {
	var p parts
	var names []string
	var err error
	if slices.ContainsFunc(o.tables(), func(n named) bool { return n.name != "" }) {
		p, names, err = o.readTables()
	} else {
		p, err = o.readArrays()
	}
	if err != nil {
		return nil, err
	}
	return o.assemble(p, names)
}

// assemble makes one set of its splits, which must be alike.
func (o *Own) assemble(p parts, names []string) (*content, error) {
	var first *part
	total := int64(0)
	for _, s := range p {
		if s == nil {
			continue
		}
		if first == nil {
			first = s
		}
		total += s.examples.bytes()
		if a, b := first.examples.examples(), s.examples.examples(); !slices.Equal(a.Shape, b.Shape) || a.Kind != b.Kind {
			return nil, misfit(s.key, "%s: its examples are %s, those of %s are %s", s.key, b, first.key, a)
		}
	}
	if total > maxHeld {
		return nil, misfit(first.key, "the set has %d bytes, at most %d are held in memory", total, int64(maxHeld))
	}
	targets, err := alike(p, o.Task)
	if err != nil {
		return nil, err
	}
	c := &content{Examples: first.examples.examples(), Targets: targets, classNames: names}
	all := [splitsHeld]*held{}
	for i, s := range p {
		all[i] = &held{rows: emptied(first.examples), targets: targets}
		if s != nil {
			all[i] = &held{s.examples, targets, s.targets}
		}
	}
	c.train, c.validation, c.test = all[ofTrain], all[ofValidation], all[ofTest]
	if p[ofWhole] != nil {
		c.whole = all[ofWhole]
		if test := o.tested(c.whole.Len()); test < 1 || test >= c.whole.Len() {
			return nil, misfit("test_share", "test_share: %v of %d examples are %d for testing, want at least one, and one that stays", o.TestShare, c.whole.Len(), test)
		}
	} else if c.test.Len() == 0 {
		return nil, misfit("", "want a test split: test_inputs and test_targets, test_csv, or test_share of a whole set")
	}
	c.hash = o.identify(c)
	return c, nil
}

// tested is how many of n examples are drawn for the test split.
func (o *Own) tested(n int) int { return int(o.TestShare*float64(n) + 0.5) }

// division draws a test split of n examples. It is the same for every suite and seed, and both
// parts come in random order.
func (o *Own) division(n, split int) division {
	order := rng.Perm(n, noKey.Fold(uint32(split)), streamOwn)
	test := o.tested(n)
	return division{train: order[test:], test: order[:test]}
}

// noteClasses notes classes of which the training split has no example.
func (s *Set) noteClasses() {
	if s.Classes == 0 || s.Train.Len() == 0 {
		return
	}
	seen := make([]bool, s.Classes)
	for _, class := range Labels(s.Train) {
		seen[class] = true
	}
	var never []string
	for class, ok := range seen {
		if !ok && len(never) < 10 {
			never = append(never, fmt.Sprint(class))
		}
	}
	if never != nil {
		s.Notes = append(s.Notes, fmt.Sprintf("classes of 0 to %d that no training example has: %s", s.Classes-1, strings.Join(never, ", ")))
	}
}
