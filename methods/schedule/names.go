package schedule

// rates are the schedules of a learning rate that a suite names, the default first.
var rates = []struct {
	name  Kind
	about string
	make  func(x float64, c Course) Schedule
}{
	{constant, "the same rate always", func(x float64, _ Course) Schedule { return Constant(x) }},
	{linear, "to 0 over all steps", func(x float64, c Course) Schedule { return Linear(x, c.Steps) }},
	{halfLinear, "constant for half of the steps, then to 0", func(x float64, c Course) Schedule { return HalfLinear(x, c.Steps) }},
	{cosine, "to 0 along half a cosine", func(x float64, c Course) Schedule { return Cosine(x, c.Steps) }},
	{oneCycle, "up to the largest rate, then down, both along a cosine", func(x float64, c Course) Schedule { return OneCycle(x, c.Steps) }},
	{drops, "times train.gamma after each of train.milestones", func(x float64, c Course) Schedule { return Drops(x, c.Gamma, c.Milestones...) }},
}

// Rates lists the names that a [Course] may have, the default first: "constant", "linear" (to 0
// over all steps), "half-linear" (constant for the first half, then linear to 0),
// "cosine", "one-cycle" (up to x, then down, both along a cosine), "step" (times gamma at each
// milestone).
func Rates() []string {
	names, _ := Known()
	return names
}

// Known lists them with a line each.
func Known() (names, about []string) {
	for _, r := range rates {
		names, about = append(names, string(r.name)), append(about, r.about)
	}
	return names, about
}

// Course is how a learning rate goes over a training.
type Course struct {
	Name string // one of [Rates]
	// Warm is how many steps the rate rises, before the schedule of that name takes the steps that
	// are left; less than Steps.
	Warm       int
	Steps      int     // of the training
	Milestones []int   // of "step": steps of the training, Warm or later
	Gamma      float64 // of "step"
}

// Rate is the learning rate whose largest value is x. It is false for a name that Rates does not
// list.
func (c Course) Rate(x float64) (Schedule, bool) {
	rest := c
	rest.Steps -= c.Warm
	rest.Milestones = make([]int, len(c.Milestones))
	for i, m := range c.Milestones {
		rest.Milestones[i] = m - c.Warm
	}
	for _, r := range rates {
		if c.Name == string(r.name) {
			return r.make(x, rest).Warmed(c.Warm), true
		}
	}
	return Schedule{}, false
}
