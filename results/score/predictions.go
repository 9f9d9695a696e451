package score

import (
	"errors"
	"fmt"
	"math"

	"bayesbench/internal/npy"
	"bayesbench/results/metrics"
)

// maxNumbers is how many predictions one sample may have, inputs times classes,
// an input of fewer than four classes counted as four: the 50,000 test images
// of ImageNet are three quarters. A number takes about 50 bytes of memory,
// however many samples there are.
const maxNumbers = 1 << 26

// predictions is a stream of prediction matrices. In the file a row has a
// number for each class, or one for class 1 of two.
type predictions struct {
	stack
	c      int
	binary bool // one number a row
	form   metrics.Form
	sum    *metrics.Predictive // nil before the first row is read

	rows []float64 // read buffer
	full []float64 // the same rows with both classes
}

// openPredictions opens an array and looks at its header; nothing is allocated
// for its numbers yet.
func openPredictions(path string, files Files) (*predictions, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	p, err := newPredictions(a, files.Form, files.Binary)
	if err != nil {
		a.Close()
		return nil, err
	}
	return p, nil
}

func newPredictions(a *npy.Array, form metrics.Form, binary bool) (*predictions, error) {
	p := &predictions{stack: stack{Array: a, k: 1, hold: blockNumbers}, form: form}
	if !a.Type.Float() {
		return nil, fmt.Errorf("%s: %s, want float predictions (probabilities, logits or log-probabilities, not predicted classes)", a.Path, a.Type)
	}
	s := a.Shape
	switch {
	case len(s) == 1:
		p.n, p.c, p.binary = s[0], 1, true
	case len(s) == 2 && binary && s[1] != 1:
		p.k, p.n, p.c, p.binary = s[0], s[1], 1, true
	case len(s) == 2:
		p.n, p.c, p.binary = s[0], s[1], s[1] == 1
	case len(s) == 3:
		p.k, p.n, p.c, p.binary = s[0], s[1], s[2], s[2] == 1
	default:
		return nil, fmt.Errorf("%s: shape %v, want [samples, inputs, classes] or [inputs, classes]; for two classes also [inputs], or [samples, inputs] with -binary", a.Path, s)
	}
	if binary && !p.binary {
		return nil, fmt.Errorf("%s: shape %v, want one number for each input, [inputs] or [samples, inputs], because of -binary", a.Path, s)
	}
	p.width = p.c
	if p.binary {
		p.c = 2
	}
	if most := maxNumbers / max(p.c, 4); p.n > most {
		return nil, fmt.Errorf("%s: %d inputs of %d classes, want at most %d: score a part of the inputs at a time", a.Path, p.n, p.c, most)
	}
	return p, nil
}

// advance reads until k samples have been added and evaluates their average.
func (p *predictions) advance(k int, labels []int) (*metrics.Evaluation, error) {
	rows := max(1, chunk/p.c)
	if p.sum == nil {
		p.sum = metrics.NewPredictive(p.n, p.c)
		p.rows = make([]float64, rows*p.width)
	}
	for row, end := p.sum.Members()*p.n, k*p.n; row < end; row += rows {
		if err := p.add(row, min(rows, end-row)); err != nil {
			return nil, err
		}
	}
	return p.sum.Evaluate(labels)
}

// add reads the next rows and adds them; row counts those before, of all
// samples.
func (p *predictions) add(row, count int) error {
	numbers := p.rows[:count*p.width]
	if err := p.read(numbers); err != nil {
		return err
	}
	if !p.binary {
		return p.locate(p.sum.Add64(p.form, numbers))
	}
	form, full := twoClasses(p.form, numbers, p.full[:0])
	p.full = full
	if bad := len(full) / 2; bad < count {
		return p.locate(&metrics.RowError{
			Member: (row + bad) / p.n, Row: (row + bad) % p.n, Column: -1, Value: numbers[bad],
			Problem: fmt.Sprintf("%s of class 1 is %v", singular(p.form), numbers[bad]),
		})
	}
	return p.locate(p.sum.Add64(form, full))
}

// twoClasses appends to rows the row of two classes for each number x: of a
// probability 1−x and x, of its logarithm log(1−eˣ) and x, of a logit log σ(−x)
// and log σ(x). It stops at the first number that cannot be one; a probability
// may exceed 1 as a sum of probabilities may. One logit is the difference of
// two and has no energy, so its rows are log-probabilities.
func twoClasses(form metrics.Form, x, rows []float64) (metrics.Form, []float64) {
	for _, v := range x {
		switch form {
		case metrics.Probabilities:
			if !(v >= 0 && v <= 1+metrics.SumTolerance) {
				return form, rows
			}
			v = min(v, 1)
			rows = append(rows, 1-v, v)
		case metrics.LogProbs:
			if !(v <= metrics.SumTolerance) {
				return form, rows
			}
			v = min(v, 0)
			rows = append(rows, math.Log(-math.Expm1(v)), v)
		case metrics.Logits:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return metrics.LogProbs, rows
			}
			rest := math.Log1p(math.Exp(-math.Abs(v)))
			rows = append(rows, -max(v, 0)-rest, min(v, 0)-rest)
		}
	}
	if form == metrics.Logits {
		form = metrics.LogProbs
	}
	return form, rows
}

func singular(form metrics.Form) string {
	return [...]string{"log-probability", "logit", "probability"}[form]
}

// locate writes the place of a bad row as an index into the file's array.
func (p *predictions) locate(err error) error {
	var row *metrics.RowError
	if !errors.As(err, &row) {
		return err
	}
	at := fmt.Sprint(row.Row)
	if len(p.Shape) == 3 || len(p.Shape) == 2 && p.binary && p.Shape[1] != 1 {
		at = fmt.Sprintf("%d,%d", row.Member, row.Row)
	}
	if row.Column >= 0 {
		at += fmt.Sprintf(",%d", row.Column)
	}
	hint := ""
	if p.form == metrics.Probabilities && !math.IsNaN(row.Value) { // which no form allows
		hint = " (logits and log-probabilities must be declared as such: -logits, -log-probs)"
	}
	return fmt.Errorf("%s[%s]: %s%s", p.Path, at, row.Problem, hint)
}
