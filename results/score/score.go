package score

import (
	"errors"
	"fmt"
	"strings"

	"bayesbench/results/metrics"
)

// Files names the arrays to score.
type Files struct {
	// Predictions is [K,N,C], K posterior samples, N inputs, C classes, or
	// [N,C] for one; float32 or float64.
	Predictions string
	// Labels is [N], of any integer type, each in [0,C).
	Labels string
	// OOD, if not empty, holds predictions for inputs of another distribution,
	// [K,M,C] or [M,C] with the same K and C.
	OOD string
	// Against, if not empty, holds other predictions [K',N,C] or [N,C] of the
	// same inputs, in the same form, to compare with.
	Against string
	// Form says what the predictions are. Only logits have an energy score.
	Form metrics.Form
}

// Result is what the predictions score at K = 1, 2, 4, … and at all samples.
type Result struct {
	Samples   int  `json:"samples"`    // K
	Inputs    int  `json:"inputs"`     // N
	Classes   int  `json:"classes"`    // C
	OODInputs int  `json:"ood_inputs"` // M, 0 without
	At        []At `json:"at"`
	// Reliability holds the 15 bins (lo,hi] of the confidence at all samples.
	Reliability []metrics.Bin `json:"reliability"`
	// Against is the comparison with other predictions, nil without.
	Against *Against `json:"against,omitempty"`
}

// At holds the scores of the average of the first Samples posterior samples,
// those of out-of-distribution detection last.
type At struct {
	Samples int
	Scores  []metrics.Score
}

// Score reads the arrays as a stream and scores them. Errors name the file and,
// as numpy would index it, the place: NaN, a row that does not sum to one, a
// label out of range, shapes that do not match, a file that is cut.
func Score(files Files) (*Result, error) {
	in, err := openPredictions(files.Predictions, files.Form)
	if err != nil {
		return nil, err
	}
	defer in.close()
	labels, err := readLabels(files.Labels, in)
	if err != nil {
		return nil, err
	}
	var out *predictions
	if files.OOD != "" {
		if out, err = openPredictions(files.OOD, files.Form); err != nil {
			return nil, err
		}
		defer out.close()
		if out.k != in.k || out.c != in.c {
			return nil, fmt.Errorf("%s: shape %v, expected %d samples of %d classes as in %s", files.OOD, out.shape, in.k, in.c, files.Predictions)
		}
	}
	r, ours, err := score(in, labels, out)
	if err != nil || files.Against == "" {
		return r, err
	}
	r.Against, err = against(files, ours)
	return r, err
}

// against compares an evaluation with the predictions of another file.
func against(files Files, ours *metrics.Evaluation) (*Against, error) {
	other, err := openPredictions(files.Against, files.Form)
	if err != nil {
		return nil, err
	}
	defer other.close()
	if other.n != ours.N || other.c != ours.C {
		return nil, fmt.Errorf("%s: shape %v, expected %d inputs of %d classes as in %s", files.Against, other.shape, ours.N, ours.C, files.Predictions)
	}
	theirs, err := other.advance(other.k, ours.Labels)
	if err != nil {
		return nil, err
	}
	return compare(ours, theirs)
}

func readLabels(path string, in *predictions) ([]int, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	defer a.close()
	labels, err := a.labels(in.c)
	if err != nil {
		return nil, err
	}
	if len(labels) != in.n {
		return nil, fmt.Errorf("%s: %d labels, %s has predictions for %d inputs (shape %v)", path, len(labels), in.path, in.n, in.shape)
	}
	return labels, nil
}

// score also returns the evaluation at all samples.
func score(in *predictions, labels []int, out *predictions) (*Result, *metrics.Evaluation, error) {
	r := &Result{Samples: in.k, Inputs: in.n, Classes: in.c}
	if out != nil {
		r.OODInputs = out.n
	}
	for k := 1; ; k = min(2*k, in.k) {
		e, err := in.advance(k, labels)
		if err != nil {
			return nil, nil, err
		}
		scores, err := e.Score()
		if err != nil {
			return nil, nil, err
		}
		if out != nil {
			o, err := out.advance(k, nil)
			if err != nil {
				return nil, nil, err
			}
			detection, err := metrics.ScoreOOD(e, o)
			if err != nil {
				return nil, nil, err
			}
			scores = append(scores, detection...)
		}
		r.At = append(r.At, At{k, scores})
		if k == in.k {
			r.Reliability = metrics.Reliability(e, 15)
			return r, e, nil
		}
	}
}

// predictions is a stream of prediction matrices.
type predictions struct {
	*array
	k, n, c int
	form    metrics.Form
	sum     *metrics.Predictive
}

func openPredictions(path string, form metrics.Form) (*predictions, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	p, err := newPredictions(a, form)
	if err != nil {
		a.close()
		return nil, err
	}
	return p, nil
}

func newPredictions(a *array, form metrics.Form) (*predictions, error) {
	p := &predictions{array: a, k: 1, form: form}
	if a.kind != 'f' {
		return nil, fmt.Errorf("%s: integers, expected float32 or float64 predictions", a.path)
	}
	switch len(a.shape) {
	case 3:
		p.k, p.n, p.c = a.shape[0], a.shape[1], a.shape[2]
	case 2:
		p.n, p.c = a.shape[0], a.shape[1]
	default:
		return nil, fmt.Errorf("%s: shape %v, expected [samples, inputs, classes] or [inputs, classes]", a.path, a.shape)
	}
	p.sum = metrics.NewPredictive(p.n, p.c)
	return p, nil
}

// chunk is about how many numbers are read at a time.
const chunk = 1 << 14

// advance reads until k samples have been added and evaluates their average.
func (p *predictions) advance(k int, labels []int) (*metrics.Evaluation, error) {
	rows := max(1, chunk/p.c)
	narrow, wide := make([]float32, 0), make([]float64, 0)
	if p.width == 4 {
		narrow = make([]float32, rows*p.c)
	} else {
		wide = make([]float64, rows*p.c)
	}
	for left := (k - p.sum.Members()) * p.n; left > 0; left -= rows {
		count := min(rows, left) * p.c
		var err error
		if p.width == 4 {
			if err = p.float32s(narrow[:count]); err == nil {
				err = p.sum.Add(p.form, narrow[:count])
			}
		} else {
			if err = p.float64s(wide[:count]); err == nil {
				err = p.sum.Add64(p.form, wide[:count])
			}
		}
		if err != nil {
			return nil, p.locate(err)
		}
	}
	return p.sum.Evaluate(labels)
}

// locate writes the place of a bad row as an index into the file's array.
func (p *predictions) locate(err error) error {
	var row *metrics.RowError
	if !errors.As(err, &row) {
		return err
	}
	at := fmt.Sprint(row.Row)
	if len(p.shape) == 3 {
		at = fmt.Sprintf("%d,%d", row.Member, row.Row)
	}
	if row.Class >= 0 {
		at += fmt.Sprintf(",%d", row.Class)
	}
	hint := ""
	if p.form == metrics.Probabilities && !strings.Contains(row.Problem, "NaN") { // which no form allows
		hint = " (logits and log-probabilities must be declared as such)"
	}
	return fmt.Errorf("%s[%s]: %s%s", p.path, at, row.Problem, hint)
}
