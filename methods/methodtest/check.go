package methodtest

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
)

// testCase is a network and a job that a method must manage.
type testCase struct {
	name  string
	model nn.Model
	job   methods.Job
}

// Check holds the method of that name under the keys (TOML) to what every
// method must satisfy, as a classifier.
func Check(t *testing.T, be backends.Backend, name, keys string) {
	small := Toy()
	small.Batch, small.EvalBatch = 5, 1 // a short last batch, one row
	small.Task.Likelihood = task.Categorical{Classes: 4}
	check(t, be, name, keys, []testCase{{"mlp", MLP, Toy()}, {"conv", ConvNet, Toy()}, {"small-batch", MLP, small}})
}

// CheckRegression is Check with numbers as the target, under every noise; under
// -short on two noises.
func CheckRegression(t *testing.T, be backends.Backend, name, keys string) {
	cases := []testCase{
		{"heteroscedastic", MLP, ToyRegression(task.Heteroscedastic)},
		{"homoscedastic-conv", ConvNet, ToyRegression(task.Homoscedastic)},
		{"homoscedastic", MLP, ToyRegression(task.Homoscedastic)},
		{"fixed", MLP, ToyRegression(task.Fixed)},
	}
	if testing.Short() {
		cases = cases[:2]
	}
	check(t, be, name, keys, cases)
}

func check(t *testing.T, be backends.Backend, name, keys string, cases []testCase) {
	m, err := New(name, keys)
	if err != nil {
		t.Fatalf("New(%s, %s): %v", name, keys, err)
	}
	if _, err := New(name, keys+"\nno_such_key = 1\n"); err == nil {
		t.Errorf("a key that the method does not have is no error")
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			plan, err := m.Plan(c.model, c.job)
			if err != nil {
				t.Fatal(err)
			}
			checkPlan(t, plan, c.job)
			if len(plan.Members) == 0 && plan.Program == nil {
				checkRun(t, be, m, c.model, c.job)
			}
		})
	}
}

// checkPlan checks that the parts of a plan fit together.
func checkPlan(t *testing.T, plan *methods.Plan, j methods.Job) {
	if len(plan.Members) > 0 {
		if len(plan.State)+len(plan.Stages)+len(plan.Predictors) > 0 || plan.Report != nil {
			t.Error("a plan with members has state, stages, predictors or a report of its own")
		}
		return
	}
	if plan.Program != nil {
		checkProgram(t, plan, j)
		return
	}
	slots := map[string]ir.Type{}
	for _, s := range plan.State {
		if _, ok := slots[s.Name]; ok {
			t.Errorf("slot %s is declared twice", s.Name)
		}
		slots[s.Name] = s.Type
	}
	x, y := j.Task.X, j.Task.Likelihood.Target
	if plan.Teacher != nil {
		y = j.Task.Likelihood.Taught().Target
	}
	check := func(what string, p *ir.Program, inputs map[string]ir.Type, results func(ir.Result, ir.Type) bool) {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, v := range p.Params() {
			name := p.Instrs[v].Name
			want, ok := slots[name]
			if !ok {
				want, ok = inputs[name]
			}
			if !ok || !want.Equal(p.Type(v)) {
				t.Errorf("%s: parameter %s %s is neither a slot nor an input of that type", what, name, p.Type(v))
			}
		}
		for _, r := range p.Results {
			if !results(r, p.Type(r.Value)) {
				t.Errorf("%s: result %s %s is not what a plan may have", what, r.Name, p.Type(r.Value))
			}
		}
	}
	if len(plan.Stages) == 0 || len(plan.Predictors) == 0 {
		t.Errorf("%d stages and %d predictors", len(plan.Stages), len(plan.Predictors))
	}
	kept := false
	for _, s := range plan.Stages {
		rows := j.Batch
		if s.FullBatch {
			rows = j.Task.Examples
		}
		inputs := map[string]ir.Type{"x": x(rows), "y": y(rows), "key": ir.Uint(2)}
		for name := range s.Schedules {
			if _, ok := s.Step.Param(name); !ok {
				t.Errorf("stage %s: schedule %s is no parameter", s.Name, name)
			}
			inputs[name] = ir.Float()
		}
		check("stage "+s.Name, s.Step, inputs, func(r ir.Result, typ ir.Type) bool {
			if slot, ok := slots[r.Name]; ok {
				return slot.Equal(typ)
			}
			return typ.Equal(ir.Float())
		})
		if s.Steps < 1 {
			t.Errorf("stage %s has %d steps", s.Name, s.Steps)
		}
		for _, name := range s.Kept {
			if _, ok := slots[name]; !ok {
				t.Errorf("stage %s keeps %s, which is no slot", s.Name, name)
			}
		}
		kept = kept || s.KeptIn(s.Steps) > 0 && len(s.Kept) > 0
	}
	for _, p := range plan.Predictors {
		inputs := map[string]ir.Type{"x": x(j.EvalBatch)}
		if p.Stochastic {
			inputs["key"], inputs["row_key"] = ir.Uint(2), ir.Uint(3)
		}
		check("predictor "+p.Name, p.Program, inputs, func(r ir.Result, typ ir.Type) bool {
			return typ.Equal(predictive(j)[r.Name])
		})
		if p.Refresh != nil {
			inputs := map[string]ir.Type{"x": x(j.Batch), "share": ir.Float(), "key": ir.Uint(2)}
			check("refresh of "+p.Name, p.Refresh, inputs, func(r ir.Result, typ ir.Type) bool {
				want, ok := slots[r.Name]
				return ok && want.Equal(typ)
			})
		}
		if p.Kept && !kept {
			t.Errorf("predictor %s draws from stored states, and no stage stores any", p.Name)
		}
	}
	if s := plan.Sampler; s != nil {
		checkSampler(t, plan, s)
	}
	if plan.Report == nil {
		if len(plan.Weights) > 0 {
			t.Error("weights are listed and nothing reports how many are used")
		}
		return
	}
	check("report", plan.Report, nil, func(r ir.Result, typ ir.Type) bool { return typ.Equal(ir.Float()) })
	for _, w := range plan.Weights {
		if !slices.ContainsFunc(plan.Report.Results, func(r ir.Result) bool { return r.Name == "nonzero/"+w.Layer }) {
			t.Errorf("nothing reports nonzero/%s", w.Layer)
		}
	}
}

// checkProgram checks the plan of a method that is another program.
func checkProgram(t *testing.T, plan *methods.Plan, j methods.Job) {
	if len(plan.State)+len(plan.Stages) > 0 || plan.Report != nil || plan.Teacher != nil || plan.Sampler != nil {
		t.Error("a plan that is another program's has state, stages, a report, a teacher or a sampler of its own")
	}
	if len(plan.Predictors) != 1 || plan.Predictors[0].Program != nil || !plan.Predictors[0].Kept {
		t.Errorf("want one predictor, that draws from what the program kept, found %+v", plan.Predictors)
	}
	p := plan.Program
	if len(p.Command) == 0 || !(p.Timeout > 0) || p.Disk <= 0 {
		t.Errorf("want a command and its limits, found %+v", p)
	}
	if p.Epochs != j.Epochs || p.Batch != j.Batch || !reflect.DeepEqual(p.Train, j.Train) {
		t.Errorf("the program is told the budget %+v, the job's is %+v", p, j)
	}
}

// checkSampler checks that a sampler's steps are of slots that its stage's loss may
// depend on, positive, and one or one for each element.
func checkSampler(t *testing.T, plan *methods.Plan, s *methods.Sampler) {
	state := map[string][]float32{}
	for _, slot := range plan.State {
		state[slot.Name] = make([]float32, slot.Type.Size())
	}
	step := plan.Stages[s.Stage].Step
	if !slices.ContainsFunc(step.Results, func(r ir.Result) bool { return r.Name == "loss" }) {
		t.Errorf("sampler: stage %d has no loss", s.Stage)
	}
	steps := s.Steps(state)
	if len(steps) == 0 || !(s.Limit > 0) || s.Key == "" {
		t.Errorf("sampler: %d slots move, limit %v, key %q", len(steps), s.Limit, s.Key)
	}
	for name, each := range steps {
		if _, ok := step.Param(name); !ok {
			t.Errorf("sampler: %s is no parameter of stage %d", name, s.Stage)
		}
		if n := len(state[name]); len(each) != 1 && len(each) != n {
			t.Errorf("sampler: %d steps for the %d elements of %s", len(each), n, name)
		}
		for _, x := range each {
			if !(x > 0) {
				t.Errorf("sampler: a step of %v for %s", x, name)
			}
		}
	}
}

// checkRun trains and predicts twice.
func checkRun(t *testing.T, be backends.Backend, m methods.Method, model nn.Model, j methods.Job) {
	d := Examples(j)
	f, err := Fit(be, m, model, j, d, 5)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Fit(be, m, model, j, d, 5)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range f.State {
		if !slices.Equal(v, again.State[name]) {
			t.Errorf("slot %s differs between two runs of one seed", name)
		}
		if i := slices.IndexFunc(v, func(x float32) bool { return x-x != 0 }); i >= 0 {
			t.Errorf("slot %s[%d] = %v", name, i, v[i])
		}
	}
	checkLoss(t, f)
	checkFit(t, f, m, model, d)
	for _, p := range f.Plan.Predictors {
		checkPredictor(t, f, p, j, d)
	}
	checkBatches(t, f, m, model, d)
	if f.Plan.Report == nil {
		return
	}
	report, err := f.Report()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range report {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			t.Errorf("report: %s = %v", name, x)
		}
	}
	for _, w := range f.Plan.Weights {
		if n := report["nonzero/"+w.Layer]; n < 0 || n > float64(w.Size) {
			t.Errorf("nonzero/%s = %v of %d", w.Layer, n, w.Size)
		}
	}
}

// checkLoss wants every recorded scalar to be finite, and the negative log-likelihood (the loss
// where a stage does not record it) to fall over the training.
func checkLoss(t *testing.T, f *Fitted) {
	var series []float64
	for _, s := range f.Plan.Stages {
		v := f.Curve[s.Name]["nll"]
		if v == nil {
			v = f.Curve[s.Name]["loss"]
		}
		series = append(series, v...)
		for name, c := range f.Curve[s.Name] {
			if i := slices.IndexFunc(c, func(x float64) bool { return x-x != 0 }); i >= 0 {
				t.Fatalf("stage %s, step %d: %s = %v", s.Name, i, name, c[i])
			}
		}
	}
	n := max(len(series)/6, 1)
	if first, last := mean(series[:n]), mean(series[len(series)-n:]); !(last < first) {
		t.Errorf("nll goes from %.3f to %.3f in %d steps", first, last, len(series))
	}
}

// checkFit wants each predictor's predictive, the mixture of ten draws, to be well better on the
// training examples than the best prediction that does not look at x.
func checkFit(t *testing.T, f *Fitted, m methods.Method, model nn.Model, d Data) {
	all := f.inBatchesOf(t, m, model, f.job.Task.Examples)
	blind := blindNLL(f.job.Task.Likelihood)
	bound := 0.6 * blind
	if f.job.Task.Likelihood.Name() == "gaussian" { // whose zero is a matter of units
		bound = blind - 0.3
	}
	for _, p := range f.Plan.Predictors {
		draws, err := all.Draws(0, p.Name, d, 10, 7)
		if err != nil {
			t.Fatal(err)
		}
		found := mixtureNLL(f.job.Task.Likelihood, draws, d.Y)
		if !(found < bound) {
			t.Errorf("predictor %s: the NLL per example is %.3f; without a look at x it is %.3f", p.Name, found, blind)
		}
	}
}

// blindNLL is the negative log-likelihood per example of the best prediction that is the same for
// every x: equal probabilities, or mean 0 and, where it is not given, variance 1.
func blindNLL(l task.Likelihood) float64 {
	switch l := l.(type) {
	case task.Categorical:
		return math.Log(float64(l.Classes))
	case task.Gaussian:
		sum := 0.0
		for i := range l.Width {
			v := 1.0
			if l.Noise == task.Fixed {
				v = l.Variance[i]
			}
			sum += (math.Log(2*math.Pi*v) + 1/v) / 2
		}
		return sum
	}
	return math.NaN()
}

// mixtureNLL is the negative log-likelihood per example of the mixture of draws.
func mixtureNLL(l task.Likelihood, draws []map[string][]float32, y []float32) float64 {
	columns := l.Target(1).Size()
	rows := len(y) / columns
	sum := 0.0
	for row := range rows {
		density := 0.0
		for _, draw := range draws {
			logp := 0.0
			for i := row * columns; i < (row+1)*columns; i++ {
				if p, ok := draw["logp"]; ok {
					logp += float64(y[i]) * float64(p[i])
				} else {
					s, off := float64(draw["log_var"][i]), float64(y[i])-float64(draw["mean"][i])
					logp -= (math.Log(2*math.Pi) + s + off*off*math.Exp(-s)) / 2
				}
			}
			density += math.Exp(logp) / float64(len(draws))
		}
		sum -= math.Log(density)
	}
	return sum / float64(rows)
}

// inBatchesOf is the fitted plan with predict programs for batches of so many rows.
func (f *Fitted) inBatchesOf(t *testing.T, m methods.Method, model nn.Model, rows int) *Fitted {
	t.Helper()
	other := *f
	other.job.EvalBatch = rows
	var err error
	if other.Plan, err = m.Plan(model, other.job); err != nil {
		t.Fatal(err)
	}
	return &other
}

// predictive is what a predict program results in.
func predictive(j methods.Job) map[string]ir.Type {
	rows := j.EvalBatch
	switch l := j.Task.Likelihood.(type) {
	case task.Categorical:
		return map[string]ir.Type{"logp": ir.Float(rows, l.Classes)}
	case task.Gaussian:
		return map[string]ir.Type{"mean": ir.Float(rows, l.Width), "log_var": ir.Float(rows, l.Width)}
	}
	return nil
}

func checkPredictor(t *testing.T, f *Fitted, p methods.Predictor, j methods.Job, d Data) {
	draws, err := f.Draws(0, p.Name, d, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, draw := range draws {
		if len(draw) != len(predictive(j)) {
			t.Errorf("predictor %s results in %d values, want %v", p.Name, len(draw), predictive(j))
		}
		for name, v := range draw {
			if i := slices.IndexFunc(v, func(x float32) bool { return x-x != 0 }); i >= 0 {
				t.Errorf("predictor %s: %s[%d] = %v", p.Name, name, i, v[i])
			}
		}
		if logp, ok := draw["logp"]; ok {
			checkProbabilities(t, p.Name, logp, j.EvalBatch)
		}
	}
	_, hasKey := p.Program.Param("key")
	_, hasRowKey := p.Program.Param("row_key")
	if (hasKey || hasRowKey) != p.Stochastic {
		t.Errorf("predictor %s: stochastic = %v, takes a key = %v, a key of rows = %v", p.Name, p.Stochastic, hasKey, hasRowKey)
	}
	if same := maps.EqualFunc(draws[0], draws[1], slices.Equal); p.Stochastic && same {
		t.Errorf("predictor %s: two samples are equal", p.Name)
	} else if !p.Stochastic && !p.Kept && !same {
		t.Errorf("predictor %s: two calls differ", p.Name)
	}
}

// checkProbabilities wants those of each row to sum to one.
func checkProbabilities(t *testing.T, predictor string, logp []float32, rows int) {
	classes := len(logp) / rows
	for row := range rows {
		total := 0.0
		for _, x := range logp[row*classes : (row+1)*classes] {
			total += math.Exp(float64(x))
		}
		if math.Abs(total-1) > 1e-5 {
			t.Errorf("predictor %s: row %d has probability %v in all", predictor, row, total)
		}
	}
}

// checkBatches wants every example to be predicted the same, sample by sample,
// whatever batch it comes in and at whatever place.
func checkBatches(t *testing.T, f *Fitted, m methods.Method, model nn.Model, d Data) {
	const samples, tol = 2, 1e-6
	all := f.inBatchesOf(t, m, model, f.job.Task.Examples)
	for _, p := range f.Plan.Predictors {
		want, err := all.Draws(0, p.Name, d, samples, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{20, 7, 1} {
			part := f.inBatchesOf(t, m, model, rows)
			for first := 0; first+rows <= f.job.Task.Examples; first += max(rows, 13) {
				found, err := part.Draws(first, p.Name, d, samples, 1)
				if err != nil {
					t.Fatal(err)
				}
				for k := range found {
					for name, v := range found[k] {
						columns := len(v) / rows
						for i, x := range v {
							if w := want[k][name][first*columns+i]; math.Abs(float64(x-w)) > tol {
								t.Fatalf("predictor %s, sample %d: example %d has %s %v in a batch of %d from example %d on, %v in one of all",
									p.Name, k, first+i/columns, name, x, rows, first, w)
							}
						}
					}
				}
			}
		}
	}
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
