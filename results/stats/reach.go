package stats

import "math"

// Reach says whether a mean of ours is at or better than a published number.
type Reach string

// The answers.
const (
	Reached Reach = "reached"
	Short   Reach = "short"
)

// ReachOf compares our mean over runs, whose standard error is se, with a published number of
// which smaller is better, within one standard error: that of the published number, or ours where
// the paper gives none. Both are compared as the paper rounds: halfUnit is half of the last digit
// that it prints, 0 for no rounding.
func ReachOf(mean, se float64, p Published, halfUnit float64) Reach {
	margin, _, unknown := p.se()
	if unknown != nil {
		margin = se
	}
	if math.IsNaN(margin) {
		margin = 0 // a single run has none
	}
	if mean <= p.Mean+margin+halfUnit {
		return Reached
	}
	return Short
}
