package methods

import "math"

// Sampler is the step of a Markov chain as far as its stability goes. Near a
// minimum of the potential the step is linear, and the eigenvalue of the loss's
// curvature times the step that Limit names is where it begins to diverge.
type Sampler struct {
	Key string `json:"key"` // of the method that sets the size of the step
	// Stage is the number of one whose result "loss" is the potential per example.
	Stage int      `json:"stage"`
	Slots []string `json:"slots"` // that a step moves
	Size  StepSize `json:"size"`
	Limit float64  `json:"limit"`
	// Adjusted says that a Metropolis test makes up for the size of the step. Without
	// it the states' variance along a direction of curvature λ is 1/(1 − ηλ/Limit)
	// times the posterior's.
	Adjusted bool `json:"adjusted,omitempty"`
}

// StepSize is what a sampler's step multiplies the gradient of the loss by, at its
// largest since samples are kept: Factor; times ε² where Log names a slot; over
// λ + √v for each element where Second names slots.
type StepSize struct {
	Factor  float64 `json:"factor"`
	Log     string  `json:"log,omitempty"`     // the slot f32[] of log ε before it is stretched
	Stretch float64 `json:"stretch,omitempty"` // the largest factor of that ε
	Second  string  `json:"second,omitempty"`  // what the name of a slot has behind it in that of its v
	Lambda  float64 `json:"lambda,omitempty"`  // λ
}

// Steps gives for every slot that a step moves what it multiplies the gradient by: one
// number, or one for each element. It reads the state on the host.
func (s *Sampler) Steps(state map[string][]float32) map[string][]float64 {
	factor := s.Size.Factor
	if s.Size.Log != "" {
		eps := math.Exp(float64(state[s.Size.Log][0])) * s.Size.Stretch
		factor = eps * eps * s.Size.Factor
	}
	steps := map[string][]float64{}
	for _, slot := range s.Slots {
		if s.Size.Second == "" {
			steps[slot] = []float64{factor}
			continue
		}
		for _, v := range state[slot+s.Size.Second] {
			steps[slot] = append(steps[slot], factor/(s.Size.Lambda+math.Sqrt(float64(v))))
		}
	}
	return steps
}
