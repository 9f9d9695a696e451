package score

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results"
	"bayesbench/results/metrics"
)

// NumberFiles names the arrays of predictions of numbers: means and variances, or draws.
type NumberFiles struct {
	// Mean and Variance are [K,N,D], K posterior samples, N inputs, D targets each, or [N,D] for
	// one sample. Without the D of 1: [K,N] or [N]. Variances of one sample hold for all.
	Mean, Variance string
	// Samples, in their stead, holds draws of the targets, noise included, [S,N,D] or [S,N].
	Samples string
	// Targets is [N,D], or [N] for a D of 1; of any type of number.
	Targets string
	// Floor is the smallest variance: smaller ones count as it. With 0, a variance of 0 is an
	// error, and draws that are all equal have no likelihood.
	Floor float64
}

// The arrays of one score have at most maxTargets inputs times targets, of which one takes up to 2
// KB however many samples there are, and draws at most maxDraws numbers of 8 bytes.
const (
	maxTargets = 1 << 20
	maxDraws   = 1 << 27
)

// NumberResult is what predictions of numbers score at K = 1, 2, 4, … and at all samples.
type NumberResult struct {
	Kind    metrics.Kind `json:"kind"`
	Samples int          `json:"samples"` // K
	Inputs  int          `json:"inputs"`  // N
	Targets int          `json:"targets"` // D
	At      []At         `json:"at"`
	// Coverage is the reliability at all samples.
	Coverage results.Coverage `json:"interval_coverage"`
}

// ScoreNumbers reads the arrays as a stream and scores them. Errors name the file and, as numpy
// would index it, the place: NaN, a variance that is not above 0, shapes that do not match, a file
// that is cut.
func ScoreNumbers(files NumberFiles) (*NumberResult, error) {
	t, err := readTargets(files.Targets)
	if err != nil {
		return nil, err
	}
	if files.Samples != "" {
		return t.scoreSamples(files)
	}
	return t.scoreGaussian(files)
}

// targets are what predictions of numbers are held against.
type targets struct {
	path  string
	shape []int
	n, d  int
	y     []float64
}

func readTargets(path string) (*targets, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	t := &targets{path: path, shape: a.Shape, d: 1}
	switch {
	case len(a.Shape) != 1 && len(a.Shape) != 2:
		return nil, fmt.Errorf("%s: shape %v, want targets [inputs] or [inputs, targets]", path, a.Shape)
	case a.Type.Kind == 'b':
		return nil, fmt.Errorf("%s: bool, want numbers as targets (labels of classes go with -probs and -labels)", path)
	}
	if t.n = a.Shape[0]; len(a.Shape) == 2 {
		t.d = a.Shape[1]
	}
	if t.n > maxTargets/t.d {
		return nil, fmt.Errorf("%s: shape %v, want at most %d numbers: score a part of the inputs at a time", path, a.Shape, maxTargets)
	}
	t.y = make([]float64, t.n*t.d)
	s := stack{Array: a, k: 1, n: t.n, width: t.d, hold: blockNumbers}
	if err := s.read(t.y); err != nil {
		return nil, err
	}
	for i, y := range t.y {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return nil, fmt.Errorf("%s[%s]: target is %v, want a number", path, t.index(a.Shape, 0, i/t.d, i%t.d), y)
		}
	}
	return t, nil
}

// index is the place of a number in an array of the targets' own shape or of one with samples.
func (t *targets) index(shape []int, member, row, column int) string {
	at := strconv.Itoa(row)
	if t.sampled(shape) {
		at = fmt.Sprintf("%d,%d", member, row)
	}
	if len(shape) > 1+strings.Count(at, ",") {
		at += fmt.Sprintf(",%d", column)
	}
	return at
}

// sampled says whether an array of one of the shapes that open takes has a first index of samples.
func (t *targets) sampled(shape []int) bool {
	return len(shape) == 3 || len(shape) == 2 && !slices.Equal(shape, []int{t.n, t.d})
}

// open opens predictions of the targets: [K,N,D] or [N,D], and where D is 1 also [K,N] or [N].
func (t *targets) open(path, what string) (*stack, error) {
	a, err := openArray(path)
	if err != nil {
		return nil, err
	}
	s := &stack{Array: a, k: 1, n: t.n, width: t.d, hold: blockNumbers}
	shape := a.Shape
	switch {
	case slices.Equal(shape, []int{t.n, t.d}), t.d == 1 && slices.Equal(shape, []int{t.n}):
	case len(shape) == 3 && slices.Equal(shape[1:], []int{t.n, t.d}), t.d == 1 && len(shape) == 2 && shape[1] == t.n:
		s.k = shape[0]
	default:
		err = fmt.Errorf("%s: shape %v, want %s %s for the targets of shape %v in %s%s", path, shape, what, t.wanted(), t.shape, t.path, t.hint(shape))
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return s, nil
}

// openFloats is open for numbers that no integer is.
func (t *targets) openFloats(path, what string) (*stack, error) {
	s, err := t.open(path, what)
	if err == nil && !s.Type.Float() {
		s.Close()
		err = fmt.Errorf("%s: %s, want %s as float numbers (predicted classes are no predictions of numbers)", path, s.Type, what)
	}
	return s, err
}

// wanted are the shapes that fit the targets.
func (t *targets) wanted() string {
	if t.d == 1 {
		return fmt.Sprintf("[%d] or [samples %[1]d]", t.n)
	}
	return fmt.Sprintf("[%d %d] or [samples %[1]d %[2]d]", t.n, t.d)
}

// hint says what to do about a frequent kind of wrong shape.
func (t *targets) hint(shape []int) string {
	switch {
	case len(shape) == 2 && t.d == 1 && shape[0] == t.n:
		return "; transpose samples to the first index (a.T), or score probabilities of classes with -probs and -labels"
	case len(shape) == 3 && (slices.Equal(shape[:2], []int{t.n, t.d}) || slices.Equal([]int{shape[0], shape[2]}, []int{t.n, t.d})):
		return "; move samples to the first index (numpy.moveaxis)"
	}
	return ""
}

// scoreGaussian scores means and variances.
func (t *targets) scoreGaussian(files NumberFiles) (*NumberResult, error) {
	mean, err := t.openFloats(files.Mean, "means")
	if err != nil {
		return nil, err
	}
	defer mean.Close()
	variance, err := t.openFloats(files.Variance, "variances")
	if err != nil {
		return nil, err
	}
	defer variance.Close()
	if variance.k != mean.k && variance.k != 1 {
		return nil, fmt.Errorf("%s: shape %v, want variances of %s as in %s, or of one for all", files.Variance, variance.Shape, plural(mean.k, "sample"), files.Mean)
	}
	g, err := metrics.NewGaussian(t.n, t.d, t.y)
	if err != nil {
		return nil, err
	}
	r := &NumberResult{Kind: metrics.KindGaussian, Samples: mean.k, Inputs: t.n, Targets: t.d}
	m, v := make([]float64, len(t.y)), make([]float64, len(t.y))
	add := func(sample int) error {
		if err := mean.read(m); err != nil {
			return err
		}
		if sample < variance.k {
			if err := variance.read(v); err != nil {
				return err
			}
			for i, x := range v {
				if x >= 0 {
					v[i] = max(x, files.Floor)
				}
			}
		}
		return t.locate(g.Add(m, v), mean, variance)
	}
	return r, r.at(mean.k, add, func(last bool) ([]results.Value, error) {
		e, err := g.Evaluate()
		if err != nil {
			return nil, err
		}
		if last {
			r.Coverage = e.Coverage()
		}
		return e.Score()
	})
}

// scoreSamples scores draws.
func (t *targets) scoreSamples(files NumberFiles) (*NumberResult, error) {
	draws, err := t.open(files.Samples, "draws")
	if err != nil {
		return nil, err
	}
	defer draws.Close()
	if draws.k > maxDraws/len(t.y) {
		return nil, fmt.Errorf("%s: shape %v, want at most %d numbers: score a part of the inputs at a time", files.Samples, draws.Shape, maxDraws)
	}
	s, err := metrics.NewSamples(t.n, t.d, t.y, files.Floor)
	if err != nil {
		return nil, err
	}
	r := &NumberResult{Kind: metrics.KindSamples, Samples: draws.k, Inputs: t.n, Targets: t.d}
	x := make([]float64, len(t.y))
	add := func(int) error {
		if err := draws.read(x); err != nil {
			return err
		}
		return t.locate(s.Add(x), draws, draws)
	}
	return r, r.at(draws.k, add, func(last bool) ([]results.Value, error) {
		e, err := s.Evaluate()
		if err != nil {
			return nil, err
		}
		if last {
			r.Coverage = e.Coverage()
		}
		return e.Score(), nil
	})
}

// at adds so many samples and scores the first 1, 2, 4, … and all of them.
func (r *NumberResult) at(samples int, add func(sample int) error, score func(last bool) ([]results.Value, error)) error {
	next := 1
	for k := range samples {
		if err := add(k); err != nil {
			return err
		}
		if k+1 != next && k+1 != samples {
			continue
		}
		scores, err := score(k+1 == samples)
		if err != nil {
			return err
		}
		r.At = append(r.At, At{k + 1, scores})
		next *= 2
	}
	return nil
}

// locate writes the place of a bad number as an index into the file that it is from.
func (t *targets) locate(err error, mean, variance *stack) error {
	var row *metrics.RowError
	if !errors.As(err, &row) {
		return err
	}
	in, hint := mean, ""
	if row.Number == metrics.TheVariance {
		in = variance
		if row.Value == 0 {
			hint = ", or -floor with the smallest variance"
		}
	}
	return fmt.Errorf("%s[%s]: %s%s", in.Path, t.index(in.Shape, row.Member, row.Row, row.Column), row.Problem, hint)
}

// WriteText writes a table as [Result.WriteText] does.
func (r *NumberResult) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "%d inputs, %s, %d posterior samples\n\n", r.Inputs, plural(r.Targets, "target"), r.Samples)
	return writeTable(w, r.At)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// WriteJSON writes the result as one JSON object.
func (r *NumberResult) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteBench writes the scores as [Result.WriteBench] does.
func (r *NumberResult) WriteBench(w io.Writer, name Name) error { return writeBench(w, r.At, name) }
