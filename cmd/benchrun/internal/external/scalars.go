package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
)

// Scalars is what the program may report when it ends: out/scalars.json. A field that it leaves out
// is not recorded.
type Scalars struct {
	Epochs       *float64          `json:"epochs,omitempty"`        // passes over the training set that it made
	TrainSeconds *float64          `json:"train_seconds,omitempty"` // of them
	KL           *float64          `json:"kl,omitempty"`            // KL(q‖p), nats, unweighted
	Parameters   *float64          `json:"parameters,omitempty"`    // of one network
	Weights      []Weights         `json:"weights,omitempty"`       // by layer, biases and normalisation left out
	Versions     map[string]string `json:"versions,omitempty"`      // of the packages that decide the numbers
}

// Weights counts the weights of a layer, and those that prediction uses.
type Weights struct {
	Layer   string `json:"layer"`
	Weights int    `json:"weights"`
	NonZero int    `json:"nonzero"`
}

// maxScalars bounds out/scalars.json, and what of it is kept.
const maxScalars = 1 << 20

// Scalars reads what the program reported; nothing where it has no such file.
func (f *Folder) Scalars(j Job) (Scalars, error) {
	const name = outDir + "/" + scalarsFile
	var s Scalars
	text, err := f.readFile(name, maxScalars)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	if dec.More() {
		return s, fmt.Errorf("%s: want one object, found more behind it", name)
	}
	if err := s.check(j); err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// check refuses what cannot be, and a training beyond the job's budget.
func (s *Scalars) check(j Job) error {
	for _, v := range []struct {
		name  string
		value *float64
	}{{"epochs", s.Epochs}, {"train_seconds", s.TrainSeconds}, {"kl", s.KL}, {"parameters", s.Parameters}} {
		if v.value != nil && !(*v.value >= 0 && *v.value <= math.MaxFloat32) {
			return fmt.Errorf("%s: want a number of at least 0, found %v", v.name, *v.value)
		}
	}
	if s.Epochs != nil && *s.Epochs > float64(j.Epochs) {
		return fmt.Errorf("epochs: want at most the budget of %d (train.epochs), found %v", j.Epochs, *s.Epochs)
	}
	seen := map[string]bool{}
	for _, w := range s.Weights {
		if w.Layer == "" || seen[w.Layer] || w.NonZero < 0 || w.Weights < max(w.NonZero, 1) {
			return fmt.Errorf("weights: want each layer once, with a name, and of its weights at most all nonzero, found %+v", w)
		}
		seen[w.Layer] = true
	}
	return nil
}
