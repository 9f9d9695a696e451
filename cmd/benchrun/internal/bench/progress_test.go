package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	_ "bayesbench/backends/gonum"
	_ "bayesbench/methods/all"
	"bayesbench/results"
	"bayesbench/suites"
)

// sampler is a job that keeps posterior samples, after a burn-in.
func sampler(t testing.TB) *Job {
	t.Helper()
	s, err := suites.Parse(Words(), "s.toml", []byte(`name = "s"
model = "softmax-regression"
[data]
name = "blobs"
train = 100
test = 20
[train]
epochs = 4
batch = 20
[eval]
batch = 20
[[method]]
name = "sgld"
samples = 2
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := Plan(t.Context(), s, &Sets{})
	if err != nil {
		t.Fatal(err)
	}
	return jobs[0]
}

// A progress that no training can have come to is refused, and says of which of its parts.
func TestProgressRefused(t *testing.T) {
	plan := sampler(t).plan
	steps := 0
	for _, s := range plan.Stages {
		steps += s.Steps
	}
	whole := fmt.Sprintf(`{"stage": %d, "step": 0, "before": %d, "kept": 2, "sums": {}, "count": 0, "seconds": 1, "pace": {}}`, len(plan.Stages), steps)
	begun := `{"stage": 0, "step": 3, "before": 0, "kept": 0, "sums": {"loss": 1.5}, "count": 3, "seconds": 1,
		"pace": {"warm_up": {"parts": 1, "examples": 60, "seconds": 1}, "each": 1}}`
	read := func(text string) (progress, error) {
		return readProgress(&results.Checkpoint{Meta: map[string]string{metaProgress: text}}, plan)
	}
	for _, text := range []string{whole, begun, strings.Replace(begun, `{"loss": 1.5}`, `null`, 1)} {
		if p, err := read(text); err != nil || p.Sums == nil {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	for _, c := range []struct{ of, old, new, want string }{
		{begun, `"stage": 0`, `"stage": -1`, "stage -1: want 0 to"},
		{begun, `"stage": 0`, `"stage": 9`, "stage 9: want 0 to"},
		{begun, `"step": 3`, `"step": -3`, "step -3: want 0 to"},
		{begun, `"step": 3`, `"step": 1000`, "step 1000: want 0 to"},
		{whole, `"step": 0`, `"step": 1`, "step 1: want 0 to 0"},
		{begun, `"before": 0`, `"before": -1`, "before -1: want 0 to 0"},
		{whole, `"before": `, `"before": 1`, "before 1"},
		{begun, `"kept": 0`, `"kept": 1`, "kept 1: want 0 to 0"},
		{whole, `"kept": 2`, `"kept": 1000000000`, "kept 1000000000: want 2 to 2"},
		{begun, `"count": 3`, `"count": 4`, "count 4: want 0 to 3"},
		{begun, `"count": 3`, `"count": -1`, "count -1"},
		{begun, `1.5`, `1e300`, `sums: "loss" is 1e+300 after 3 steps`},
		{begun, `1.5`, `"x"`, "cannot unmarshal string"},
		{begun, `1.5`, `NaN`, "invalid character 'N'"},
		{begun, `"seconds": 1,`, `"seconds": -1,`, "seconds -1: want 0 to"},
		{begun, `"seconds": 1,`, `"seconds": 1e308,`, "seconds 1e+308: want 0 to"},
		{begun, `"seconds": 1}`, `"seconds": 0}`, "a stretch of 1 parts, 60 examples and 0 s"},
		{begun, `"examples": 60`, `"examples": -60`, "-60 examples"},
		{begun, `"each": 1`, `"each": -1`, "-1 stretches each"},
		{begun, `"each": 1`, `"wall": -1`, "wall -1: want 0 to"},
		{begun, begun, ``, "unexpected end"},
		{begun, begun, `[]`, "cannot unmarshal array"},
	} {
		text := strings.Replace(c.of, c.old, c.new, 1)
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", text, err, c.want)
		}
	}
}

// Whatever progress a checkpoint holds, it is refused, or it is one from which the training can go
// on within its plan and which can be written again.
func FuzzProgress(f *testing.F) {
	plan := sampler(f).plan
	f.Add(`{"stage": 0, "step": 3, "before": 0, "kept": 0, "sums": {"loss": 1.5}, "count": 3, "seconds": 1}`)
	f.Add(`{"stage": -1, "sums": null}`)
	f.Add(`{"stage": 1, "before": 20, "kept": 2, "pace": {"stretches": [{"parts": 1, "examples": 5, "seconds": 0.5}], "each": 1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := readProgress(&results.Checkpoint{Meta: map[string]string{metaProgress: text}}, plan)
		if err != nil {
			return
		}
		total := 0
		for i := range plan.Stages {
			total += plan.Stages[i].Steps
		}
		if p.Stage < 0 || p.Stage > len(plan.Stages) || p.Before+p.Step > total || p.Stage < len(plan.Stages) && p.Step > plan.Stages[p.Stage].Steps {
			t.Fatalf("stage %d, step %d after %d of %d", p.Stage, p.Step, p.Before, total)
		}
		p.Pace.add(20, 0.1, false)
		p.Seconds += 0.1
		if rate, ok := p.Pace.rate(); !ok || math.IsNaN(rate) || math.IsInf(rate, 0) {
			t.Fatalf("%g examples a second", rate)
		}
		if len(p.Pace.Stretches) > maxStretches {
			t.Fatalf("%d stretches", len(p.Pace.Stretches))
		}
		written, err := json.Marshal(&p)
		if err != nil {
			t.Fatal(err)
		}
		back, err := readProgress(&results.Checkpoint{Meta: map[string]string{metaProgress: string(written)}}, plan)
		if err != nil || !reflect.DeepEqual(p, back) {
			t.Fatalf("%+v\nbecame\n%+v, %v", p, back, err)
		}
	})
}

// Stretches are joined, never lost, and the median of those that were joined is still that of an
// even training with a few disturbances.
func TestPaceIsBounded(t *testing.T) {
	var p pace
	p.add(7, 3, true)
	const n = 10 * maxStretches
	for i := range n {
		seconds := 0.5
		if i%50 == 0 {
			seconds = 30 // somebody else had the machine
		}
		p.add(100, seconds, false)
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
	}
	examples := p.WarmUp.Examples
	for _, s := range p.Stretches {
		examples += s.Examples
	}
	if examples != 7+100*n {
		t.Errorf("%d examples, want %d", examples, 7+100*n)
	}
	if rate, ok := p.rate(); !ok || rate != 200 {
		t.Errorf("%g examples/s, want 200", rate)
	}
	p = pace{}
	if _, ok := p.rate(); ok {
		t.Error("a rate of nothing")
	}
	p.add(10, 2, true)
	if rate, ok := p.rate(); !ok || rate != 5 {
		t.Errorf("%g examples/s of the warm-up alone, want 5", rate)
	}
}

// A job that is done on other data than those at hand is refused, whichever of its sets it is.
func TestDataAtHand(t *testing.T) {
	s, err := suites.Parse(Words(), "d.toml", []byte(`name = "d"
model = "softmax-regression"
[data]
name = "blobs"
train = 100
test = 20
[train]
batch = 20
[eval]
batch = 20
shift = ["gaussian-noise-2"]
[[method]]
name = "ensemble"
members = 2
[method.of]
name = "deterministic"
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(spoilt string) (Summary, []*Job, error) {
		jobs, err := Plan(t.Context(), s, &Sets{})
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]string, len(jobs))
		for i, j := range jobs {
			ids[i] = j.ID
		}
		r, err := results.Open(t.Context(), dir, results.Plan{Suite: s.Name, Text: s.Text, Jobs: ids}, results.Alone, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for d, set := range jobs[0].sets.open {
			if strings.Contains(d.Name, spoilt) {
				set.Hash = "sha256:other"
			}
		}
		sum, err := Run(t.Context(), r, jobs, silent{})
		return sum, jobs, err
	}
	if sum, _, err := run("none"); err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for _, spoilt := range []string{"blobs", "+gaussian-noise-2"} {
		_, jobs, err := run(spoilt)
		want := fmt.Sprintf("(%s) is done on other data: its blobs", jobs[0].ID)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the one at hand is sha256:other, and so it is of 2 other jobs; ") ||
			!strings.Contains(err.Error(), "manifest.json to run the job again") {
			t.Errorf("%s: error %v", spoilt, err)
		}
	}
	if sum, _, err := run("none"); err != nil || sum.Skipped != 3 {
		t.Errorf("%+v, %v: want all of it as before", sum, err)
	}
}
