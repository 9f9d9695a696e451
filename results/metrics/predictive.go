package metrics

import (
	"fmt"
	"math"
	"slices"
)

// Form says what the numbers of a prediction matrix are.
type Form int

// The forms.
const (
	LogProbs      Form = iota // log p(c|x), each row's exponentials sum to one
	Logits                    // unnormalised log-probabilities; the only form that has an energy
	Probabilities             // p(c|x), each row sums to one
)

func (f Form) String() string {
	return [...]string{"log-probabilities", "logits", "probabilities"}[f]
}

// SumTolerance is how far from one a row of probabilities may sum: narrow enough
// to catch logits or a wrong axis. Rows that came as float16 or bfloat16 may be
// off by what its rounding explains, see [sumTolerance].
const SumTolerance = 1e-3

// sumTolerance is how far from one a row may sum. If every number has no more
// than the 8 significant bits of bfloat16 or the 11 of float16, it is 4u for
// probabilities and 4u(1 + H(p)) for log-probabilities, at least
// [SumTolerance], with u = 2⁻⁸ or 2⁻¹¹: rounding log p to a relative u
// moves Σ p by up to u Σ p|log p| = u H(p), and a softmax that is itself
// computed in halves by some u more.
func sumTolerance(form Form, logp, p []float64) float64 {
	numbers, entropy := p, 0.0
	if form == LogProbs {
		numbers = logp
		for c, q := range p {
			if q > 0 && q <= 1 {
				entropy -= q * logp[c]
			}
		}
	}
	for _, bits := range []int{8, 11} {
		if !slices.ContainsFunc(numbers, func(x float64) bool { return math.Float64bits(x)<<(11+bits) != 0 }) {
			return max(SumTolerance, math.Ldexp(4, -bits)*(1+entropy))
		}
	}
	return SumTolerance
}

// Floor is the smallest probability whose logarithm is taken in NLL-like
// metrics (pytorch-ensembles adds the same constant inside the logarithm).
// Nothing that ranks inputs or fits a temperature is floored by it.
const Floor = 1e-12

var logFloor = math.Log(Floor)

// Below tiny a float64 soon has no digits left and then is 0; such
// probabilities are kept by their logarithm.
const tiny = 1e-290

var logTiny = math.Log(tiny)

// Predictive is the running posterior predictive of N inputs over C classes,
//
//	p̄[n,c] = 1/K Σ_k p_k[n,c],
//
// fed with the members' matrices one after another. It keeps sums only, never
// the K×N×C stream: Σ_k p_k and Σ_k log p_k as [N,C], Σ_k H(p_k) as [N], and
// the members' argmax votes, which is all that any metric here needs. Summing
// probabilities in float64 is logsumexp of the log-probabilities down to 1e-290;
// smaller ones, which logits of some hundreds give, are summed as logarithms,
// so that a ranking or a fitted temperature has all that the logits have.
type Predictive struct {
	n, c    int
	members int // complete members
	row     int // next row of the member being added

	sumP    []float64 // [N,C] Σ_k p_k
	sumLogP []float64 // [N,C] Σ_k max(log p_k, log 1e-12)
	votes   []uint32  // [N,C] how many members have their argmax at c
	sumH    []float64 // [N]   Σ_k H(p_k), nats

	tail  []float64 // [N,C] log Σ_k p_k over the members with p_k < tiny; nil while there are none
	tailH []float64 // [N]   log Σ_k H(p_k) over the members with H(p_k) < tiny; nil while there are none

	sumEnergy []float64 // [N] Σ_k −logsumexp(logits_k), while every member came as logits
	noEnergy  bool

	logp, p []float64 // one row
}

// NewPredictive returns the empty predictive of n inputs over c classes.
func NewPredictive(n, c int) *Predictive {
	if n <= 0 || c <= 0 {
		panic(fmt.Sprintf("metrics: predictive of shape [%d %d]", n, c))
	}
	return &Predictive{
		n: n, c: c,
		sumP:      make([]float64, n*c),
		sumLogP:   make([]float64, n*c),
		votes:     make([]uint32, n*c),
		sumH:      make([]float64, n),
		sumEnergy: make([]float64, n),
		logp:      make([]float64, c),
		p:         make([]float64, c),
	}
}

// Members returns K, the number of complete members added so far.
func (p *Predictive) Members() int { return p.members }

// Add appends rows, [m,C] in row-major order, to the member being added. When
// all N rows of a member have come, the next row begins the next member; rows
// may span members. A [*RowError] tells of NaN, an infinite logit, a
// probability below zero, a row that does not sum to one; any other error of a
// length that is not whole rows. After an error the predictive must not be used further.
func (p *Predictive) Add(form Form, rows []float32) error { return add(p, form, rows) }

// RowError says where a prediction is wrong, all counted from 0.
type RowError struct {
	Member  int // -1 where no prediction is wrong but a target
	Row     int
	Column  int     // -1 if the whole row is wrong
	Name    string  // of what a column is: class, target
	Number  Number  // which number of the column is wrong
	Value   float64 // the number, or the sum of the row
	Problem string
}

// Number says which number of a prediction of numbers is meant.
type Number int

// The numbers. A prediction of classes has one number a class, which is TheOnly.
const (
	TheOnly Number = iota
	TheMean
	TheVariance
)

func (e *RowError) Error() string {
	at := fmt.Sprintf("row %d", e.Row)
	if e.Member >= 0 {
		at = fmt.Sprintf("member %d, row %d", e.Member, e.Row)
	}
	if e.Column >= 0 {
		at += fmt.Sprintf(", %s %d", e.Name, e.Column)
	}
	return "metrics: " + at + ": " + e.Problem
}

// Add64 is Add for float64.
func (p *Predictive) Add64(form Form, rows []float64) error { return add(p, form, rows) }

func add[F float32 | float64](p *Predictive, form Form, rows []F) error {
	if len(rows)%p.c != 0 {
		return fmt.Errorf("metrics: %d numbers are not whole rows of %d classes", len(rows), p.c)
	}
	p.noEnergy = p.noEnergy || form != Logits
	for ; len(rows) > 0; rows = rows[p.c:] {
		for i, x := range rows[:p.c] {
			p.logp[i] = float64(x)
		}
		energy, class, value, problem := normalise(form, p.logp, p.p)
		if problem != "" {
			return &RowError{Member: p.members, Row: p.row, Column: class, Name: "class", Value: value, Problem: problem}
		}
		p.sumEnergy[p.row] += energy
		p.accumulate(p.row)
		if p.row++; p.row == p.n {
			p.row = 0
			p.members++
		}
	}
	return nil
}

// normalise turns the row in logp into log-probabilities, with the probabilities
// in prob, or says at which class (-1: the row) what is wrong. Energy is that of
// logits, 0 of the other forms.
func normalise(form Form, logp, prob []float64) (energy float64, class int, value float64, what string) {
	sum := 0.0
	switch form {
	case LogProbs:
		for i, x := range logp {
			if math.IsNaN(x) {
				return 0, i, x, "log-probability is NaN"
			}
			prob[i] = math.Exp(x)
			sum += prob[i]
		}
	case Probabilities:
		for i, x := range logp {
			if math.IsNaN(x) || x < 0 {
				return 0, i, x, fmt.Sprintf("probability is %v", x)
			}
			prob[i] = x
			sum += x
			logp[i] = math.Log(x)
		}
	case Logits:
		best := 0
		for i, x := range logp {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return 0, i, x, fmt.Sprintf("logit is %v", x)
			}
			if x > logp[best] {
				best = i
			}
		}
		top, rest := logp[best], 0.0
		for i, x := range logp {
			prob[i] = math.Exp(x - top)
			if i != best {
				rest += prob[i]
			}
		}
		logSum := math.Log1p(rest) // of the exponentials, less top
		for i := range logp {
			logp[i] = logp[i] - top - logSum
			prob[i] /= 1 + rest
		}
		return -(top + logSum), 0, 0, ""
	}
	if off := math.Abs(sum - 1); !(off <= SumTolerance) {
		if most := sumTolerance(form, logp, prob); !(off <= most) {
			return 0, -1, sum, fmt.Sprintf("%v sum to %.6g, want 1 within %.3g", form, sum, most)
		}
	}
	return 0, 0, 0, ""
}

func (p *Predictive) accumulate(n int) {
	at := n * p.c
	sumP, sumLogP := p.sumP[at:at+p.c], p.sumLogP[at:at+p.c]
	best := 0
	for i, q := range p.p {
		l := p.logp[i]
		if l < logTiny && !math.IsInf(l, -1) {
			p.tail = addTail(p.tail, len(p.sumP), at+i, l)
		} else {
			sumP[i] += q
		}
		sumLogP[i] += max(l, logFloor)
		// The logarithm is compared: two small probabilities may differ there only.
		if l > p.logp[best] {
			best = i
		}
	}
	p.votes[at+best]++
	rest, entropy := uncertainty(p.p, p.logp, best)
	if rest >= tiny {
		p.sumH[n] += entropy
	} else if _, l := logUncertainty(p.logp, best); !math.IsInf(l, -1) {
		p.tailH = addTail(p.tailH, p.n, n, l)
	}
}

// addTail adds e^l to the sum whose logarithm is tail[i]. The first time it
// makes the sums, size of them, all 0.
func addTail(tail []float64, size, i int, l float64) []float64 {
	if tail == nil {
		tail = make([]float64, size)
		for j := range tail {
			tail[j] = math.Inf(-1)
		}
	}
	tail[i] = logAdd(tail[i], l)
	return tail
}
