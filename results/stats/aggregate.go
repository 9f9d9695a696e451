package stats

import (
	"slices"

	"gonum.org/v1/gonum/stat"

	"bayesbench/backends/rng"
)

// The aggregates over data sets of Agarwal et al. (2021), "Deep reinforcement
// learning at the edge of the statistical precipice" (rliable). Scores come as
// one slice of runs for each data set, normalised so that they can be averaged.

// IQM is the interquartile mean: the mean of what is left when the ⌊n/4⌋
// smallest and the ⌊n/4⌋ largest of all scores, runs and data sets pooled, are
// dropped.
func IQM(scores [][]float64) float64 {
	all := slices.Concat(scores...)
	slices.Sort(all)
	cut := len(all) / 4
	return stat.Mean(all[cut:len(all)-cut], nil)
}

// IQMInterval is the percentile interval of [IQM] under the stratified
// bootstrap: runs are resampled within each data set.
func IQMInterval(scores [][]float64, confidence float64, reps int, key rng.Key) Interval {
	thetas := make([]float64, reps)
	s := newStrata(scores, key)
	for r := range thetas {
		thetas[r] = IQM(s.draw(r))
	}
	return percentile(thetas, IQM(scores), confidence)
}

// ProbabilityOfImprovement is the mean over data sets of P(A > B) + ½ P(A = B)
// for a random run of each. Larger scores are better.
func ProbabilityOfImprovement(a, b [][]float64) float64 {
	if len(a) != len(b) {
		panic("stats: different numbers of data sets")
	}
	sum := 0.0
	for i := range a {
		wins := 0.0
		for _, x := range a[i] {
			for _, y := range b[i] {
				switch {
				case x > y:
					wins++
				case x == y:
					wins += 0.5
				}
			}
		}
		sum += wins / float64(len(a[i])*len(b[i]))
	}
	return sum / float64(len(a))
}

// ImprovementInterval is the percentile interval of [ProbabilityOfImprovement]
// under the stratified bootstrap of both.
func ImprovementInterval(a, b [][]float64, confidence float64, reps int, key rng.Key) Interval {
	thetas := make([]float64, reps)
	sa, sb := newStrata(a, key.Fold(0)), newStrata(b, key.Fold(1))
	for r := range thetas {
		thetas[r] = ProbabilityOfImprovement(sa.draw(r), sb.draw(r))
	}
	return percentile(thetas, ProbabilityOfImprovement(a, b), confidence)
}

// strata resamples runs within data sets; data set i draws from key.Fold(i).
type strata struct {
	scores, drawn [][]float64
	index         [][]int
	keys          []rng.Key
}

func newStrata(scores [][]float64, key rng.Key) *strata {
	s := &strata{scores: scores}
	for i, runs := range scores {
		s.drawn = append(s.drawn, make([]float64, len(runs)))
		s.index = append(s.index, make([]int, len(runs)))
		s.keys = append(s.keys, key.Fold(uint32(i)))
	}
	return s
}

func (s *strata) draw(r int) [][]float64 {
	for i, runs := range s.scores {
		resample(s.index[i], s.keys[i], r)
		for j, at := range s.index[i] {
			s.drawn[i][j] = runs[at]
		}
	}
	return s.drawn
}
