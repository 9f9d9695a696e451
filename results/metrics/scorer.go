package metrics

import (
	"fmt"

	"bayesbench/results"
)

// Scorer judges predictions of one kind for the harness, which knows no kind by itself: a
// likelihood's name finds the scorer of its predictions. Each stands in the file of its kind.
type Scorer interface {
	// Open starts the predictive of the inputs that t is of.
	Open(t Truth) (Running, error)
	// Headline are the metrics that are looked at first, the first of all first; two at least, of
	// which none improves upwards.
	Headline() []string
	// Compares lists the families of two predictives that there are metrics of.
	Compares() []Family
	// Forms are the forms in which another program may give a member's prediction.
	Forms() []string
	// Results makes of a member's prediction for all inputs that t is of what a predict program
	// results in, by name, as Add takes it. A [*RowError] tells of a number that is none, and its
	// Member is 0.
	Results(t Truth, p Foreign) (map[string][]float32, error)
}

// Foreign is a member's prediction as another program gives it, an array in one of the scorer's
// forms. Its unit is that of the predict program.
type Foreign struct {
	Form    string
	Shape   []int
	Numbers func() ([]float64, error) // in C order; called where form and shape are those wanted
}

// Truth is what is known of the inputs that a predictive is of.
type Truth struct {
	Inputs, Columns int
	// Targets are [Inputs, Columns] in the unit in which they are stored; a class is a 1 among
	// zeros. Nil where they are not known.
	Targets []float64
	// Scales map each column of numbers from the unit of the predict program to that of Targets,
	// y = Mean + SD·z. Nil where the units are the same.
	Scales []Scale
}

// Scale is the map y = Mean + SD·z of a column.
type Scale struct{ Mean, SD float64 }

// scale is that of a column.
func (t Truth) scale(column int) Scale {
	if t.Scales == nil {
		return Scale{0, 1}
	}
	return t.Scales[column]
}

// Running is a predictive to which members are added, one after the other.
type Running interface {
	// Add takes the next rows of the member being added: the results of a predict program by name.
	// It gives log p(y | x, w) of each row in the unit of the targets, nil where they are not
	// known, until the next call.
	Add(result func(name string) []float32) ([]float64, error)
	// Evaluate judges the equal mixture of the members so far.
	Evaluate() (Judged, error)
}

// Judged is the predictive at one number of members.
type Judged interface {
	// Score computes the metrics of family [Test]. The targets must be known.
	Score() ([]results.Value, error)
	// Glance computes the first two of the scorer's Headline alone.
	Glance() []results.Value
	// Compare computes the metrics of a family of two predictives, [OOD], [Adversarial] or
	// [Reference], with other of the same kind. It is an error where the kind has none.
	Compare(f Family, other Judged) ([]results.Value, error)
	// Taught is what a student learns in place of targets, [inputs, columns] as the likelihood's
	// Taught has it, in the unit of the predict program.
	Taught() []float64
	// Diagrams adds to d what figures show of the predictive; where it is the last of the job's,
	// also what they show of that alone. Set names the inputs.
	Diagrams(d *results.Details, set string, last bool)
	// Spread adds to d how the uncertainty spreads over the inputs of a set.
	Spread(d *results.Details, set string)
	// Arrays are what is stored where a suite asks for predictions: matrices of a row for each
	// input, by the name of their file.
	Arrays() []Array
}

// Array is a matrix [Rows, Columns] for a file of its name. Whole says that its numbers are
// whole ones.
type Array struct {
	Name          string
	Rows, Columns int
	Values        []float64
	Whole         bool
}

var scorers = map[string]Scorer{}

// registerScorer makes the scorer of a likelihood's predictions known; its file calls it in init.
func registerScorer(likelihood string, s Scorer) {
	if _, ok := scorers[likelihood]; ok {
		panic("metrics: the predictions of " + likelihood + " have two scorers")
	}
	scorers[likelihood] = s
}

// ScorerOf is the scorer of the predictions of the likelihood of that name.
func ScorerOf(likelihood string) (Scorer, error) {
	if s, ok := scorers[likelihood]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("likelihood %q: no metrics are known for its predictions", likelihood)
}

// noFamily is the error of a kind without metrics of a family.
func noFamily(k Kind, f Family) error {
	return fmt.Errorf("metrics of family %q: predictions of kind %q have none", f, k)
}
