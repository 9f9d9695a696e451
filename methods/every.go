package methods

// Every picks steps of a stage. Of each period of Period steps, counted from the
// stage's first, it picks Count, spread evenly over those from step From of the period
// on, the last of the period among them. A period that the stage's end cuts short has as
// many in fewer steps. Count is at most the steps that there are from From on; where it
// is more, each of them is picked. The zero Every picks none.
type Every struct {
	From   int `json:"from,omitempty"`
	Period int `json:"period"`
	Count  int `json:"count"`
}

// Picks reports whether the step, from 0, is picked in a stage of so many steps.
func (e Every) Picks(step, steps int) bool { return e.Before(step+1, steps) > e.Before(step, steps) }

// Before counts the steps that are picked among the first n of a stage of so many.
func (e Every) Before(n, steps int) int {
	if e.Count == 0 {
		return 0
	}
	whole, rest := n/e.Period, n%e.Period
	return whole*e.in(e.Period, e.Period) + e.in(rest, min(e.Period, steps-whole*e.Period))
}

// in counts those among the first n steps of a period of so many.
func (e Every) in(n, period int) int {
	room := period - e.From
	if room < 1 || n <= e.From {
		return 0
	}
	return (n - e.From) * min(e.Count, room) / room
}
