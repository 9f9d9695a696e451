package metrics

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"bayesbench/internal/neartest"
)

// margins returns rows of three logits whose first leads by the margins, as
// logits or as log-probabilities.
func margins(form Form, leads ...float64) [][]float64 {
	var rows [][]float64
	for i, m := range leads {
		row := []float64{100, 100 - m, 99 - m}
		if form == LogProbs {
			rest := math.Exp(-m) * (1 + math.Exp(-1))
			for c := range row {
				row[c] += -100 - math.Log1p(rest)
			}
		}
		// The class that leads must not matter.
		row[0], row[i%3] = row[i%3], row[0]
		rows = append(rows, row)
	}
	return rows
}

// Margins of 40 and more are a probability of 1 in float64, and those of 800
// leave 0 for all other classes. Every score still ranks by them: of the nine
// pairs of inputs, the other distribution's is the less certain in seven.
func TestRankingsBeyondFloat64(t *testing.T) {
	in, out := []float64{60, 50, 45.5}, []float64{42, 55, 41}
	scaled := func(x []float64, scale, more float64) []float64 {
		y := slices.Clone(x)
		for i := range y {
			y[i] = scale*y[i] + more
		}
		return y
	}
	for _, form := range []Form{Logits, LogProbs} {
		for _, scale := range []float64{1, 12, 20, 1000} { // 12: members on both sides of 1e-290
			for _, narrow := range []bool{false, true} {
				for k := 1; k <= 3; k++ {
					var a, b [][][]float64
					for i := range k {
						more := float64(5*i) * scale / 50
						a = append(a, margins(form, scaled(in, scale, more)...))
						b = append(b, margins(form, scaled(out, scale, more)...))
					}
					e, err := fill(t, form, a, 2, narrow).Evaluate([]int{0, 1, 2})
					if err != nil {
						t.Fatal(err)
					}
					o, err := fill(t, form, b, 2, narrow).Evaluate(nil)
					if err != nil {
						t.Fatal(err)
					}
					scores, err := ScoreOOD(e, o)
					if err != nil {
						t.Fatal(err)
					}
					got := values(scores)
					for _, by := range []string{"maxprob", "entropy", "mi"} {
						v, ok := got["ood-auroc-"+by]
						if by == "mi" && k == 1 {
							if ok {
								t.Errorf("mutual information of one member")
							}
							continue
						}
						neartest.Within(t, fmt.Sprintf("%v, margins × %v, K = %d, narrow %v: AUROC by %s", form, scale, k, narrow, by), v, 7./9, 1e-9)
					}
				}
			}
		}
	}
}

// Confidence that is 1 in float64 ranks errors too.
func TestSelectiveBeyondFloat64(t *testing.T) {
	rows := margins(Logits, 60, 41, 55, 44, 50)
	labels := []int{0, 0, 2, 1, 1} // rows 1 and 3 are wrong: they lead in classes 1 and 0
	for _, scale := range []float64{1, 20} {
		for _, row := range rows {
			for c := range row {
				row[c] *= scale
			}
		}
		e := evaluate(t, Logits, labels, rows)
		got := scores(t, e)
		neartest.Within(t, "AURC", got["aurc"], (0+0+0+1./4+2./5)/5, 1e-9)
		neartest.Within(t, "accuracy of the better half", got["accuracy-reject50"], 1, 1e-9)
		neartest.Within(t, "AUROC of errors by confidence", got["misclass-auroc-maxprob"], 1, 1e-9)
		neartest.Within(t, "AUROC of errors by entropy", got["misclass-auroc-entropy"], 1, 1e-9)
		if c := AdaptiveReliability(e, 5); c[0].Accuracy != 0 || c[1].Accuracy != 0 || c[2].Accuracy != 1 {
			t.Errorf("adaptive bins %+v, want the two errors in the first two", c)
		}
	}
}

// The averages of probabilities below what float64 holds, by
//
//	from mpmath import *; mp.dps = 60
//	log((exp(-900) + exp(-905) + exp(-2000)) / 3)  # the class that never leads
//	log((exp(-100) + exp(-905) + exp(-700)) / 3)   # the one that leads never, but is larger once
func TestAverageOfTinyProbabilities(t *testing.T) {
	e := evaluate(t, LogProbs, []int{0}, [][]float64{{-math.Exp(-100), -900, -100}}, [][]float64{{0, -905, -905}}, [][]float64{{0, -2000, -700}})
	neartest.Within(t, "log of the first", e.LogP[1], -901.0918969407803, 1e-9)
	neartest.Within(t, "log of the second", e.LogP[2], -101.0986122886681, 1e-9)
	neartest.Within(t, "log-odds", e.doubt[0], -101.0986122886681, 1e-9)
}
