package optim

import "math"

// Schedules give a scalar at each step of a stage, from 0; they are what a
// methods.Schedule holds.

// Constant is x always.
func Constant(x float64) func(int) float64 { return func(int) float64 { return x } }

// Linear falls from x to 0 over the steps.
func Linear(x float64, steps int) func(int) float64 {
	return func(t int) float64 { return x * (1 - float64(t)/float64(steps)) }
}

// HalfLinear is x for the first half of the steps and then falls to 0: the
// schedule of Molchanov et al. 2017, x·min(2 − 2t/steps, 1).
func HalfLinear(x float64, steps int) func(int) float64 {
	return func(t int) float64 { return x * min(2-2*float64(t)/float64(steps), 1) }
}

// Cosine falls from x to 0 as ½x(1 + cos(πt/steps)). Loshchilov and Hutter,
// "SGDR", ICLR 2017, eq. 5 without restarts.
func Cosine(x float64, steps int) func(int) float64 { return Cyclic(x, steps, 1) }

// OneCycle rises from x/25 to x over the first three tenths of the steps and
// falls to x/250000 at the last, both along half a cosine: PyTorch's
// OneCycleLR with its default values. Smith and Topin, "Super-convergence",
// 2018.
func OneCycle(x float64, steps int) func(int) float64 {
	first, last := x/25, x/25e4
	up, down := max(0.3*float64(steps)-1, 0), float64(steps-1)
	between := func(a, b, share float64) float64 { return b + (a-b)/2*(1+math.Cos(math.Pi*share)) }
	return func(t int) float64 {
		switch at := float64(t); {
		case at < up:
			return between(first, x, at/up)
		case down == up: // a single step
			return x
		default:
			return between(x, last, (at-up)/(down-up))
		}
	}
}

// Cyclic restarts the cosine in each of the cycles of length ⌈steps/cycles⌉.
// Zhang et al., "Cyclical stochastic gradient MCMC", ICLR 2020, eq. 1.
func Cyclic(x float64, steps, cycles int) func(int) float64 {
	length := (steps + cycles - 1) / cycles
	return func(t int) float64 {
		return x / 2 * (math.Cos(math.Pi*float64(t%length)/float64(length)) + 1)
	}
}

// Polynomial is a·(b + t)^(−γ). Welling and Teh, "Bayesian learning via
// stochastic gradient Langevin dynamics", ICML 2011, section 4.
func Polynomial(a, b, gamma float64) func(int) float64 {
	return func(t int) float64 { return a * math.Pow(b+float64(t), -gamma) }
}

// WarmUp is 0 before step start, rises linearly, and is x from step end.
func WarmUp(x float64, start, end float64) func(int) float64 {
	return func(t int) float64 {
		switch at := float64(t); {
		case at >= end:
			return x
		case at < start:
			return 0
		default:
			return x * (at - start) / (end - start)
		}
	}
}

// From is the schedule as a stage sees it that begins at the given step.
func From(schedule func(int) float64, start int) func(int) float64 {
	return func(t int) float64 { return schedule(start + t) }
}
