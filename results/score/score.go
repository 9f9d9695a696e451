package score

import (
	"fmt"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// Files names the arrays to score.
type Files struct {
	// Predictions is [K,N,C], K posterior samples, N inputs, C classes, or
	// [N,C] for one; float16, bfloat16, float32 or float64, in C or Fortran
	// order. [N], [N,1] and [K,N,1] hold one number an input: of class 1 of two.
	Predictions string
	// Binary says that all predictions hold one number an input, so that [K,N]
	// is that of K samples.
	Binary bool
	// Labels is [N] or [N,1] of class numbers in [0,C), or [N,C] one-hot; of
	// any integer or float type, or bool.
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
	Reliability Bins `json:"reliability"`
	// Against is the comparison with other predictions, nil without.
	Against *Against `json:"against,omitempty"`
}

// At holds the scores of the average of the first Samples posterior samples,
// those of out-of-distribution detection last.
type At struct {
	Samples int
	Scores  []results.Value
}

// Score reads the arrays as a stream and scores them. Errors name the file and,
// as numpy would index it, the place: NaN, a row that does not sum to one, a
// label out of range, shapes that do not match, a file that is cut. All headers
// and all labels are looked at before memory is taken for predictions.
func Score(files Files) (*Result, error) {
	in, err := openPredictions(files.Predictions, files)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	y, err := openLabels(files.Labels, in)
	if err != nil {
		return nil, err
	}
	defer y.Close()
	var out, other *predictions
	if files.OOD != "" {
		if out, err = openPredictions(files.OOD, files); err != nil {
			return nil, err
		}
		defer out.Close()
		if out.k != in.k || out.c != in.c {
			return nil, fmt.Errorf("%s: shape %v, want %d samples of %d classes as in %s", files.OOD, out.Shape, in.k, in.c, files.Predictions)
		}
	}
	if files.Against != "" {
		if other, err = openPredictions(files.Against, files); err != nil {
			return nil, err
		}
		defer other.Close()
		if other.n != in.n || other.c != in.c {
			return nil, fmt.Errorf("%s: shape %v, want %d inputs of %d classes as in %s", files.Against, other.Shape, in.n, in.c, files.Predictions)
		}
	}
	labels, err := readLabels(y, in.c)
	if err != nil {
		return nil, err
	}
	r, ours, err := score(in, labels, out)
	if err != nil || other == nil {
		return r, err
	}
	theirs, err := other.advance(other.k, labels)
	if err != nil {
		return nil, err
	}
	r.Against, err = compare(ours, theirs)
	return r, err
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
