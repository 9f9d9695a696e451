package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"bayesbench/backends"
	"bayesbench/backends/ir"
	"bayesbench/internal/nearest"
	"bayesbench/methods"
	"bayesbench/methods/nn"
	"bayesbench/methods/task"
	"bayesbench/results"
	"bayesbench/results/metrics"
	"bayesbench/suites"
	"bayesbench/suites/data"
)

// Job is one point of a suite, ready to run.
type Job struct {
	ID     string
	Config suites.Config
	Needs  []*Job // that must be done first: all of the three below
	Listed bool   // the suite asks for it; otherwise only another job does
	// FLOPs estimates the job's cost without that of the jobs it needs. Training
	// takes TrainFLOPs of it; the comparison of gradients, and prediction on the test
	// and validation sets, take the rest.
	FLOPs, TrainFLOPs float64

	members   []*Job  // whose predictives make this job's
	teacher   *Job    // whose predictive is this job's target
	reference *Job    // whose predictive this job's is compared with
	choice    *choice // how its settings are chosen; nil where the suite says them

	settings []results.Pair // that tell it from the plan's other jobs
	*setup
	sets *Sets
}

// setup is what jobs have in common that differ in their seed alone.
type setup struct {
	model      nn.Model
	likelihood string // its name, by which predictions are scored
	splits     int    // that the data set has
	method     methods.Method
	outside    bool           // its networks are another program's
	plan       *methods.Plan  // nil while it is of no use, see prepare
	gradients  []gradient     // to be compared, nil unless the suite asks
	parts      []methods.Part // the plan's members
	pupilOf    *methods.Part  // and its teacher
	flops      float64
	trainFLOPs float64
}

// keptPlans is how many plans are kept until they are run. A plan has some
// 300 KB; those of more setups are made again.
var keptPlans = 256

// Plan resolves a suite: it opens the data, makes every method and plan, adds
// the jobs that others need, and orders them so that needs come first. Nothing
// is trained; whatever could be refused later for a bad value is refused here.
// It ends with ctx's error when ctx ends.
func Plan(ctx context.Context, s *suites.Suite, sets *Sets) ([]*Job, error) {
	if err := checkTrain(s); err != nil {
		return nil, err
	}
	if err := sets.Settle(ctx, s); err != nil {
		return nil, err
	}
	p := &planner{suite: s, sets: sets, byID: map[string]*Job{}, setups: map[string]*setup{}, hashes: hashes{}}
	for _, c := range s.Jobs {
		p.listed = c.Method
		j, err := p.add(ctx, c, 0)
		if err != nil {
			return nil, err
		}
		j.Listed = true
	}
	listed, parts := []*Job{}, []*Job{}
	for _, j := range p.order {
		if j.Listed {
			listed = append(listed, j)
		} else {
			parts = append(parts, j)
		}
	}
	return p.order, errors.Join(nameJobs(listed), nameJobs(parts))
}

// planner is the state of Plan.
type planner struct {
	suite  *suites.Suite
	sets   *Sets
	byID   map[string]*Job
	order  []*Job
	setups map[string]*setup
	peers  map[peer]*suites.Config // of the suite's jobs, made when one asks for another
	listed suites.Table            // the method whose jobs are added now
	asked  int                     // for jobs, by the suite and by other jobs
	hashes hashes
}

// add is the job of a configuration, with all that it needs before it.
func (p *planner) add(ctx context.Context, c suites.Config, depth int) (*Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var err error
	if c.Files, err = p.hashes.of(c.Method); err != nil {
		return nil, err
	}
	// What many share counts for each: time goes with it.
	if p.asked++; p.asked > suites.MaxJobs {
		return nil, p.listed.Errorf("", "the suite comes to more than %d jobs, with members, teachers and references", suites.MaxJobs)
	}
	id := c.ID()
	if j, ok := p.byID[id]; ok {
		return j, nil
	}
	if depth > 8 {
		return nil, c.Method.Errorf("", "methods are nested more than 8 deep")
	}
	if c.Method.Chooses() {
		return p.addChosen(ctx, c, depth)
	}
	j := &Job{ID: id, Config: c, sets: p.sets}
	seedless := c
	seedless.Seed = 0
	at := seedless.ID()
	first := p.setups[at] == nil
	if first {
		j.setup = &setup{}
		if err := j.resolve(ctx); err != nil {
			return nil, err
		}
		p.setups[at] = j.setup
	}
	j.setup = p.setups[at]
	part := func(part methods.Part) (*Job, error) {
		t, ok := c.Method.Sub(part.Key)
		if !ok {
			return nil, c.Method.Errorf(part.Key, "%s: want a table [method.%s]", part.Key, part.Key)
		}
		other, err := c.With(t, part.Seed(c.Seed))
		if err != nil {
			return nil, err
		}
		if other.Seed != c.Seed {
			other.Eval.Reference = "" // which the suite has under its own seeds only
		}
		need, err := p.add(ctx, other, depth+1)
		j.Needs = append(j.Needs, need)
		return need, err
	}
	for _, member := range j.parts {
		m, err := part(member)
		if err != nil {
			return nil, err
		}
		j.members = append(j.members, m)
		j.outside = m.outside
	}
	if teacher := j.pupilOf; teacher != nil {
		t, err := part(*teacher)
		if err != nil {
			return nil, err
		}
		if t.outside {
			return nil, c.Method.Errorf(teacher.Key, "%s: want a method of ours, whose predictions of the training examples can be drawn, found %s",
				teacher.Key, t.Config.Method.Label())
		}
		j.teacher = t
	}
	if label := c.Eval.Reference; label != "" && label != c.Method.Label() {
		other, err := p.reference(&c)
		if err != nil {
			return nil, err
		}
		if j.reference, err = p.add(ctx, other, depth+1); err != nil {
			return nil, err
		}
		j.Needs = append(j.Needs, j.reference)
	}
	if first {
		if err := j.cost(ctx); err != nil {
			return nil, err
		}
		if len(p.setups) > keptPlans {
			j.forget()
		}
	}
	j.FLOPs, j.TrainFLOPs = j.flops, j.trainFLOPs
	p.byID[id] = j
	p.order = append(p.order, j)
	return j, nil
}

// peer is what a job and its reference have in common, and the label by which
// one finds the other.
type peer struct {
	label, model, backend string
	data                  suites.Data
	likelihood            suites.Likelihood
	seed                  uint32
}

func peerOf(c *suites.Config, label string) peer {
	return peer{label, c.Model.Key(), c.Backend, c.Data, c.Likelihood, c.Seed}
}

// reference finds the suite's job that c names as its reference: the method of
// that label on the same model, data, backend and seed, of several the first.
func (p *planner) reference(c *suites.Config) (suites.Config, error) {
	if p.peers == nil {
		p.peers = map[peer]*suites.Config{}
		for i := range slices.Backward(p.suite.Jobs) {
			other := &p.suite.Jobs[i]
			p.peers[peerOf(other, other.Method.Label())] = other
		}
	}
	if other, ok := p.peers[peerOf(c, c.Eval.Reference)]; ok {
		return *other, nil
	}
	labels := map[string]bool{}
	for at := range p.peers {
		labels[at.label] = true
	}
	return *c, c.Errorf("eval.reference", "eval.reference: no method %q in the suite with this model, data, backend and seed; did you mean %q?",
		c.Eval.Reference, nearest.Name(c.Eval.Reference, slices.Collect(maps.Keys(labels))))
}

// nameJobs finds the settings that tell jobs apart.
func nameJobs(jobs []*Job) error {
	configured := make([]results.Configured, len(jobs))
	known := map[*setup]results.Configured{}
	for i, j := range jobs {
		var ok bool
		if configured[i], ok = known[j.setup]; ok {
			continue
		}
		c := &j.Config
		text, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
		settings, err := results.Settings(text)
		if err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
		setup, err := results.Setup(text)
		if err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
		base := fmt.Sprintf("%q", []string{c.Data.Name, c.Model.Name, c.Method.Label(), c.Backend, c.Data.RandomLabels})
		configured[i] = results.Configured{Base: base, Settings: settings, Setup: setup}
		known[j.setup] = configured[i]
	}
	for i, settings := range results.Distinguish(configured) {
		jobs[i].settings = settings
	}
	return nil
}

// prepare makes the plans again, of the job and of what it needs, that were not
// kept. It returns what gives them up.
func (j *Job) prepare(ctx context.Context) (forget func(), err error) {
	var made []*Job
	forget = func() {
		for _, m := range made {
			m.forget()
		}
	}
	seen := map[*Job]bool{}
	var visit func(k *Job) error
	visit = func(k *Job) error {
		if seen[k] {
			return nil
		}
		seen[k] = true
		if k.plan == nil {
			if err := k.resolve(ctx); err != nil {
				return err
			}
			made = append(made, k)
		}
		needs := k.Needs
		if k.choice != nil {
			needs = k.members // the trials have been read
		}
		for _, n := range needs {
			if err := visit(n); err != nil {
				return err
			}
		}
		return nil
	}
	return forget, visit(j)
}

func (s *setup) forget() { s.plan, s.gradients = nil, nil }

// resolve makes the plan of the job's setup.
func (j *Job) resolve(ctx context.Context) error {
	c := &j.Config
	if err := backends.Known(c.Backend); err != nil {
		return c.Errorf("backend", "%w", err)
	}
	var err error
	if j.model, err = j.sets.Network(c.Model); err != nil {
		return ofNetwork(c, err)
	}
	set, err := j.sets.Open(ctx, c.Data)
	if err != nil {
		return ofData(c, err)
	}
	for _, name := range c.Eval.OOD {
		if _, err := j.sets.Against(ctx, set, name, c.Data.Test); err != nil {
			return c.Errorf("eval.ood", "eval.ood: %w", err)
		}
	}
	for _, name := range c.Eval.Shift {
		if _, err := j.sets.Open(ctx, shifted(c.Data, name)); err != nil {
			return c.Errorf("eval.shift", "eval.shift: %w", err)
		}
	}
	if _, err := set.Augmentations(c.Train.Augment); err != nil {
		return c.Errorf("train.augment", "train.augment: %w", err)
	}
	if j.method, err = newMethod(c.Method); err != nil {
		return err
	}
	if err := checkOwnTrain(c.Method); err != nil {
		return err
	}
	likelihood, err := likelihoodOf(c, set)
	if err != nil {
		return err
	}
	j.likelihood, j.splits = likelihood.Name(), set.Splits
	if err := j.networkFits(set, likelihood); err != nil {
		return err
	}
	if err := j.judgeable(set); err != nil {
		return err
	}
	if n := set.Train.Len(); n < c.Train.Batch {
		return c.Errorf("train.batch", "train.batch: want at most the %d training examples of %s, found %d", n, c.Data.Name, c.Train.Batch)
	}
	if j.plan, err = j.planFor(set, c.Eval.Batch); err != nil {
		return err
	}
	if err := bounded(c, j.plan); err != nil {
		return err
	}
	if err := j.stoppable(set); err != nil {
		return err
	}
	if j.plan.Program != nil {
		j.outside = true
		if len(c.Eval.Attack) > 0 {
			return c.Errorf("eval.attack", "eval.attack: %s is a program that gives predictions and no gradient; put it into a suite without attacks", c.Method.Label())
		}
	}
	j.parts, j.pupilOf = j.plan.Members, j.plan.Teacher
	if c.Eval.GradientDraws > 0 && len(j.plan.Members) == 0 {
		if j.gradients, err = j.estimators(set); err != nil {
			return err
		}
	}
	return nil
}

// judgeable refuses measurements that the predictions of the job's likelihood do not have.
func (j *Job) judgeable(set *data.Set) error {
	c := &j.Config
	scorer, err := metrics.ScorerOf(j.likelihood)
	if err != nil {
		return err
	}
	for _, e := range []struct {
		key   string
		asked bool
		has   bool
	}{
		{"eval.ood", len(c.Eval.OOD) > 0, slices.Contains(scorer.Compares(), metrics.OOD)},
		{"eval.attack", len(c.Eval.Attack) > 0, slices.Contains(scorer.Compares(), metrics.Adversarial)},
		{"eval.reference", c.Eval.Reference != "", slices.Contains(scorer.Compares(), metrics.Reference)},
		{"eval.target", c.Eval.Target > 0, slices.Contains(scorer.Headline(), "error")},
	} {
		if e.asked && !e.has {
			return c.Errorf(e.key, "%s: want classes to predict, found a target of %s under the likelihood %q", e.key, set.Targets, j.likelihood)
		}
	}
	return nil
}

// planFor is the plan of the job's method, with predict programs for batches of
// the given rows.
func (j *Job) planFor(set *data.Set, evalBatch int) (*methods.Plan, error) {
	asked, err := j.asked(set, evalBatch)
	if err != nil {
		return nil, err
	}
	plan, err := j.method.Plan(j.model, asked)
	if err != nil {
		return nil, planned(&j.Config, err)
	}
	return plan, nil
}

// Planned is what the job's method does. It is nil where the suite has more setups than plans
// are kept.
func (j *Job) Planned() *methods.Plan { return j.plan }

// asked is what the job's method is asked to plan.
func (j *Job) asked(set *data.Set, evalBatch int) (methods.Job, error) {
	c := &j.Config
	likelihood, err := likelihoodOf(c, set)
	if err != nil {
		return methods.Job{}, err
	}
	return methods.Job{
		Task:  task.Task{Name: c.Data.Name, Input: ir.Float(set.Shape...), Likelihood: likelihood, Examples: set.Train.Len()},
		Batch: c.Train.Batch, EvalBatch: evalBatch, Epochs: c.Train.Epochs,
		Train: training(c.Train),
	}, nil
}

// training is what methods read of [train].
func training(t suites.Train) methods.Train {
	return methods.Train{
		Optimizer: t.Optimizer, LR: t.LR, Momentum: t.Momentum, Nesterov: t.Nesterov, WeightDecay: t.WeightDecay, ClipNorm: t.ClipNorm,
		Schedule: t.Schedule, Milestones: t.Milestones, Gamma: t.Gamma, Warmup: t.Warmup,
	}
}

// estimators are those that the job's plan names.
func (j *Job) estimators(set *data.Set) ([]gradient, error) {
	c := &j.Config
	comparer, ok := j.method.(methods.Comparer)
	if !ok || len(j.plan.Estimators) == 0 {
		return nil, c.Errorf("eval.gradient_draws", "eval.gradient_draws: method %s has one estimator of its gradient, nothing to compare", c.Method.Name())
	}
	asked, err := j.asked(set, c.Eval.Batch)
	if err != nil {
		return nil, err
	}
	var out []gradient
	for _, name := range j.plan.Estimators {
		program, err := comparer.Gradient(j.model, asked, name)
		if err != nil {
			return nil, planned(c, err)
		}
		out = append(out, gradient{name, program})
	}
	return out, nil
}

// cost estimates the job, whose needs may be planned and forgotten.
func (j *Job) cost(ctx context.Context) error {
	set, err := j.sets.Open(ctx, j.Config.Data)
	if err != nil {
		return err
	}
	forget, err := j.prepare(ctx)
	defer forget()
	if err == nil {
		j.estimate(set)
	}
	return err
}

// estimate sets the FLOPs of the job's setup. Its members are planned.
func (j *Job) estimate(set *data.Set) {
	c := &j.Config
	for _, s := range j.plan.Stages {
		j.trainFLOPs += s.Step.FLOPs() * float64(s.Steps)
	}
	j.flops = j.trainFLOPs
	for _, g := range j.gradients {
		j.flops += g.program.FLOPs() * float64(c.Eval.GradientDraws)
	}
	if s := j.plan.Sampler; s != nil {
		j.FLOPs += 2 * curvatureProducts * float64(productBatches(j.plan, set.Train.Len()/c.Train.Batch)) * j.plan.Stages[s.Stage].Step.FLOPs()
	}
	j.estimatePredictions(set)
}

// estimatePredictions adds the FLOPs of prediction.
func (j *Job) estimatePredictions(set *data.Set) {
	c := &j.Config
	batches := func(split data.Split) int { return (split.Len() + c.Eval.Batch - 1) / c.Eval.Batch }
	passes := float64(batches(set.Test) + batches(set.Validation))
	refreshes := float64(min(methods.RefreshBatches, set.Train.Len()/c.Train.Batch))
	if j.outside {
		return // what a program of another takes cannot be told
	}
	for _, p := range j.predictors() {
		counts := j.samples(p, kept(j.leaf().plan, p))
		sample := p.Program.FLOPs() * passes
		if p.Refresh != nil {
			sample += p.Refresh.FLOPs() * refreshes
		}
		j.flops += sample * float64(counts[len(counts)-1])
	}
}

// flopsBatch is the number of examples among which exampleFLOPs divides what a
// program computes once a batch, such as sampled weights: eval.batch's default.
const flopsBatch = 500

// likelihoodOf is the likelihood that c asks for, of the set's targets.
func likelihoodOf(c *suites.Config, set *data.Set) (task.Likelihood, error) {
	norm, err := data.NewNormalisation(data.Scheme(c.Data.Normalise), set)
	if err != nil {
		return nil, c.Errorf("data.normalise", "data.normalise: %w", err)
	}
	target := task.Target{Classes: set.Classes}
	for _, scale := range norm.Targets() {
		target.Units = append(target.Units, scale.SD)
	}
	likelihood, err := task.New(task.Keys(c.Likelihood), target)
	if err != nil {
		return nil, planned(c, err)
	}
	return likelihood, nil
}

// exampleFLOPs is what one sample of the first predictor costs an example that is
// predicted in batches of flopsBatch, whatever eval.batch is.
func (j *Job) exampleFLOPs(set *data.Set) (float64, error) {
	plan, err := j.planFor(set, flopsBatch)
	if err != nil {
		return 0, err
	}
	return plan.Predictors[0].Program.FLOPs() / flopsBatch, nil
}

// The longest training and the largest state of a job. Steps are counted in 32
// bits where they key random numbers.
const (
	maxSteps = 1 << 31
	maxState = 32 << 30 // bytes
)

// bounded refuses a plan beyond what can be trained and held.
func bounded(c *suites.Config, p *methods.Plan) error {
	steps, state := 0, 0.0
	for _, s := range p.Stages {
		steps += s.Steps
	}
	for _, s := range p.State {
		state += 4 * float64(s.Type.Size())
	}
	if steps > maxSteps {
		return c.Method.Errorf("", "%s: the training comes to %d steps, at most %d can be", c.Method.Name(), steps, maxSteps)
	}
	if state > maxState {
		return c.Method.Errorf("", "%s: weights and what is kept beside them take %.0f GiB, at most %d can be", c.Method.Name(), state/(1<<30), maxState>>30)
	}
	return nil
}

// shifted is the same data with its test set corrupted.
func shifted(d suites.Data, corruption string) suites.Data {
	d.Name += "+" + corruption
	return d
}

// Title names the job for a person: "mnist lenet-300-100 sparse-vd seed 0".
func (j *Job) Title() string {
	c := &j.Config
	s := fmt.Sprintf("%s %s %s", c.Data.Name, c.Model.Name, c.Method.Label())
	if l := c.Data.RandomLabels; l != "" {
		s += " labels=random-" + l
	}
	for _, w := range j.settings {
		s += fmt.Sprintf(" %s=%s", w.Key, w.Value)
	}
	if c.Backend != "gonum" {
		s += " " + c.Backend
	}
	if j.setup != nil && j.splits > 0 {
		s += fmt.Sprintf(" split %d", c.Data.Split)
	}
	return fmt.Sprintf("%s seed %d", s, c.Seed)
}

// Sets opens each data set once and keeps it, and each network.
type Sets struct {
	Options data.Options // where to look; which examples comes from the suite
	open    map[suites.Data]*data.Set
	against map[outside]*data.Set

	networks map[string]network // by suites.Model.Key
}

// outside is a set opened as out-of-distribution inputs: which, for examples of which form, and how
// many of its own.
type outside struct {
	name, examples string
	limit          int
}

// all visits the sets that are open, with the names that they were opened by.
func (s *Sets) all(yield func(name string, set *data.Set) bool) {
	for d, set := range s.open {
		if !yield(d.Name, set) {
			return
		}
	}
	for o, set := range s.against {
		if !yield(o.name, set) {
			return
		}
	}
}

// Open opens the set that d describes.
func (s *Sets) Open(ctx context.Context, d suites.Data) (*data.Set, error) {
	at := d
	at.Normalise = "" // does not change what is read
	if set, ok := s.open[at]; ok {
		return set, nil
	}
	opt := s.Options
	opt.TrainLimit, opt.TestLimit, opt.Validation = d.Train, d.Test, d.Validation
	opt.Split, opt.ValidationLast = d.Split, d.ValidationLast
	opt.RandomLabels, opt.Size = data.LabelNoise(d.RandomLabels), d.Size
	set, err := data.Open(ctx, d.Name, opt)
	if err != nil {
		return nil, err
	}
	if s.open == nil {
		s.open = map[suites.Data]*data.Set{}
	}
	s.open[at] = set
	return set, nil
}

// Against opens another set as out-of-distribution inputs for models of in.
func (s *Sets) Against(ctx context.Context, in *data.Set, name string, limit int) (*data.Set, error) {
	at := outside{name, in.Examples.String(), limit}
	if set, ok := s.against[at]; ok {
		return set, nil
	}
	opt := s.Options
	opt.TestLimit = limit
	set, err := data.OpenAgainst(ctx, in.Info, name, opt)
	if err != nil {
		return nil, err
	}
	if s.against == nil {
		s.against = map[outside]*data.Set{}
	}
	s.against[at] = set
	return set, nil
}

// Hashes lists the hash of every set opened, by name.
func (s *Sets) Hashes(names ...string) map[string]string {
	out := map[string]string{}
	for name, set := range s.all {
		if slices.Contains(names, name) {
			out[name] = set.Hash
		}
	}
	return out
}

// Skipped lists what the sets of those names left out.
func (s *Sets) Skipped(names ...string) []results.Skipped {
	var out []results.Skipped
	said := map[string]bool{}
	for name, set := range s.all {
		if said[name] || !slices.Contains(names, name) {
			continue
		}
		said[name] = true // a set that is opened in two sizes leaves out the same
		for _, k := range set.Skipped {
			out = append(out, results.Skipped{Data: name, Reason: string(k.Reason), Count: k.Count, Examples: k.Examples})
		}
	}
	slices.SortStableFunc(out, func(a, b results.Skipped) int { return cmp.Compare(a.Data, b.Data) })
	return out
}

// notes tells of what the sets of those names left out, and what they say of themselves, a line
// each.
func (s *Sets) notes(names ...string) []string {
	var lines []string
	for d, set := range s.open {
		for _, note := range set.Notes {
			if line := fmt.Sprintf("data set %s: %s", d.Name, note); slices.Contains(names, d.Name) && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	for _, k := range s.Skipped(names...) {
		skipped := data.Skipped{Reason: data.Reason(k.Reason), Count: k.Count, Examples: k.Examples}
		lines = append(lines, fmt.Sprintf("data set %s: %s", k.Data, skipped))
	}
	return lines
}

// closure is the jobs that keep accepts and all that they need, in order.
func closure(jobs []*Job, keep func(*Job) bool) []*Job {
	want := map[*Job]bool{}
	var mark func(*Job)
	mark = func(j *Job) {
		if !want[j] {
			want[j] = true
			for _, n := range j.Needs {
				mark(n)
			}
		}
	}
	for _, j := range jobs {
		if j.Listed && keep(j) {
			mark(j)
		}
	}
	out := make([]*Job, 0, len(want))
	for _, j := range jobs {
		if want[j] {
			out = append(out, j)
		}
	}
	return out
}

// Filter keeps jobs by method label, backend and seed; an empty list keeps all.
type Filter struct {
	Methods, Backends []string
	Seeds             []uint32
}

// Select is the jobs that f keeps, with all that they need. A value of the
// filter that no job has is an error that names the nearest one.
func (f Filter) Select(jobs []*Job) ([]*Job, error) {
	check := func(flag string, want []string, of func(*Job) string) error {
		names := map[string]bool{}
		for _, j := range jobs {
			if j.Listed {
				names[of(j)] = true
			}
		}
		list := slices.Sorted(maps.Keys(names))
		for _, w := range want {
			if !names[w] {
				return fmt.Errorf("-%s %s: the suite has none%s", flag, w, nearest.Hint(w, list))
			}
		}
		return nil
	}
	label := func(j *Job) string { return j.Config.Method.Label() }
	backend := func(j *Job) string { return j.Config.Backend }
	seed := func(j *Job) string { return fmt.Sprint(j.Config.Seed) }
	seeds := make([]string, len(f.Seeds))
	for i, s := range f.Seeds {
		seeds[i] = fmt.Sprint(s)
	}
	for _, c := range []struct {
		flag string
		want []string
		of   func(*Job) string
	}{{"method", f.Methods, label}, {"backend", f.Backends, backend}, {"seed", seeds, seed}} {
		if err := check(c.flag, c.want, c.of); err != nil {
			return nil, err
		}
	}
	in := func(list []string, s string) bool {
		return len(list) == 0 || slices.Contains(list, s)
	}
	return closure(jobs, func(j *Job) bool {
		return in(f.Methods, label(j)) && in(f.Backends, backend(j)) && in(seeds, seed(j))
	}), nil
}
