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
		Parts:       []string{"teacher"},
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
	j.Task.Likelihood = j.Task.Likelihood.Taught()
	plan, err := m.Student.Plan(model, j)
	if err != nil {
		return nil, err
	}
	plan.Teacher = &methods.Part{Key: "teacher"}
	return plan, nil
}
