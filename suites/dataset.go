package suites

import (
	"maps"
	"slices"
	"strings"
)

// Dataset is a table [dataset.NAME]: a data set of the user's own, which [data] and eval.ood call
// by its name. It says where the files lie, from the suite's folder on, and how they are read.
// Package suites/data says what fits together.
type Dataset struct {
	Files
	table Table
}

// Files are the keys of a table [dataset.NAME].
type Files struct {
	// Arrays: .npy or IDX files, or where NPZ is given the names of its arrays. Inputs and Targets
	// hold the whole set, the others a split of it.
	Inputs            string `toml:"inputs"`
	Targets           string `toml:"targets"`
	TrainInputs       string `toml:"train_inputs"`
	TrainTargets      string `toml:"train_targets"`
	ValidationInputs  string `toml:"validation_inputs"`
	ValidationTargets string `toml:"validation_targets"`
	TestInputs        string `toml:"test_inputs"`
	TestTargets       string `toml:"test_targets"`
	NPZ               string `toml:"npz"`
	// Tables with a line of column names: the whole set, or a split of it.
	CSV           string   `toml:"csv"`
	TrainCSV      string   `toml:"train_csv"`
	ValidationCSV string   `toml:"validation_csv"`
	TestCSV       string   `toml:"test_csv"`
	Target        []string `toml:"target"`    // the columns to be predicted
	Drop          []string `toml:"drop"`      // columns that are no inputs
	Separator     string   `toml:"separator"` // of columns; "" is a comma
	// Folder holds images, train/CLASS/… and test/CLASS/…, or CLASS/….
	Folder string `toml:"folder"`

	TestShare float64 `toml:"test_share"` // of a whole set: the share drawn for its test split
	Splits    int     `toml:"splits"`     // how many such draws data.split chooses among; 0 is one
	Task      string  `toml:"task"`       // "classification" or "regression", where the targets leave it open
	Layout    string  `toml:"layout"`     // "nchw" or "nhwc", where the shape of images leaves it open
}

// Errorf makes an error about one key of the table, "" for all of it, that names the file and the
// line.
func (d *Dataset) Errorf(key, format string, args ...any) error {
	return d.table.Errorf(key, format, args...)
}

// datasets decodes the tables [dataset.NAME] of a suite.
func datasets(top Table) (map[string]*Dataset, error) {
	if !top.Has("dataset") {
		return nil, nil
	}
	all, ok := top.Sub("dataset")
	if !ok {
		return nil, top.Errorf("dataset", "dataset: want a table [dataset.NAME] for each data set of your own")
	}
	out := map[string]*Dataset{}
	for _, name := range slices.Sorted(maps.Keys(all.values)) {
		t, ok := all.Sub(name)
		switch {
		case !ok:
			return nil, all.Errorf(name, "dataset.%s: want a table [dataset.NAME], found a value: the name of the set is missing", name)
		case !nameForm.MatchString(name):
			return nil, all.Errorf(name, "dataset: want a name of at most 100 letters, digits, '-', '_', '.', the first no '-' or '.', found %q", name)
		case slices.Contains(top.words().Datasets, name):
			return nil, all.Errorf(name, "dataset.%s: the program has a data set of this name; call yours otherwise", name)
		}
		d := &Dataset{table: t}
		if err := t.Decode(d); err != nil {
			return nil, err
		}
		// An array of an archive is no file.
		files := []*string{&d.NPZ, &d.CSV, &d.TrainCSV, &d.ValidationCSV, &d.TestCSV, &d.Folder}
		if d.NPZ == "" {
			files = append(files, &d.Inputs, &d.Targets, &d.TrainInputs, &d.TrainTargets, &d.ValidationInputs, &d.ValidationTargets,
				&d.TestInputs, &d.TestTargets)
		}
		for _, path := range files {
			if *path != "" {
				*path = t.Path(*path)
			}
		}
		if d.Splits < 0 || d.Splits > maxSplits {
			return nil, t.Errorf("splits", "dataset.%s.splits: want 1 to %d, found %d", name, maxSplits, d.Splits)
		}
		out[name] = d
	}
	return out, nil
}

// maxSplits bounds the divisions of one set.
const maxSplits = 1000

// own is the data set of the user's own that a name calls, of which the part behind "+" is a
// corruption; nil for one that the program has.
func (s *Suite) own(name string) *Dataset {
	base, _, _ := strings.Cut(name, "+")
	return s.Datasets[base]
}
