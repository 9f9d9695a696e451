package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// What a figure shows is bounded, whatever stands in the results: an axis without a width, one that
// reaches to the largest number there is, or a logarithm of 0 would take the drawing library all
// memory or the process.
const (
	largestDrawn  = 1e300  // in magnitude; the width of an axis is still a number
	smallestDrawn = 1e-300 // of what is above 0 on a logarithmic axis, and of the width of any
	mostTicks     = 16     // on one axis
	mostPoints    = 2000   // of one series
	mostSeries    = 96     // of one figure, over its panels
	mostBars      = 24     // methods in a group of bars
	mostGroups    = 64     // groups of bars
	mostFigures   = 100    // of one kind
	longestLabel  = 80     // in characters
)

// axis is how one axis of a figure is divided.
type axis struct {
	base  float64 // of the logarithm; 0 is a linear axis
	whole bool    // ticks at whole numbers only
	zero  bool    // the axis reaches down to 0
	named bool    // the axis has names for ticks and its range already
}

// bears reports whether v has a place on such an axis: a number of some size, above 0 where the
// axis is logarithmic.
func (x axis) bears(v float64) bool {
	return math.Abs(v) <= largestDrawn && (x.base == 0 || v >= smallestDrawn)
}

// fit gives the axis its ticks and, where all values are equal or as good as that, a width: a tenth
// of the value to either side, 1 around 0, half and double on a logarithmic axis. Min and Max are
// values that the axis bears.
func (x axis) fit(a *plot.Axis) {
	if x.named {
		return
	}
	if x.base > 0 {
		if !(a.Max/a.Min > 1.001) {
			a.Min, a.Max = a.Min/2, a.Max*2
		}
		a.Scale, a.Tick.Marker = plot.LogScale{}, logTicker(x)
		return
	}
	if x.zero {
		a.Min = min(a.Min, 0)
	}
	size, width := max(math.Abs(a.Min), math.Abs(a.Max)), a.Max-a.Min
	if width < smallestDrawn || width < 1e-9*size {
		half := size / 10
		if half < smallestDrawn {
			half = 1
		}
		a.Max += half
		if !x.zero || a.Min < 0 {
			a.Min -= half
		}
	}
	a.Scale, a.Tick.Marker = plot.LinearScale{}, ticker{x.whole}
}

// ticker labels four to eight round numbers (plot.DefaultTicks labels three), whole ones if there
// can be no others.
type ticker struct{ whole bool }

// Ticks are at most mostTicks, whatever the range; none if it has no width.
func (t ticker) Ticks(low, high float64) []plot.Tick {
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / 4))))
	for _, by := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if (high-low)/step <= 8 {
			break
		}
		step *= by
	}
	if t.whole {
		step = max(step, 1)
	}
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	var ticks []plot.Tick
	first := math.Ceil(low/step-1e-9) + 0 // no -0
	for n := range mostTicks {
		v := (first + float64(n)) * step
		if !(v <= high+step*1e-9) {
			break
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: tickLabel(v, step, max(math.Abs(low), math.Abs(high)))})
	}
	return ticks
}

// tickLabel writes a multiple of step with as many digits as tell it from its neighbours, and with
// an exponent where the axis is too far from 1 to be read without.
func tickLabel(v, step, size float64) string {
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	if size < 1e7 && decimals <= 7 {
		return strconv.FormatFloat(v, 'f', decimals, 64)
	}
	digits := max(0, int(math.Ceil(math.Log10(size/step))))
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'e', min(digits, 12), 64)
}

// logTicker labels powers of the base, or 1, 2 and 5 times the powers of 10 where the axis is
// short. Where the axis holds fewer than two of them it is divided like a linear one, where it
// holds too many some are left out.
type logTicker axis

// Ticks are at most mostTicks for 0 < low < high.
func (t logTicker) Ticks(low, high float64) []plot.Tick {
	steps := []float64{1}
	if t.base == 10 && high/low < 50 {
		steps = []float64{1, 2, 5}
	}
	exponent := func(v float64) float64 { return math.Log(v) / math.Log(t.base) }
	first, last := math.Floor(exponent(low)), math.Floor(exponent(high))
	stride := max(1, math.Ceil((last-first)/8))
	var ticks []plot.Tick
	for n := range mostTicks {
		e := first + stride*float64(n)
		for _, s := range steps {
			v := s * math.Pow(t.base, e)
			if v >= low*0.9999 && v <= high*1.0001 && (!t.whole || v == math.Trunc(v)) && len(ticks) < mostTicks {
				ticks = append(ticks, plot.Tick{Value: v, Label: plain(v)})
			}
		}
	}
	if len(ticks) < 2 && high/low < t.base*t.base {
		return ticker{t.whole}.Ticks(low, high)
	}
	return ticks
}

// shortLabel is a label of at most longestLabel characters.
func shortLabel(s string) string {
	if runes := []rune(s); len(runes) > longestLabel {
		return string(runes[:longestLabel-1]) + "…"
	}
	return s
}
