package fit

import (
	"fmt"
	"maps"
	"slices"

	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/optim"
)

// Plan puts a plan together from programs that are built into scopes; the
// state is what they declare. The first error sticks and is Build's.
type Plan struct {
	plan methods.Plan
	err  error
}

// Build is the plan, or the first error met.
func (p *Plan) Build() (*methods.Plan, error) {
	if p.err != nil {
		return nil, p.err
	}
	return &p.plan, nil
}

// Stage appends a stage whose step program build makes: the slots it sets are
// the first results, after them what it names itself. The stage is returned to
// be completed (Keep, FullBatch, …).
func (p *Plan) Stage(name string, steps int, build func(s *nn.Scope)) *methods.Stage {
	var scope *nn.Scope
	program := p.program(name, func(s *nn.Scope) {
		scope = s
		build(s)
	}, true)
	if program == nil {
		return &methods.Stage{}
	}
	stage := methods.Stage{Name: name, Step: program, Steps: steps, Schedules: map[string]methods.Schedule{}}
	maps.Copy(stage.Schedules, scope.Schedules)
	p.plan.Stages = append(p.plan.Stages, stage)
	return &p.plan.Stages[len(p.plan.Stages)-1]
}

// Predictor appends a predictor of the network.
func (p *Plan) Predictor(name string, n Network) *methods.Predictor {
	return p.PredictorOf(name, n, n.Outputs)
}

// PredictorOf appends a predictor whose outputs are not simply the network's.
func (p *Plan) PredictorOf(name string, n Network, outputs func(s *nn.Scope, x ir.Value) ir.Value) *methods.Predictor {
	stochastic := false
	program := p.program(name, func(s *nn.Scope) {
		n.predict(s, outputs(s, n.X(s, n.Job.EvalBatch)))
		stochastic = s.Stochastic()
	}, false)
	if program == nil {
		return &methods.Predictor{}
	}
	p.plan.Predictors = append(p.plan.Predictors, methods.Predictor{Name: name, Program: program, Stochastic: stochastic})
	return &p.plan.Predictors[len(p.plan.Predictors)-1]
}

// Refreshed is Predictor of a network whose weights are not those that training
// left behind last, so that batch normalisation's running statistics are not
// theirs: the predictor refreshes them by passes over training batches, as in
// Izmailov et al., "Averaging weights leads to wider optima and better
// generalization", UAI 2018, section 3.2, and Maddox et al. 2019 for every
// sample. Without batch normalisation it is Predictor.
func (p *Plan) Refreshed(name string, n Network) *methods.Predictor {
	predictor := p.Predictor(name, n)
	refresh := p.program(name+"-refresh", func(s *nn.Scope) {
		s.Share = s.Param("share", ir.Float())
		n.Outputs(s, n.X(s, n.Job.Batch))
	}, true)
	if refresh != nil && len(refresh.Results) > 0 {
		predictor.Refresh = refresh
	}
	return predictor
}

// Keep has the stage store what the predictor reads, after each step that every
// picks, and the predictor draw from that.
func (p *Plan) Keep(stage *methods.Stage, predictor *methods.Predictor, every methods.Every) {
	if p.err != nil {
		return
	}
	stage.Keep, predictor.Kept = every, true
	for _, slot := range p.Reads(predictor) {
		stage.Kept = append(stage.Kept, slot.Name)
	}
}

// Sampler says how the chain of the plan moves.
func (p *Plan) Sampler(s methods.Sampler) { p.plan.Sampler = &s }

// Reads lists the slots that the predictor reads.
func (p *Plan) Reads(predictor *methods.Predictor) []methods.Slot {
	var out []methods.Slot
	for _, slot := range p.plan.State {
		if p.err == nil {
			if _, ok := predictor.Program.Param(slot.Name); ok {
				out = append(out, slot)
			}
		}
	}
	return out
}

// Report sets the program that reads the state and reports scalars.
func (p *Plan) Report(build func(s *nn.Scope)) {
	p.plan.Report = p.program("report", build, false)
}

// Estimators offers the gradient of the mean NLL under every way that noise can
// enter layers of Gaussian weights, and without noise. Their programs are those
// of [Gradient].
func (p *Plan) Estimators(tensors []nn.Tensor) {
	for _, e := range []nn.Estimator{nn.Mean, nn.Local, nn.Weight, nn.Datum} {
		if e == nn.Datum && slices.ContainsFunc(tensors, func(t nn.Tensor) bool { return len(t.Shape) != 2 }) {
			continue // it is for fully connected layers
		}
		p.plan.Estimators = append(p.plan.Estimators, string(e))
	}
}

// Weights says which weight tensors count for sparsity.
func (p *Plan) Weights(tensors []nn.Tensor) {
	for _, t := range tensors {
		p.plan.Weights = append(p.plan.Weights, methods.Weights{Layer: t.Layer, Size: t.Size()})
	}
}

// State is what the programs so far declare.
func (p *Plan) State() []methods.Slot { return p.plan.State }

// StateOf is the slot of that name, if the programs so far declare it.
func (p *Plan) StateOf(name string) (methods.Slot, bool) {
	for _, slot := range p.plan.State {
		if slot.Name == name {
			return slot, true
		}
	}
	return methods.Slot{}, false
}

// program builds one program and adds its slots to the state.
func (p *Plan) program(name string, build func(s *nn.Scope), training bool) *ir.Program {
	if p.err != nil {
		return nil
	}
	var scope *nn.Scope
	program, err := ir.Build(name, func(b *ir.Builder) {
		scope = nn.NewScope(b, training)
		build(scope)
		for _, slot := range scope.Slots {
			if slot.Next != ir.None {
				b.Result(slot.Name, slot.Next)
			}
		}
	})
	if err != nil {
		p.err = err
		return nil
	}
	for _, slot := range scope.Slots {
		p.declare(methods.Slot{Name: slot.Name, Type: program.Type(slot.Value), Init: slot.Init})
	}
	return ir.Clean(program)
}

// declare adds a slot to the state unless it is there.
func (p *Plan) declare(slot methods.Slot) {
	for _, have := range p.plan.State {
		if have.Name != slot.Name {
			continue
		}
		if !have.Type.Equal(slot.Type) {
			p.err = fmt.Errorf("slot %s is %s in one program and %s in another", slot.Name, have.Type, slot.Type)
		}
		return
	}
	p.plan.State = append(p.plan.State, slot)
}

// Minimise appends the stage that minimises the network's objective under the
// suite's [train] table for all epochs.
func (p *Plan) Minimise(n Network, klWeight methods.Schedule) {
	opt, lr, err := Optimizer(n.Job)
	if err != nil {
		p.err = err
		return
	}
	p.Stage("train", n.Job.Steps(), func(s *nn.Scope) { Minimise(s, n, klWeight, opt, lr) })
}

// Minimise builds one step of descent on the network's objective. The zero
// klWeight is 1 always.
func Minimise(s *nn.Scope, n Network, klWeight methods.Schedule, opt optim.Optimizer, lr methods.Schedule) {
	weight := ir.None
	if !klWeight.IsZero() {
		weight = s.Scheduled("kl_weight", klWeight)
	}
	o := n.Objective(s, weight)
	Descend(s, s.Trained(), o.Surrogate, opt, s.Scheduled("lr", lr))
	o.Record(s)
}
