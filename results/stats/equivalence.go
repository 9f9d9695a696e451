package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Published is a number from a paper.
type Published struct {
	Mean   float64
	Spread float64 // as printed after the ±; 0 if none is printed
	Kind   Spread  // what the paper says it is; "" if it does not say
	N      int     // runs behind it; 0 if unknown
}

// se returns the standard error of the published mean and its degrees of
// freedom, or why it is not known.
func (p Published) se() (se, freedom float64, unknown error) {
	n := float64(p.N)
	switch {
	case p.Spread == 0:
		return 0, 0, fmt.Errorf("the published number has no spread and is taken as exact")
	case p.Kind == "":
		return 0, 0, fmt.Errorf("the published ± does not say what it is and is left out")
	case p.N < 2:
		return 0, 0, fmt.Errorf("the number of published runs is unknown; the number is taken as exact")
	case p.Kind == SE:
		return p.Spread, n - 1, nil
	case p.Kind == CI95:
		return p.Spread / distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975), n - 1, nil
	}
	return p.Spread / math.Sqrt(n), n - 1, nil
}

// Verdict is the outcome of a comparison with a published number.
type Verdict string

// The verdicts. The same data can differ significantly and still be
// equivalent, when the difference is real but within the margin.
const (
	Equivalent Verdict = "equivalent" // shown to be within the margin
	Different  Verdict = "different"  // shown to differ, not shown to be within the margin
	Undecided  Verdict = "undecided"  // too few or too scattered runs to tell
)

// Equivalence compares our runs with a published number.
type Equivalence struct {
	Verdict    Verdict
	P          float64 // of the two one-sided tests; small when equivalent
	PDifferent float64 // of the two-sided t test of no difference
	// Difference is ours − published, with its interval at 1 − 2·alpha, which
	// lies within ± margin just when P ≤ alpha.
	Difference Interval
	Margin     float64
	Warnings   []error
}

// TOST tests equivalence with a published mean by two one-sided t tests: that
// |μ − published| < margin is shown when both that it lies above −margin and
// that it lies below +margin are significant at alpha. The standard error is
// Welch's, of our runs and, where it is known, of the published mean; a p above
// 0.05 of an ordinary test would show nothing of the kind. Take the margin from
// the published sd or from what matters in practice, before looking. Source:
// Schuirmann (1987), "A comparison of the two one-sided tests procedure and the
// power approach".
func TOST(ours []float64, published Published, margin, alpha float64) (Equivalence, error) {
	if len(ours) < 2 {
		return Equivalence{}, fmt.Errorf("stats: want at least 2 runs for an equivalence, found %d", len(ours))
	}
	if !(margin > 0) {
		return Equivalence{}, fmt.Errorf("stats: want an equivalence margin above 0, found %v", margin)
	}
	n := float64(len(ours))
	mean, sd := stat.MeanStdDev(ours, nil)
	se, freedom := sd/math.Sqrt(n), n-1
	e := Equivalence{Margin: margin, Verdict: Undecided}
	if theirs, theirFreedom, err := published.se(); err != nil {
		e.Warnings = append(e.Warnings, err)
	} else {
		a, b := se*se, theirs*theirs
		se = math.Sqrt(a + b)
		freedom = (a + b) * (a + b) / (a*a/freedom + b*b/theirFreedom)
	}
	student := distuv.StudentsT{Sigma: 1, Nu: freedom}
	d := mean - published.Mean
	e.P = max(tTail(d+margin, se, student), tTail(margin-d, se, student))
	e.PDifferent = min(1, 2*tTail(math.Abs(d), se, student))
	half := se * student.Quantile(1-alpha)
	e.Difference = Interval{d, d - half, d + half, 1 - 2*alpha}
	switch {
	case e.P <= alpha:
		e.Verdict = Equivalent
	case e.PDifferent <= alpha:
		e.Verdict = Different
	}
	return e, nil
}
