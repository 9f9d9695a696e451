package task

import (
	"fmt"
	"reflect"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/internal/nearest"
	"bayesbench/methods/key"
	"bayesbench/methods/nn"
)

// Task is a set of examples and the likelihood of their targets.
type Task struct {
	Name       string  // of the data set
	Input      ir.Type // of one example: f32[3 32 32], f32[13]
	Likelihood Likelihood
	Examples   int // N, the training examples; the ELBO's likelihood term is a sum over them
}

// X is the type of a batch of inputs.
func (t Task) X(rows int) ir.Type {
	return ir.Type{DType: t.Input.DType, Shape: append([]int{rows}, t.Input.Shape...)}
}

// Likelihood is p(y | f). Its methods build into a scope, since a likelihood may have parameters of
// its own: it declares them by nn.Scope.Learn, so that they train, are sampled and are stored as
// the weights are.
type Likelihood interface {
	// Name is what a suite calls it, and says by which metrics its predictions are scored.
	Name() string
	// Outputs is the width of the network's last layer.
	Outputs() int
	// Target is the type of y for so many rows: f32[rows columns].
	Target(rows int) ir.Type
	// LogProb is f32[rows terms], whose sum over a row is log p(y | f) of the row. It adds
	// −log p of the likelihood's own parameters to the scope's Prior.
	LogProb(s *nn.Scope, f, y ir.Value) ir.Value
	// Predict is what a predict program results in: the parameters of p(y | f) by name, each
	// f32[rows …].
	Predict(s *nn.Scope, f ir.Value) []ir.Result
	// HessianRoot are columns S_c, of the shape of f, of a square root of the Fisher information
	// of f in each row: Σ_c S_c·S_cᵀ = E[−∇²log p(y | f)], y ~ p(y | f). It is the Hessian of the
	// generalised Gauss-Newton matrix. The likelihood's own parameters are held fixed.
	HessianRoot(s *nn.Scope, f ir.Value) []ir.Value
	// Taught is the likelihood of a student: its target is what a teacher's predictive says of y
	// in place of y, and its LogProb the expectation of log p(y | f) under that predictive.
	Taught() Likelihood
	// Teach is what p(y | f) gives a student: f32[rows columns], the type of Taught's Target.
	Teach(s *nn.Scope, f ir.Value) ir.Value
}

// Keys are a suite's table [likelihood], the keys of all likelihoods. A zero value stands for a key
// that is not there. The struct of the suites' schema has the same fields, so that the one converts
// to the other.
type Keys struct {
	Name     string  `toml:"name"`     // where empty it follows from the target
	Noise    string  `toml:"noise"`    // a [Noise]
	Variance string  `toml:"variance"` // a [Link], of [Heteroscedastic] noise
	Tau      float64 `toml:"tau"`      // of [Fixed] noise: the precision 1/v in the targets' original unit
}

// refuse is the error for a key that a likelihood does not read, nil if all are among reads.
func (k Keys) refuse(reads []string) error {
	v := reflect.ValueOf(k)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("toml")
		if name == "name" || v.Field(i).IsZero() || slices.Contains(reads, name) {
			continue
		}
		return key.Bad("likelihood."+name, v.Field(i).Interface(), fmt.Sprintf("none with name = %q, which does not read it", k.Name))
	}
	return nil
}

// Target is what a likelihood must know of a data set's targets.
type Target struct {
	// Classes is how many classes there are, of which y says one by a 1 among zeros. It is 0
	// where the target is numbers.
	Classes int
	// Units has an element for each number of the target: 1 in y is so many of its original unit.
	Units []float64
}

// kind makes a likelihood.
type kind struct {
	description string   // one line for lists
	reads       []string // the keys that it reads beside name
	of          func(k Keys, t Target) (Likelihood, error)
}

var kinds = map[string]kind{}

// Known lists the likelihoods by name, with a line that describes each.
func Known() (names, descriptions []string) {
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		descriptions = append(descriptions, kinds[name].description)
	}
	return names, descriptions
}

// New makes the likelihood that the keys ask for. An error about a key is a *key.Error that names
// it as in "likelihood.noise".
func New(k Keys, t Target) (Likelihood, error) {
	switch {
	case t.Classes < 0 || t.Classes > 0 && len(t.Units) > 0:
		return nil, fmt.Errorf("task: want a target of classes or of numbers, found %d classes and %d numbers", t.Classes, len(t.Units))
	case t.Classes == 0 && len(t.Units) == 0:
		return nil, fmt.Errorf("task: want a target of classes or of numbers, found none")
	}
	if k.Name == "" {
		k.Name = "categorical"
		if t.Classes == 0 {
			k.Name = "gaussian"
		}
	}
	if kind, ok := kinds[k.Name]; ok {
		l, err := kind.of(k, t)
		if err == nil {
			err = k.refuse(kind.reads)
		}
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	names, _ := Known()
	return nil, key.Bad("likelihood.name", k.Name, fmt.Sprintf("one of %q; did you mean %q?", names, nearest.Name(k.Name, names)))
}
