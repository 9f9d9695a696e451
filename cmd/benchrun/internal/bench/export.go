package bench

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bayesbench/results"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Exported says what Export has written: arrays.json beside the arrays.
type Exported struct {
	Data       string   `json:"data"`
	Hash       string   `json:"hash"`            // of the set, as results record it
	Split      int      `json:"split,omitempty"` // which of the set's published divisions
	Inputs     string   `json:"inputs"`          // the kind and shape of an example
	Targets    string   `json:"targets"`
	ClassNames []string `json:"class_names,omitempty"`
	// Normalise is what was done to the inputs, empty where they are as they are stored.
	Normalise string          `json:"normalise,omitempty"`
	Arrays    []ExportedArray `json:"arrays"`
}

// ExportedArray is a file of an export.
type ExportedArray struct {
	File  string `json:"file"`
	Of    string `json:"of"`    // train, validation, test, shift or ood
	Holds string `json:"holds"` // inputs, labels (classes from 0) or targets (numbers in the unit of the set's files)
	// Set is the corruption of shift, such as fog-3, and the set of ood.
	Set  string `json:"set,omitempty"`
	Rows int    `json:"rows"`
}

// Export writes the data of one configuration to dir as numpy arrays, and arrays.json, which names
// them: inputs and targets of the training, validation and test split, and the inputs under each
// eval.shift and of each set of eval.ood. Inputs are normalised as the configuration's networks see
// them, or as they are stored.
func (s *Sets) Export(ctx context.Context, c *suites.Config, dir string, stored bool) (*Exported, error) {
	set, err := s.Open(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	norm, err := data.NewNormalisation(data.Scheme(c.Data.Normalise), set)
	if err != nil {
		return nil, c.Errorf("data.normalise", "data.normalise: %w", err)
	}
	out := &Exported{
		Data: c.Data.Name, Hash: set.Hash, Split: c.Data.Split, Inputs: set.Examples.String(), Targets: set.Targets.String(),
		ClassNames: set.ClassNames, Normalise: c.Data.Normalise,
	}
	inputs := func(to io.Writer, split data.Split) error { return data.WriteInputs(ctx, to, split, norm) }
	if stored {
		out.Normalise = ""
		inputs = func(to io.Writer, split data.Split) error { return data.WriteStored(ctx, to, split) }
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	write := func(a ExportedArray, split data.Split, array func(to io.Writer, split data.Split) error) error {
		if split.Len() == 0 {
			return nil
		}
		a.File, a.Rows = a.name(), split.Len()
		out.Arrays = append(out.Arrays, a)
		return results.WriteFile(filepath.Join(dir, a.File), func(to io.Writer) error { return array(to, split) })
	}
	targets := "labels"
	if set.Width > 0 {
		targets = "targets"
	}
	for _, part := range []struct {
		of    string
		split data.Split
	}{{"train", set.Train}, {"validation", set.Validation}, {"test", set.Test}} {
		if err := write(ExportedArray{Of: part.of, Holds: "inputs"}, part.split, inputs); err != nil {
			return nil, err
		}
		if err := write(ExportedArray{Of: part.of, Holds: targets}, part.split, data.WriteTargets); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Eval.Shift {
		other, err := s.Open(ctx, shifted(c.Data, name))
		if err != nil {
			return nil, c.Errorf("eval.shift", "eval.shift: %w", err)
		}
		if err := write(ExportedArray{Of: "shift", Set: name, Holds: "inputs"}, other.Test, inputs); err != nil {
			return nil, err
		}
	}
	for _, name := range c.Eval.OOD {
		other, err := s.Against(ctx, set, name, c.Data.Test)
		if err != nil {
			return nil, c.Errorf("eval.ood", "eval.ood: %w", err)
		}
		if err := write(ExportedArray{Of: "ood", Set: name, Holds: "inputs"}, other.Test, inputs); err != nil {
			return nil, err
		}
	}
	return out, results.WriteFile(filepath.Join(dir, "arrays.json"), func(to io.Writer) error {
		enc := json.NewEncoder(to)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	})
}

// name is the array's file: test-inputs.npy, ood-notmnist-inputs.npy.
func (a ExportedArray) name() string {
	parts := []string{a.Of, a.Set, a.Holds}
	if a.Set == "" {
		parts = []string{a.Of, a.Holds}
	}
	return strings.Join(parts, "-") + ".npy"
}
