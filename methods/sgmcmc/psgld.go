package sgmcmc

import (
	"errors"
	"fmt"
	"math"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "psgld",
		Description: "preconditioned SGLD (Li et al. 2016)",
		Ignores:     methods.LossKeys,
		New: func(p methods.Params) (methods.Method, error) {
			m := PSGLD{
				Chain: Chain{LR: 1e-3, PriorSigma: 1, Temperature: 1, Samples: 10, Init: nn.Glorot},
				Decay: Decay{Gamma: 0.55, B: 1000},
				Alpha: 0.99, Lambda: 1e-5,
			}
			if err := p.Decode(&m); err != nil {
				return nil, err
			}
			if err := m.Chain.check(); err != nil {
				return nil, err
			}
			switch {
			case !(m.Alpha >= 0 && m.Alpha < 1):
				return nil, methods.BadKey("alpha", m.Alpha, "a number in [0, 1)")
			case !(m.Lambda > 0) || math.IsInf(m.Lambda, 1):
				return nil, methods.BadKey("lambda", m.Lambda, "a finite number above 0")
			}
			return m, m.Decay.check()
		},
	})
}

// PSGLD is SGLD preconditioned as RMSProp is,
//
//	V ← αV + (1−α)g²,  P = 1/(λ + √V),  w ← w − ηP·g + √(2ηPT/N)·ε
//
// Li, Chen, Carlson, Carin, "Preconditioned stochastic gradient Langevin dynamics
// for deep neural networks", AAAI 2016, algorithm 1; α and λ are theirs. The
// preconditioner moves with the state, so that a step must also have the drift
// ηT/N·Γ, Γ_i = Σ_j ∂P_ij/∂w_j (their section 3.2). The authors drop it, and so does
// the default: then the states are wider than the posterior. GammaTerm adds it, see
// [Preconditioned].
type PSGLD struct {
	Chain
	Decay
	Alpha     float64 `toml:"alpha"`
	Lambda    float64 `toml:"lambda"`
	GammaTerm bool    `toml:"gamma_term"`
}

func (m PSGLD) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	step := Preconditioned{Alpha: m.Alpha, Lambda: m.Lambda, Temperature: constant(m.Temperature), Examples: j.Task.Examples, Gamma: m.GammaTerm}
	plan, err := m.Decay.plan(m.Chain, step, model, j)
	if m.GammaTerm && errors.Is(err, ir.ErrNoGradient) {
		return nil, methods.BadKey("gamma_term", true, fmt.Sprintf("false: it takes a second derivative of %s, which max pooling has not", model.Name))
	}
	return plan, err
}

// Preconditioned is PSGLD's step. With Gamma it has the drift ηT/N·Γ of the
// diagonal preconditioner,
//
//	Γ = ∂P/∂w = −S/(2√V·(λ + √V)²),  S ← αS + (1−α)·2g·h,  h = z∘Hz, z = ±1
//
// S stands for ∂V/∂w: V is an average of g², each of which is taken as a function of
// the present w. That holds where the chain moves little in the 1/(1−α) steps that
// V remembers; where it moves far, g averages to zero in S and Γ vanishes, as it
// must for a V that the state no longer determines. H is the Hessian of the batch's
// loss, and h its diagonal by Hutchinson's estimate, without bias. It takes a
// second derivative of the network, a step more in cost; max pooling has none.
//
// Γ is without bound where V is near 0. So the drift is no more than the noise's
// standard deviation, which goes to 0 more slowly with η and then bounds nothing: a
// tamed Euler step, after Hutzenthaler, Jentzen, Kloeden, "Strong convergence of an
// explicit numerical method for SDEs with nonglobally Lipschitz continuous
// coefficients", Annals of Applied Probability 2012.
type Preconditioned struct {
	Alpha, Lambda float64
	Temperature   methods.Schedule // the zero value is 0
	Examples      int
	Gamma         bool
}

func (o Preconditioned) Step(s *nn.Scope, params []nn.Slot, grads []ir.Value, lr ir.Value) {
	scale := ir.None
	if !o.Temperature.IsZero() {
		t := s.Scheduled("temperature", o.Temperature)
		scale = s.MulConst(s.Mul(lr, t), 2/float64(o.Examples))
	}
	var diagonal []ir.Value // of the Hessian
	if o.Gamma && scale != ir.None {
		diagonal = hutchinson(s, params, grads)
	}
	for i, p := range params {
		v := s.Keep(p.Name+"/v", nn.Init{}, s.Shape(p.Value)...)
		next := s.Add(s.MulConst(v, o.Alpha), s.MulConst(s.Square(grads[i]), 1-o.Alpha))
		s.Set(v, next)
		root := s.AddConst(s.Sqrt(next), o.Lambda) // 1/P
		w := s.Sub(p.Value, s.Div(s.Mul(grads[i], lr), root))
		if scale == ir.None {
			s.Set(p.Value, w)
			continue
		}
		wide := s.Broadcast(scale, s.Shape(w))
		deviation := s.Sqrt(s.Div(wide, root))
		if diagonal != nil {
			slope := s.Keep(p.Name+"/s", nn.Init{}, s.Shape(p.Value)...)
			nextSlope := s.Add(s.MulConst(slope, o.Alpha), s.MulConst(s.Mul(grads[i], diagonal[i]), 2*(1-o.Alpha)))
			s.Set(slope, nextSlope)
			// Where V is 0 so is S.
			gamma := s.Div(nextSlope, s.Mul(s.MulConst(s.Max(s.Sqrt(next), s.Const(1e-18)), -2), s.Square(root)))
			drift := s.Mul(s.MulConst(wide, 0.5), gamma)
			w = s.Add(w, s.Max(s.Min(drift, deviation), s.Neg(deviation)))
		}
		s.Set(p.Value, s.Add(w, s.Mul(deviation, s.Noise(s.Shape(w)...))))
	}
}

// hutchinson estimates the diagonal of the Hessian whose gradient is grads, z∘Hz
// with z = ±1 drawn for each parameter. Hutchinson, "A stochastic estimator of the
// trace of the influence matrix", Communications in Statistics 1989; Bekas,
// Kokiopoulou, Saad, "An estimator for the diagonal of a matrix", 2007.
func hutchinson(s *nn.Scope, params []nn.Slot, grads []ir.Value) []ir.Value {
	var wrt, signs, terms []ir.Value
	for i, p := range params {
		half := s.Less(s.Chance(s.Shape(p.Value)...), s.Const(0.5))
		z := s.AddConst(s.MulConst(half, 2), -1)
		wrt, signs, terms = append(wrt, p.Value), append(signs, z), append(terms, s.Sum(s.Mul(grads[i], z)))
	}
	out := s.Grad(s.Total(terms), wrt...)
	for i := range out {
		out[i] = s.Mul(out[i], signs[i])
	}
	return out
}

// Sampler describes a chain of the step: SGLD's in the coordinates of the
// preconditioner that the chain ends with.
func (o Preconditioned) Sampler(slots []string, eta float64) methods.Sampler {
	return methods.Sampler{Key: "lr", Slots: slots, Size: methods.StepSize{Factor: eta, Second: "/v", Lambda: o.Lambda}, Limit: 2}
}
