package schedule

// rates are the schedules of a learning rate that a suite names, the default first.
var rates = []struct {
	name Kind
	make func(x float64, steps int) Schedule
}{
	{constant, func(x float64, _ int) Schedule { return Constant(x) }},
	{linear, Linear},
	{halfLinear, HalfLinear},
	{cosine, Cosine},
	{oneCycle, OneCycle},
}

// Rates lists the names that Rate knows, the default first: "constant", "linear" (to 0
// over all steps), "half-linear" (constant for the first half, then linear to 0),
// "cosine", "one-cycle" (up to x, then down, both along a cosine).
func Rates() []string {
	names := make([]string, len(rates))
	for i, r := range rates {
		names[i] = string(r.name)
	}
	return names
}

// Rate is the learning rate of that name over a training of so many steps; x is the
// largest. It is false for a name that Rates does not list.
func Rate(name string, x float64, steps int) (Schedule, bool) {
	for _, r := range rates {
		if name == string(r.name) {
			return r.make(x, steps), true
		}
	}
	return Schedule{}, false
}
