package ensemble

import (
	"bayesbench/methods"
	"bayesbench/methods/nn"
)

func init() {
	methods.Register(methods.Driver{
		Name:        "ensemble",
		Description: "deep ensemble of any method (Lakshminarayanan et al. 2017)",
		Parts:       []string{"of"},
		Ignores:     methods.TrainKeys,
		New:         parse,
	})
}

// Method is the settings of an ensemble.
type Method struct {
	Members int // M
	Of      methods.Method
}

func parse(p methods.Params) (methods.Method, error) {
	keys := struct {
		Members int `toml:"members"`
	}{Members: 5}
	if err := p.Decode(&keys); err != nil {
		return nil, err
	}
	if keys.Members < 1 || keys.Members > 100_000 {
		return nil, methods.BadKey("members", keys.Members, "1 to 100000")
	}
	of, err := p.Method("of")
	if err != nil {
		return nil, err
	}
	return Method{Members: keys.Members, Of: of}, nil
}

func (m Method) Plan(model nn.Model, j methods.Job) (*methods.Plan, error) {
	// The members plan for themselves; here it is only asked whether they can.
	if _, err := m.Of.Plan(model, j); err != nil {
		return nil, methods.Nested("of", err)
	}
	p := &methods.Plan{}
	for k := range m.Members {
		p.Members = append(p.Members, methods.Part{Key: "of", Stream: uint32(k)})
	}
	return p, nil
}
