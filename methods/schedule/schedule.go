package schedule

import (
	"fmt"
	"math"
)

// Schedule is the value of a scalar at each step of a stage. Of the parameters a kind
// reads those that stand beside it; the others are zero. The zero Schedule is none.
type Schedule struct {
	Kind  Kind    `json:"kind"`
	X     float64 `json:"x,omitzero"`     // the height of the curve, which scales it
	From  float64 `json:"from,omitzero"`  // in steps
	To    float64 `json:"to,omitzero"`    // in steps
	Gamma float64 `json:"gamma,omitzero"` // γ
	Steps int     `json:"steps,omitzero"` // of the whole curve, of a cycle or of a block
	Phase int     `json:"phase,omitzero"` // a step of the cycle, from 0
	Beta1 float64 `json:"beta1,omitzero"` // β₁
	Beta2 float64 `json:"beta2,omitzero"` // β₂
	// Milestones are the steps from each of which on Gamma is a factor once more.
	Milestones []int `json:"milestones,omitempty"`
	// Warm is how many steps come before the curve, in which the value rises to X.
	Warm int `json:"warm,omitzero"`
	// First is the step, those of Warm included, at which the stage begins.
	First int `json:"first,omitzero"`
}

// Kind names the formula of a Schedule in t, the step of the curve from 0. n mod m is
// the rest of the division.
type Kind string

const (
	constant   Kind = "constant"    // X
	linear     Kind = "linear"      // X·(1 − t/Steps)
	halfLinear Kind = "half-linear" // X·min(2 − 2t/Steps, 1)
	cosine     Kind = "cosine"      // X/2·(cos(π·(t mod Steps)/Steps) + 1)
	oneCycle   Kind = "one-cycle"   // see OneCycle
	drops      Kind = "step"        // X·Gamma^(number of Milestones up to t)
	power      Kind = "power"       // X·(From + ⌊t/Steps⌋)^(−Gamma)
	warmUp     Kind = "warm-up"     // X·(t − From)/(To − From), from 0 to X
	pulse      Kind = "pulse"       // X where t mod Steps is Phase, else 0
	late       Kind = "late"        // X where t mod Steps is Phase or more, else 0
	count      Kind = "count"       // t
	adamScale  Kind = "adam-scale"  // √(1 − Beta2^(t+1)) / (1 − Beta1^(t+1))
	adamEps    Kind = "adam-eps"    // X·√(1 − Beta2^(t+1))
)

// IsZero reports whether s is none.
func (s Schedule) IsZero() bool { return s.Kind == "" }

// At is the value at a step of the stage, from 0.
func (s Schedule) At(step int) float64 {
	n := s.First + step
	if n < s.Warm {
		return s.X * float64(n+1) / float64(s.Warm)
	}
	n -= s.Warm
	t, x, steps := float64(n), s.X, float64(s.Steps)
	switch s.Kind {
	case constant:
		return x
	case linear:
		return x * (1 - t/steps)
	case halfLinear:
		return x * min(2-2*t/steps, 1)
	case cosine:
		return x / 2 * (math.Cos(math.Pi*float64(n%s.Steps)/steps) + 1)
	case oneCycle:
		return s.oneCycle(t)
	case drops:
		passed := 0
		for passed < len(s.Milestones) && s.Milestones[passed] <= n {
			passed++
		}
		return x * math.Pow(s.Gamma, float64(passed))
	case power:
		return x * math.Pow(s.From+float64(n/s.Steps), -s.Gamma)
	case warmUp:
		switch {
		case t >= s.To:
			return x
		case t < s.From:
			return 0
		}
		return x * (t - s.From) / (s.To - s.From)
	case pulse:
		return where(n%s.Steps == s.Phase, x)
	case late:
		return where(n%s.Steps >= s.Phase, x)
	case count:
		return t
	case adamScale:
		return math.Sqrt(left(s.Beta2, n)) / left(s.Beta1, n)
	case adamEps:
		return x * math.Sqrt(left(s.Beta2, n))
	}
	panic(fmt.Sprintf("schedule: no kind %q", s.Kind))
}

func where(is bool, x float64) float64 {
	if is {
		return x
	}
	return 0
}

// left is 1 − βᵗ⁺¹.
func left(beta float64, t int) float64 { return 1 - math.Pow(beta, float64(t+1)) }

// oneCycle is the learning rate of OneCycle.
func (s Schedule) oneCycle(t float64) float64 {
	first, last := s.X/25, s.X/25e4
	up, down := max(0.3*float64(s.Steps)-1, 0), float64(s.Steps-1)
	between := func(a, b, share float64) float64 { return b + (a-b)/2*(1+math.Cos(math.Pi*share)) }
	switch {
	case t < up:
		return between(first, s.X, t/up)
	case down == up: // a single step
		return s.X
	}
	return between(s.X, last, (t-up)/(down-up))
}

// After is the schedule as a stage sees it that begins so many steps later.
func (s Schedule) After(steps int) Schedule {
	s.First += steps
	return s
}

// Warmed is the schedule after so many steps of warm-up, in which the value rises linearly: at
// step t = 1, 2, … of them it is X·t/steps. Goyal et al., "Accurate, large minibatch SGD", 2017,
// section 2.2.
func (s Schedule) Warmed(steps int) Schedule {
	s.Warm = steps
	return s
}

// Constant is x always.
func Constant(x float64) Schedule { return Schedule{Kind: constant, X: x} }

// Linear falls from x to 0 over the steps.
func Linear(x float64, steps int) Schedule { return Schedule{Kind: linear, X: x, Steps: steps} }

// HalfLinear is x for the first half of the steps and then falls to 0: the
// schedule of Molchanov et al. 2017, x·min(2 − 2t/steps, 1).
func HalfLinear(x float64, steps int) Schedule {
	return Schedule{Kind: halfLinear, X: x, Steps: steps}
}

// Cosine falls from x to 0 as ½x(1 + cos(πt/steps)). Loshchilov and Hutter,
// "SGDR", ICLR 2017, eq. 5 without restarts.
func Cosine(x float64, steps int) Schedule { return Cyclic(x, steps, 1) }

// Cyclic restarts the cosine in each of the cycles of length ⌈steps/cycles⌉.
// Zhang et al., "Cyclical stochastic gradient MCMC", ICLR 2020, eq. 1.
func Cyclic(x float64, steps, cycles int) Schedule {
	return Schedule{Kind: cosine, X: x, Steps: (steps + cycles - 1) / cycles}
}

// OneCycle rises from x/25 to x over the first three tenths of the steps and
// falls to x/250000 at the last, both along half a cosine: PyTorch's
// OneCycleLR with its default values. Smith and Topin, "Super-convergence",
// 2018.
func OneCycle(x float64, steps int) Schedule { return Schedule{Kind: oneCycle, X: x, Steps: steps} }

// Drops is x, from each of the milestones on times γ once more: MultiStepLR of PyTorch. The
// milestones are steps, in ascending order.
func Drops(x, gamma float64, milestones ...int) Schedule {
	return Schedule{Kind: drops, X: x, Gamma: gamma, Milestones: milestones}
}

// Polynomial is a·(b + t)^(−γ). Welling and Teh, "Bayesian learning via
// stochastic gradient Langevin dynamics", ICML 2011, section 4.
func Polynomial(a, b, gamma float64) Schedule { return Blocks(a, b, gamma, 1) }

// Blocks is the polynomial of blocks of steps: a·(b + k)^(−γ) at every step of block
// k = ⌊t/steps⌋.
func Blocks(a, b, gamma float64, steps int) Schedule {
	return Schedule{Kind: power, X: a, From: b, Gamma: gamma, Steps: steps}
}

// WarmUp is 0 before step from, rises linearly, and is x from step to on.
func WarmUp(x float64, from, to float64) Schedule {
	return Schedule{Kind: warmUp, X: x, From: from, To: to}
}

// Pulse is 1 at step phase of each cycle of so many steps, and 0 at the others.
func Pulse(steps, phase int) Schedule {
	return Schedule{Kind: pulse, X: 1, Steps: steps, Phase: phase}
}

// Late is 0 before step phase of each cycle of so many steps, and x from there on.
func Late(x float64, steps, phase int) Schedule {
	return Schedule{Kind: late, X: x, Steps: steps, Phase: phase}
}

// Count is the number of the step.
func Count() Schedule { return Schedule{Kind: count} }

// AdamScale is √(1−β₂ᵗ)/(1−β₁ᵗ) at the steps t = 1, 2, …: the two corrections of Adam
// for averages that begin at 0.
func AdamScale(beta1, beta2 float64) Schedule {
	return Schedule{Kind: adamScale, Beta1: beta1, Beta2: beta2}
}

// AdamEps is ε·√(1−β₂ᵗ) at the steps t = 1, 2, …: the ε of Adam where AdamScale has
// corrected the step.
func AdamEps(eps, beta2 float64) Schedule { return Schedule{Kind: adamEps, X: eps, Beta2: beta2} }
