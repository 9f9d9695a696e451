package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bayesbench/results/stats"
)

// decimals are the digits behind the point that the spreads of a column support: each spread has
// one significant digit (two if the first is a 1), and the column takes the median, so that its
// numbers line up. It is -1 where no cell has a spread, or where numbers are too large or too fine
// to write out; those have four significant digits.
func (t *Table) decimals(column int) int {
	var all []int
	for _, r := range t.Rows {
		s := r.Cells[column].Summary
		spread := t.Spread.Of(s.SD, s.N)
		if !(spread > 0) || math.IsInf(spread, 0) {
			continue
		}
		exponent := int(math.Floor(math.Log10(spread)))
		if spread/math.Pow10(exponent) < 2 {
			exponent--
		}
		if exponent < -7 || math.Abs(s.Mean) >= 1e7 {
			return -1
		}
		all = append(all, max(0, -exponent))
	}
	if len(all) == 0 {
		return -1
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// allDecimals are the decimals of every column.
func (t *Table) allDecimals() []int {
	all := make([]int, len(t.Columns))
	for j := range all {
		all[j] = t.decimals(j)
	}
	return all
}

// number formats a cell to the decimals of its column. The spread is "" where there is none.
func (t *Table) number(c Cell, decimals int) (mean, spread string) {
	width := t.Spread.Of(c.SD, c.N)
	switch {
	case c.N == 0:
		return "", ""
	case math.IsNaN(width):
		return plain(c.Mean), ""
	case decimals < 0:
		return plain(c.Mean), fmt.Sprintf("%.1g", width)
	}
	mean = strconv.FormatFloat(c.Mean, 'f', decimals, 64)
	spread = strconv.FormatFloat(width, 'f', decimals, 64)
	if width == 0 {
		return mean, "0"
	}
	if strings.Trim(spread, "0.") == "" {
		spread = "<" + strconv.FormatFloat(math.Pow10(-decimals), 'f', decimals, 64)
	}
	return mean, spread
}

// plain formats a number with four significant digits and no exponent where it can be read without
// one.
func plain(v float64) string {
	switch a := math.Abs(v); {
	case math.IsInf(v, 1):
		return "∞"
	case v == 0:
		return "0"
	case a >= 1000 && a < 1e7:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 1e7 || a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	default:
		s := strconv.FormatFloat(v, 'g', 4, 64)
		if !strings.Contains(s, "e") {
			return s
		}
		return strconv.FormatFloat(v, 'f', 6, 64)
	}
}

// signed is plain with a sign in front.
func signed(v float64) string {
	if v > 0 {
		return "+" + plain(v)
	}
	return plain(v)
}

// text is a cell as one string: mean ±spread, and * or † where the difference from the baseline is
// significant.
func (t *Table) text(c Cell, decimals int) string {
	mean, spread := t.number(c, decimals)
	if spread != "" {
		mean += " ±" + spread
	}
	return mean + c.mark()
}

// mark is * for significantly better than the baseline, † for worse, ‡ for different where there is
// no better, in parentheses where the metric is not the primary one.
func (c Cell) mark() string {
	sign := c.sign()
	if sign != "" && c.Exploratory {
		return "(" + sign + ")"
	}
	return sign
}

func (c Cell) sign() string {
	if c.Comparison == nil {
		return ""
	}
	switch c.Verdict {
	case IsBetter:
		return "*"
	case IsWorse:
		return "†"
	case Differs:
		return "‡"
	}
	return ""
}

// spreadNames say what stands behind a ±.
var spreadNames = map[stats.Spread]string{
	stats.SD:   "standard deviation",
	stats.SE:   "standard error of the mean",
	stats.CI95: "half of the mean's 95 % t interval",
}

// legend says what stands in the cells.
func (t *Table) legend() []string {
	lo, hi, spread, compared, signs := math.MaxInt, 0, false, false, map[string]bool{}
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			if c.N > 0 {
				lo, hi = min(lo, c.N), max(hi, c.N)
			}
			spread = spread || c.N > 1
			compared = compared || c.Comparison != nil
			signs[c.sign()] = true
		}
	}
	var lines []string
	switch {
	case hi == 0:
	case lo == hi && !spread:
		lines = append(lines, fmt.Sprintf("One %s: no spread can be given.", strings.TrimSuffix(t.Over, "s")))
	case lo == hi:
		lines = append(lines, fmt.Sprintf("Mean ± %s over %d %s.", spreadNames[t.Spread], hi, t.Over))
	default:
		lines = append(lines, fmt.Sprintf("Mean ± %s over %d to %d %s; see the column of %[4]s.", spreadNames[t.Spread], lo, hi, t.Over))
	}
	switch {
	case t.Baseline == "":
	case !compared:
		lines = append(lines, fmt.Sprintf("Nothing can be compared with %s.", t.Baseline))
	default:
		lines = append(lines, t.comparisonLegend(signs))
	}
	return append(lines, t.Notes...)
}

// comparisonLegend says by which test the rows are compared, and what is corrected for what.
func (t *Table) comparisonLegend(signs map[string]bool) string {
	what := fmt.Sprintf("Against %s: ", t.Baseline)
	if t.paired {
		what += "exact sign-flip test over paired " + t.Over
	} else {
		what += "Mann-Whitney U test, unpaired, for they share no " + strings.TrimSuffix(t.Over, "s")
	}
	what += fmt.Sprintf(", p < %g", t.Alpha)
	var words []string
	for _, m := range []struct{ sign, word string }{{"*", "better"}, {"†", "worse"}, {"‡", "different"}} {
		if signs[m.sign] {
			words = append(words, m.sign+" "+m.word)
		}
	}
	switch {
	case len(words) > 0:
		what += ": " + strings.Join(words, ", ")
	case !t.tooFewSeeds:
		what += ": no significant difference"
	}
	explored, timed := false, false
	for _, c := range t.Columns {
		explored = explored || c.Unit != t.primary
	}
	for _, r := range t.Rows {
		for j, c := range r.Cells {
			timed = timed || c.N > 0 && c.Comparison == nil && t.Columns[j].Timing
		}
	}
	what += fmt.Sprintf(". Primary metric: %s, Holm's correction over %s.", t.primary, plural(t.family, "comparison"))
	if explored {
		what += " Other metrics are exploratory: corrected within their column, signs in parentheses."
	}
	if timed {
		what += " Speed is not tested."
	}
	return what
}

// seeds is the number of seeds of a row: one number, or a range if its cells differ.
func (r Row) seeds() string {
	lo, hi := math.MaxInt, 0
	for _, c := range r.Cells {
		if c.N > 0 {
			lo, hi = min(lo, c.N), max(hi, c.N)
		}
	}
	switch {
	case hi == 0:
		return "0"
	case lo == hi:
		return strconv.Itoa(hi)
	}
	return fmt.Sprintf("%d-%d", lo, hi)
}

// best returns the index of the row with the best mean in each column, -1 where there is no better
// direction or nothing to choose from.
func (t *Table) best() []int {
	best := make([]int, len(t.Columns))
	for j, col := range t.Columns {
		best[j] = -1
		if len(t.Rows) < 2 || col.Better == "" {
			continue
		}
		for i, r := range t.Rows {
			c := r.Cells[j]
			if c.N == 0 || math.IsNaN(c.Mean) {
				continue
			}
			if k := best[j]; k < 0 || (c.Mean < t.Rows[k].Cells[j].Mean) == (col.Better == "lower") && c.Mean != t.Rows[k].Cells[j].Mean {
				best[j] = i
			}
		}
	}
	return best
}

// arrow shows which way a metric improves.
func (c Column) arrow() string {
	switch c.Better {
	case "lower":
		return " ↓"
	case "higher":
		return " ↑"
	}
	return ""
}
