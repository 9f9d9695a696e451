// Package distill is distillation: a network is trained on the mean predictive
// of a finished teacher, the job of the table [method.teacher], in place of
// the labels,
//
//	loss = −1/B Σ Σ_c p_teacher(c | x)·log p(c | x, w) + 1/N Σ w²/(2σ²)
//
// on the training examples. Prior: N(0, σ²) on weights; KL: none. The student
// may be of another architecture. It predicts in one pass, whatever the
// teacher took. With a teacher that is certain of the labels it is MAP
// training.
//
// Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural
// network", 2015, at temperature 1; of a posterior: Balan, Rathod, Murphy,
// Welling, "Bayesian dark knowledge", NIPS 2015, whose online form is
// bayesian-dark-knowledge.
package distill

import (
	"fmt"

	"bayesbench/methods"
	"bayesbench/methods/deterministic"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "distill",
		Description: "one network trained on a finished teacher's predictive (Hinton et al. 2015)",
		New:         parse,
	})
}

// Method is the settings of distillation.
type Method struct {
	Student deterministic.Method
	Model   *nn.Model // of the student; nil is the suite's
	Teacher methods.Method
}

func parse(p methods.Params) (methods.Method, error) {
	keys := struct {
		Student    string         `toml:"student"` // a model's name; the suite's where empty
		PriorSigma float64        `toml:"prior_sigma"`
		Init       nn.Initializer `toml:"init"`
	}{PriorSigma: 1, Init: nn.Glorot}
	if err := p.Decode(&keys); err != nil {
		return nil, err
	}
	if !(keys.PriorSigma > 0) {
		return nil, methods.BadKey("prior_sigma", keys.PriorSigma, "a number above 0, or inf")
	}
	m := Method{Student: deterministic.Method{PriorSigma: keys.PriorSigma, Init: keys.Init}}
	if keys.Student != "" {
		model, err := nn.Open(keys.Student)
		if err != nil {
			return nil, fmt.Errorf("student: %w", err)
		}
		m.Model = &model
	}
	var err error
	m.Teacher, err = p.Method("teacher")
	return m, err
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	// The teacher plans for itself; here it is only asked whether it can.
	if _, err := m.Teacher.Plan(model, j); err != nil {
		return nil, methods.Nested("teacher", err)
	}
	if m.Model != nil {
		model = *m.Model
	}
	plan, err := m.Student.Plan(model, j)
	if err != nil {
		return nil, err
	}
	plan.Teacher = &methods.Part{Key: "teacher", Seed: func(seed uint32) uint32 { return seed }}
	return plan, nil
}
